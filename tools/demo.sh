#!/usr/bin/env bash
# demo.sh PROGRAM: what lanthorn does with the example model, one step and one sentence at a time.
set -euo pipefail
cd "$ROOT"
lanthorn=$1
digits=examples/digits

step() { printf '\n\033[1m%s\033[0m\n' "$1"; }
show() {
  local word line='$'
  for word in "$@"; do
    case $word in *' '*) line+=" '$word'" ;; *) line+=" $word" ;; esac
  done
  printf '%s\n' "$line"
  "$@"
}

step "What is in a model that PyTorch traced and saved:"
show "$lanthorn" inspect $digits/digits_traced.pt

step "It classifies a real picture of a handwritten digit, an 8x8 PNG of a seven:"
show "$lanthorn" run $digits/digits_traced.pt --input $digits/digit_7.png --preprocess digits --labels $digits/labels.txt

step "It computes the numbers that PyTorch computed (stored with the example), here for ten pictures at once:"
show "$lanthorn" run $digits/digits_traced.pt --inputs $digits/golden.npz --expect $digits/golden.npz --top 1

step "It serves the model over HTTP; the server starts on a free port:"
log=$(mktemp)
printf '$ %s serve %s --http 127.0.0.1:0 &\n' "$lanthorn" $digits/digits_traced.pt
"$lanthorn" serve $digits/digits_traced.pt --http 127.0.0.1:0 >"$log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; rm -f "$log"' EXIT
url=
for _ in $(seq 100); do
  url=$(sed -n 's/^lanthorn: ready \(http[^ ]*\).*/\1/p' "$log")
  [ -n "$url" ] && break
  kill -0 "$server" 2>/dev/null || break
  sleep 0.05
done
cat "$log"
[ -n "$url" ] || { echo "the server did not start" >&2; exit 1; }

step "The ten pictures are sent with curl, and the answer is what they show, 0 to 9:"
show curl -sS --fail-with-body "$url/predict" -H 'Content-Type: application/json' --data @$digits/request.json
echo

step "SIGTERM lets the server finish what it has and end:"
kill -TERM "$server"
status=0
wait "$server" || status=$?
trap - EXIT
rm -f "$log"
echo "it ended with status $status"
exit $status
