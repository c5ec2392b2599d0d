# A program of somebody else's, built against what `cmake --install` left: by find_package and by pkg-config.
prefix=$WORK/prefix
sanitize="-fsanitize=address,undefined"
model=examples/digits/digits_traced.pt
check "cmake --install" cmake --install "$BUILD" --prefix "$prefix"
check "the installed program says its version" "$prefix/bin/lanthorn" --version
check "examples/cpp configures with find_package(lanthorn)" cmake -S examples/cpp -B "$WORK/example" -G Ninja \
  -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS="$sanitize"
check "examples/cpp builds" cmake --build "$WORK/example"
golden=examples/digits/golden.npz
digits() { "$1" "$model" "$golden" | sed -n 's/^class \([0-9]*\),.*/\1/p' | xargs | tee /dev/stderr | grep -qx '0 1 2 3 4 5 6 7 8 9'; }
check "examples/cpp names the ten digits" digits "$WORK/example/classify"
resumes() { "$WORK/example/train" "$WORK/runs" 20 && "$WORK/example/train" "$WORK/runs" 200 | tee /dev/stderr | grep -q 'y = 3.000 x -1.000'; }
rm -rf "$WORK/runs"
check "examples/cpp trains, stops and goes on from its checkpoints" resumes
check "PyTorch opens the last of them" "$PYTHON" -c 'import sys, torch; assert torch.load(sys.argv[1], weights_only=True)["epoch"] == 199' "$WORK/runs/latest.pth"
pc=$(find "$prefix" -name lanthorn.pc -printf '%h\n' | head -1)
export PKG_CONFIG_PATH=$pc
check "examples/cpp builds with pkg-config" bash -c \
  "g++ -std=c++20 $sanitize examples/cpp/main.cpp -o '$WORK/classify' \$(pkg-config --cflags --libs --static lanthorn)"
check "and that program names the ten digits" digits "$WORK/classify"
