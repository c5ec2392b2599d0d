# GoogleTest, split over the processors. What failed is printed; what passed is only counted.
[ -x "$BUILD/lanthorn_tests" ] || { echo "lanthorn_tests was not built"; exit 1; }
shards=()
for ((i = 0; i < JOBS; ++i)); do
  GTEST_TOTAL_SHARDS=$JOBS GTEST_SHARD_INDEX=$i "$BUILD/lanthorn_tests" --gtest_brief=1 --gtest_output="json:$WORK/unit$i.json" >"$WORK/unit$i.log" 2>&1 &
  shards+=("$WORK/unit$i.json")
done
wait
for ((i = 0; i < JOBS; ++i)); do tail -c 20000 "$WORK/unit$i.log"; done
report "${shards[@]}"
