# The tests that name threads, under ThreadSanitizer. (Without address randomization: older kernels and sanitizers disagree about it.)
if ! build tsan lanthorn_tests >"$WORK/tsan.log" 2>&1; then
  tail -40 "$WORK/tsan.log"
  exit 1
fi
run=()
setarch "$(uname -m)" -R true 2>/dev/null && run=(setarch "$(uname -m)" -R)
TSAN_OPTIONS=halt_on_error=0:exitcode=66:second_deadlock_stack=1 "${run[@]}" build/tsan/lanthorn_tests \
  --gtest_filter='*thread*:*Thread*' --gtest_brief=1 --gtest_output="json:$WORK/tsan.json" >"$WORK/tsan.log" 2>&1
status=$?
tail -c 20000 "$WORK/tsan.log"
report "$WORK/tsan.json"
[ $status = 0 ] || count 0 1
