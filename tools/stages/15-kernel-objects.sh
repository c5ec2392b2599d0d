# Objects compiled for one instruction set share no function with others.
check "kernel objects share no functions" python3 tools/check_kernel_objects.py "$BUILD"
