# The tests that name threads, under ThreadSanitizer. (Without address randomization: older kernels and sanitizers disagree about it.)
started=$SECONDS
if ! build tsan thread_tests 2>&1 | tee "$WORK/tsan.log" | progress; then
  tail -40 "$WORK/tsan.log"
  exit 1
fi
echo "built in $((SECONDS - started)) s"
run=()
setarch "$(uname -m)" -R true 2>/dev/null && run=(setarch "$(uname -m)" -R)
TSAN_OPTIONS=halt_on_error=0:exitcode=66:second_deadlock_stack=1 "${run[@]}" build/tsan/thread_tests \
  --gtest_filter='*thread*:*Thread*' --gtest_brief=1 --gtest_output="json:$WORK/tsan.json" >"$WORK/tsan.log" 2>&1
status=$?
tail -c 20000 "$WORK/tsan.log"
report "$WORK/tsan.json"
[ $status = 0 ] || count 0 1
