# The built program against PyTorch, ONNX Runtime, FastAPI and hostile files.
[ -n "$PYTHON" ] || { echo "there is no Python environment (./dev venv says why)"; exit 1; }
"$PYTHON" -m pytest tests -q -n "$JOBS" --dist worksteal -p no:cacheprovider --junitxml="$WORK/pytest.xml" -o junit_logging=no --tb=short -rfE --disable-warnings
report "$WORK/pytest.xml"
