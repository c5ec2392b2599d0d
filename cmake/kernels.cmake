# Kernels are compiled once per instruction set; src/base chooses at start.
set(kernel_objects)
