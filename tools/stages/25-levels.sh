# The runtime at every instruction set that this machine has (the kernels' own tests go through all of them by themselves), and one model
# from file to numbers at each.
levels=$("$LANTHORN" --version | sed -n 's/^instruction sets: \(.*\) (using.*/\1/p')
all="baseline avx2 avx512 avx512_vnni_bf16"
[ "$(uname -m)" = x86_64 ] || all=neon
for level in $all; do
  if [[ " $levels " != *" $level "* ]]; then
    echo "skipped $level: this machine does not have it"
    count 0 0 1
    continue
  fi
  echo "$level runs natively"
  export LANTHORN_ISA=$level
  "$BUILD/lanthorn_tests" --gtest_filter='executable.*:session.*:optimize.random*' --gtest_brief=1 --gtest_output="json:$WORK/$level.json" >"$WORK/$level.log" 2>&1
  tail -c 5000 "$WORK/$level.log"
  report "$WORK/$level.json"
  for model in digits_traced.pt digits.onnx; do
    check "$level: $model gives PyTorch's numbers" "$LANTHORN" run "examples/digits/$model" --inputs examples/digits/golden.npz --expect examples/digits/golden.npz
  done
  check "$level: digits.onnx in bfloat16 is near them" "$LANTHORN" run examples/digits/digits.onnx --precision bf16 --inputs examples/digits/golden.npz --expect examples/digits/golden.npz --tolerance 2e-2
done
"$BUILD/lanthorn_tests" --gtest_filter='low_precision.the_log_names*' --gtest_brief=1 2>/dev/null | grep -E 'native|emulated'
