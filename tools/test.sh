#!/usr/bin/env bash
# Everything that `./dev test` does once the packages are there. A stage is a file tools/stages/NN-name.sh: it runs in the order of its
# number, finds what `settings` below exports, and reports with `count PASSED FAILED [SKIPPED]` or `report FILE...`.
set -uo pipefail

settings() {
  export BUILD=$ROOT/build/asan
  export LANTHORN=$BUILD/lanthorn
  WORK=$(mktemp -d "${TMPDIR:-/tmp}/lanthorn-test.XXXXXX")
  export WORK RESULTS=$WORK/results
  export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1:abort_on_error=0
  export UBSAN_OPTIONS=print_stacktrace=1
  export LSAN_OPTIONS=suppressions=/dev/null:print_suppressions=0
  : >"$RESULTS"
  trap 'rm -rf "$WORK"' EXIT
}

count() { echo "$STAGE $1 $2 ${3:-0}" >>"$RESULTS"; }

# Adds up test reports (GoogleTest's JSON, pytest's XML); a report that was not written is a failure.
report() {
  local file counts
  for file in "$@"; do
    if [ -s "$file" ] && counts=$(python3 "$ROOT/tools/count_results.py" "$file"); then
      # shellcheck disable=SC2086
      count $counts
    else
      echo "no report: the tests ended before they wrote $(basename "$file")"
      count 0 1
    fi
  done
}

# Runs a command as one counted check: `check "what it shows" command...`
check() {
  local what=$1
  shift
  if "$@" >"$WORK/check.log" 2>&1; then
    echo "ok   $what"
    count 1 0
  else
    echo "FAIL $what"
    tail -40 "$WORK/check.log" | sed 's/^/     /'
    count 0 1
  fi
}

build() {  # PRESET [TARGET...]
  local preset=$1
  shift
  if [ ! -f "build/$preset/build.ninja" ]; then cmake --preset "$preset" || return 1; fi
  cmake --build "build/$preset" --parallel "$JOBS" ${1:+--target "$@"}
}

# Of a build's output every fiftieth step, so that a log shows where it is.
progress() { grep --line-buffered -oE '^\[[0-9]*[05]0/[0-9]+\]' | sed -u 's/^/   /'; }

export -f count report check build progress

# The Python environment and the fixtures need no compiler, so they are made while the first build runs. What a generator cannot make is
# missed by the tests, which count what they find.
prepare_python() {
  local started=$SECONDS key generator
  PYTHON=$("$ROOT/dev" venv)/bin/python || return 1
  echo "Python environment ready after $((SECONDS - started)) s"
  key=$(cat tests/requirements.txt tests/onnx_values.py tests/fixtures/*.py | sha256sum | cut -c1-16)
  FIXTURES=$CACHE/fixtures-$key
  mkdir -p "$FIXTURES"
  for generator in make_onnx_nodes make_onnx_runtime make_onnx_check "make_torchvision --few"; do
    # shellcheck disable=SC2086
    set -- $generator
    "$PYTHON" "tests/fixtures/$1.py" "$FIXTURES" "${@:2}" || echo "$1: some could not be made"
    echo "$1 done after $((SECONDS - started)) s"
  done
  printf 'export PYTHON=%q\nexport LANTHORN_FIXTURES=%q\n' "$PYTHON" "$FIXTURES" >"$WORK/python"
}

main() {
  cd "$ROOT" || exit 1
  settings
  local started=$SECONDS stage name failed_build=0
  prepare_python >"$WORK/python.log" 2>&1 &
  local python_job=$!

  printf '\n== build (asan)\n'
  build asan 2>&1 | tee "$WORK/build.log" | progress
  [ "${PIPESTATUS[0]}" = 0 ] || { grep -vE '^\[[0-9]+/[0-9]+\] [A-Z]' "$WORK/build.log" | tail -60; failed_build=1; }
  printf 'built in %s s\n' $((SECONDS - started))
  local waited=$SECONDS
  while kill -0 "$python_job" 2>/dev/null; do
    sleep 1
    [ $(((SECONDS - waited) % 60)) != 59 ] || tail -1 "$WORK/python.log"
  done
  wait "$python_job" || { echo "no Python environment:"; tail -20 "$WORK/python.log"; }
  grep -E 'NOT MADE|could not be made' "$WORK/python.log"
  printf 'Python and fixtures ready %s s later\n' $((SECONDS - waited))
  # shellcheck disable=SC1091
  [ -f "$WORK/python" ] && . "$WORK/python"
  export PYTHON=${PYTHON:-} LANTHORN_FIXTURES=${LANTHORN_FIXTURES:-}
  export STAGE=build
  if [ $failed_build = 1 ]; then count 0 1; else count 1 0; fi

  for stage in tools/stages/*.sh; do
    name=$(basename "$stage" .sh)
    name=${name#*-}
    [ $# = 0 ] || [[ " $* " == *" $name "* ]] || continue
    export STAGE=$name
    printf '\n== %s\n' "$name"
    local before=$SECONDS
    if ! bash -uo pipefail "$stage" </dev/null && ! grep -q "^$name [0-9]* [1-9]" "$RESULTS"; then
      echo "the stage itself failed"
      count 0 1
    fi
    printf '   %s s\n' $((SECONDS - before))
  done

  printf '\n%-12s %8s %8s %8s\n' stage passed failed skipped
  awk '{p[$1] += $2; f[$1] += $3; s[$1] += $4; if (!($1 in seen)) {seen[$1] = 1; order[++n] = $1}}
       END {for (i = 1; i <= n; ++i) printf "%-12s %8d %8d %8d\n", order[i], p[order[i]], f[order[i]], s[order[i]]}' "$RESULTS"
  printf 'in %s s\n' $((SECONDS - started))
  local passed failed skipped
  read -r passed failed skipped < <(awk '{p += $2; f += $3; s += $4} END {print p + 0, f + 0, s + 0}' "$RESULTS")
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" = 0 ]
}

main "$@"
