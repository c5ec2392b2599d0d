# Every input that a fuzz target ever found worth keeping, in the sanitizer build.
shopt -s nullglob
for program in "$BUILD"/fuzz/replay_*; do
  target=${program##*/replay_}
  if [ -d "tests/corpus/$target" ]; then
    if "$program" "tests/corpus/$target" >"$WORK/replay.log" 2>&1; then
      inputs=$(sed -n 's/^replayed \([0-9]*\).*/\1/p' "$WORK/replay.log")
      echo "ok   $target: $inputs inputs"
      count "${inputs:-0}" 0
    else
      echo "FAIL $target"
      tail -40 "$WORK/replay.log"
      count 0 1
    fi
  else
    echo "skipped $target: no folder tests/corpus/$target"
    count 0 0 1
  fi
done
