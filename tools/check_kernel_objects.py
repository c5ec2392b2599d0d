#!/usr/bin/env python3
"""Kernel objects must not share functions: `check_kernel_objects.py BUILD_FOLDER`.

An inline function that two objects export is kept once by the linker, and the copy it keeps may hold
AVX-512 instructions, which then run on a machine without them. So objects that are compiled per
instruction set may define strong symbols of their own namespace only, and nothing weak.
"""
import pathlib
import subprocess
import sys

# What sanitizers add to every object.
SANITIZER_PREFIXES = ("__asan_", "__odr_asan", "__ubsan_", "__tsan_", "__sanitizer_", "asan.", "tsan.",
                      ".hidden", "DW.ref.")


def findings(folder):
    objects = sorted(folder.glob("CMakeFiles/kernels_*.dir/src/kernels/isa/*.o"))
    if not objects:
        yield f"{folder}: no kernel objects here"
    for path in objects:
        level = path.parts[-5].removeprefix("kernels_").removesuffix(".dir")
        listing = subprocess.run(["nm", "-C", str(path)], check=True, capture_output=True, text=True).stdout
        for line in listing.splitlines():
            kind, name = line[17:18], line[19:]
            if name.startswith(SANITIZER_PREFIXES):
                continue
            place = f"{level}/{path.name}"
            if kind in "WVuwv":
                yield f"{place}: weak symbol {name}"
            elif kind.isupper() and kind != "U" and not name.startswith(f"lanthorn::isa_{level}::"):
                yield f"{place}: exports {name}, which is not of its own namespace"
            elif kind == "U" and (name.startswith("std::") or name.startswith("hwy::")):
                yield f"{place}: needs {name} from elsewhere"


def main():
    folder = pathlib.Path(sys.argv[1])
    found = list(findings(folder))
    for finding in found:
        print(finding)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
