#!/usr/bin/env bash
# fuzz.sh [TARGET] [SECONDS]: builds fuzz/*.cpp with libFuzzer, ASan and UBSan, and runs one target or all, as many at once as there are
# processors. Starts from tests/corpus/TARGET, keeps what it learns in build/fuzz/corpus/TARGET, leaves findings in build/fuzz/findings.
set -euo pipefail
cd "$ROOT"

cmake --preset fuzz >/dev/null
targets=()
for source in fuzz/*.cpp; do
  name=$(basename "$source" .cpp)
  [ "$name" = replay ] || targets+=("$name")
done
seconds=60
if [ $# -gt 0 ] && [[ ! $1 =~ ^[0-9]+$ ]]; then
  [[ " ${targets[*]} " == *" $1 "* ]] || { echo "there is no fuzz/$1.cpp; there are: ${targets[*]}" >&2; exit 2; }
  targets=("$1")
  shift
fi
[ $# -gt 0 ] && seconds=$1
cmake --build build/fuzz --parallel "$JOBS" --target "${targets[@]/#/fuzz_}"
mkdir -p build/fuzz/findings build/fuzz/logs

run() {
  local name=$1 seed=tests/corpus/$1 own=build/fuzz/corpus/$1 dictionary=()
  mkdir -p "$own"
  [ -d "$seed" ] || seed=
  [ -f "fuzz/$name.dict" ] && dictionary=("-dict=fuzz/$name.dict")
  UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=allocator_may_return_null=1 build/fuzz/fuzz/"$name" -max_total_time="$seconds" -timeout=10 \
    -rss_limit_mb=1024 -malloc_limit_mb=512 -max_len=65536 -print_final_stats=1 -artifact_prefix="build/fuzz/findings/$name-" "${dictionary[@]}" \
    "$own" ${seed:+"$seed"} >"build/fuzz/logs/$name.log" 2>&1
}

echo "fuzzing ${targets[*]}, $seconds s each, $JOBS at once"
declare -A jobs=()
waiting=("${targets[@]}")
findings=0
finish() {
  local name=$1 status=0 executed
  wait "${jobs[$name]}" || status=$?
  unset "jobs[$name]"
  executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/logs/$name.log")
  if [ $status = 0 ]; then
    echo "ok      $name: ${executed:-0} inputs without a finding"
  else
    findings=$((findings + 1))
    echo "FINDING $name: build/fuzz/logs/$name.log"
    grep -E 'SUMMARY|runtime error|ERROR|Test unit written' "build/fuzz/logs/$name.log" | head -5 | sed 's/^/        /'
  fi
}
while [ ${#waiting[@]} -gt 0 ] || [ ${#jobs[@]} -gt 0 ]; do
  while [ ${#waiting[@]} -gt 0 ] && [ ${#jobs[@]} -lt "$JOBS" ]; do
    run "${waiting[0]}" &
    jobs[${waiting[0]}]=$!
    waiting=("${waiting[@]:1}")
  done
  sleep 0.5
  for name in "${!jobs[@]}"; do
    kill -0 "${jobs[$name]}" 2>/dev/null || finish "$name"
  done
done
[ $findings = 0 ]
