# The order in the house: include levels, file sizes, names.
python3 tools/check_structure.py | tee "$WORK/structure"
if read -r passed failed < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$WORK/structure"); then
  count "$passed" "$failed"
else
  echo "the checks ended before they counted"
  count 0 1
fi
