# The kernels cross-compiled for arm64, under emulation.
emulator=$(command -v qemu-aarch64-static || command -v qemu-aarch64) || { echo "no qemu-aarch64"; exit 1; }
if ! build arm64 kernel_tests >"$WORK/arm64.log" 2>&1; then
  tail -40 "$WORK/arm64.log"
  exit 1
fi
shards=()
for ((i = 0; i < JOBS; ++i)); do
  GTEST_TOTAL_SHARDS=$JOBS GTEST_SHARD_INDEX=$i "$emulator" -L /usr/aarch64-linux-gnu build/arm64/kernel_tests \
    --gtest_brief=1 --gtest_output="json:$WORK/arm64_$i.json" >"$WORK/arm64_$i.log" 2>&1 &
  shards+=("$WORK/arm64_$i.json")
done
wait
for ((i = 0; i < JOBS; ++i)); do tail -c 20000 "$WORK/arm64_$i.log"; done
report "${shards[@]}"
