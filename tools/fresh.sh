#!/usr/bin/env bash
# fresh.sh 12|13 (as root): a bare Debian in a folder, a clean checkout of HEAD in it, `./dev demo` twice and `./dev test`.
# LANTHORN_FRESH_CCACHE=FOLDER keeps the compiler's cache in a folder of this machine, for a second run; without it everything is compiled.
# What this machine needs to reach its registries is carried over: apt and pip settings, certificates, and the local folders that pip's
# settings name. Everything is mounted in a namespace of this script's own, so nothing stays mounted when it ends.
set -euo pipefail
if [ "${LANTHORN_UNSHARED:-}" != yes ]; then
  exec env LANTHORN_UNSHARED=yes unshare --mount --pid --fork --kill-child --propagation private bash "$0" "$@"
fi
cd "$ROOT"
case $1 in
  12) suite=bookworm ;;
  13) suite=trixie ;;
  *) echo "12 or 13" >&2; exit 2 ;;
esac
base=${LANTHORN_FRESH:-/var/tmp/lanthorn-fresh-$1}

# The mirror of this machine's own settings: the first one that has a Debian suite, not a security or third-party one.
mirror() {
  cat /etc/apt/sources.list.d/*.sources 2>/dev/null | sed -n 's/^URIs: *\([^ ]*\).*/\1/p'
  cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | sed -n 's/^deb \(\[[^]]*\] \)\?\([^ ]*\) .*/\2/p'
}
url=$(mirror | grep -E '/debian/?$' | head -1 || true)
[ -n "$url" ] || { echo "no Debian mirror in the apt settings of this machine" >&2; exit 1; }

if [ ! -f "$base/.bootstrapped" ]; then
  rm -rf "$base"
  echo "debootstrap $suite from this machine's mirror into $base"
  debootstrap --variant=minbase "$suite" "$base" "$url" >"/var/tmp/lanthorn-debootstrap-$1.log" 2>&1 ||
    { tail -5 "/var/tmp/lanthorn-debootstrap-$1.log" >&2; exit 1; }
  echo "deb $url $suite main" >"$base/etc/apt/sources.list"
  touch "$base/.bootstrapped"
fi
# Each run works on a layer of its own over the bare system, which stays bare.
layer=${base}-layer
rm -rf "$layer"
mkdir -p "$layer/upper" "$layer/work" "$layer/root"
if ! mount -t overlay overlay -o "lowerdir=$base,upperdir=$layer/upper,workdir=$layer/work" "$layer/root" 2>/dev/null; then
  cp -a "$base/." "$layer/root"
fi
root=$layer/root

copy() {
  for path in "$@"; do
    [ -e "$path" ] || continue
    mkdir -p "$root$(dirname "$path")"
    cp -aL "$path" "$root$(dirname "$path")/"
  done
}
copy /etc/apt/apt.conf /etc/apt/apt.conf.d /etc/apt/auth.conf /etc/apt/auth.conf.d /etc/apt/preferences.d
copy /etc/pip.conf /etc/xdg/pip /root/.config/pip /root/.pip /etc/resolv.conf /etc/hosts
copy /etc/ssl/certs/ca-certificates.crt /usr/local/share/ca-certificates
grep -hs "Post-Invoke\|Pre-Invoke" -l "$root"/etc/apt/apt.conf.d/* | xargs -r rm -f
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp" -o size=8g,mode=1777 2>/dev/null || true
# The local folders that pip's settings name.
for path in $({ cat /etc/pip.conf /etc/xdg/pip/pip.conf /root/.config/pip/pip.conf 2>/dev/null; env | grep ^PIP_; } |
  grep -oE '(file://)?/[A-Za-z0-9_./-]+' | sed 's|^file://||' | sort -u); do
  case $path in /etc/* | /) continue ;; esac
  while [ ! -d "$path" ]; do path=$(dirname "$path"); done
  case $path in /opt/*/simple) path=$(dirname "$path") ;; / | /opt | /usr) continue ;; esac
  mkdir -p "$root$path"
  mount --rbind "$path" "$root$path" 2>/dev/null || cp -a "$path/." "$root$path"
done

if [ -n "${LANTHORN_FRESH_CCACHE:-}" ]; then
  mkdir -p "$LANTHORN_FRESH_CCACHE" "$root/root/.cache/lanthorn/ccache"
  mount --bind "$LANTHORN_FRESH_CCACHE" "$root/root/.cache/lanthorn/ccache"
fi

mkdir -p "$root/root/lanthorn"
git -c safe.directory="$ROOT" archive HEAD | tar -x -C "$root/root/lanthorn"
inside() {
  env -i HOME=/root TERM="${TERM:-dumb}" LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANTHORN_PIP_ARGS="${LANTHORN_PIP_ARGS:-}" $(env | grep -E '^(PIP_[A-Z_]+|[a-z]+_proxy|[A-Z]+_PROXY|SSL_CERT_FILE|SSL_CERT_DIR|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE)=' | tr '\n' ' ') \
    chroot "$root" bash -c "cd /root/lanthorn && $1" </dev/null
}
failed=0
timed() {
  printf '\n#### Debian %s: %s\n' "$suite" "$1"
  local TIMEFORMAT="#### $1 took %0R s, and %0U + %0S s of processor time"
  time inside "$1" || failed=1
}
timed './dev demo'
timed './dev demo'
timed './dev test'
[ $failed = 0 ] && rm -rf "$layer"/upper "$layer"/work 2>/dev/null
exit $failed
