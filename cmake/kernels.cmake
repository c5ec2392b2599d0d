# Kernels: src/kernels/*.cpp are drivers, compiled once; src/kernels/isa/*.cpp are loops, compiled once
# per instruction set into the namespace that LAN_ISA names. src/base chooses at start.
file(GLOB kernel_objects CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/kernels/*.cpp)
list(FILTER kernel_objects EXCLUDE REGEX "_test\\.cpp$")
file(GLOB kernel_isa_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/kernels/isa/*.cpp)
find_path(HWY_INCLUDE_DIR hwy/highway.h REQUIRED)

set(kernel_isa_targets)
function(lan_kernel_level name)
  set(target kernels_${name})
  set(sources ${kernel_isa_sources})
  if(name STREQUAL "avx512_vnni_bf16")
    # The instructions that this level adds serve products of bf16 and int8 only; all else is avx512's.
    list(FILTER sources INCLUDE REGEX "/low_precision\\.cpp$")
  endif()
  add_library(${target} OBJECT ${sources})
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_include_directories(${target} SYSTEM PRIVATE ${HWY_INCLUDE_DIR})
  target_compile_definitions(${target} PRIVATE LAN_ISA=isa_${name} HWY_COMPILE_ONLY_STATIC)
  # Always optimized: a build for tests runs every kernel over thousands of shapes. No contraction of
  # a * b + c where the source does not say so: levels would differ for no gain.
  target_compile_options(${target} PRIVATE -Wall -Wextra -Werror -O2 -g0 -ffp-contract=off
    -fno-exceptions -fno-asynchronous-unwind-tables -fno-unwind-tables -fno-rtti -fno-stack-protector -fvisibility=hidden ${ARGN})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE -Wno-psabi -fno-gcse)
  endif()
  if(LANTHORN_SANITIZE)
    # Highway's own checks, on in sanitizer builds, would need its shared library since 1.2.
    target_compile_definitions(${target} PRIVATE HWY_IS_DEBUG_BUILD=0)
  endif()
  # Sanitizers inline a check at every access of these unrolled loops, which takes minutes a file to
  # compile. Checks by call keep what matters here, reads and writes outside of arrays.
  if(LANTHORN_FUZZ)
    target_compile_options(${target} PRIVATE -fno-sanitize=all)
  elseif(LANTHORN_SANITIZE MATCHES "address" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE -fno-sanitize=undefined
      "SHELL:--param asan-instrumentation-with-call-threshold=0" "SHELL:--param asan-stack=0")
  endif()
  set(kernel_isa_targets ${kernel_isa_targets} ${target} PARENT_SCOPE)
endfunction()

if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(avx2_flags -mavx2 -mfma -mf16c -mbmi -mbmi2 -maes -mpclmul)
  set(avx512_flags ${avx2_flags} -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512cd
      -mprefer-vector-width=512)
  lan_kernel_level(baseline)
  lan_kernel_level(avx2 ${avx2_flags})
  lan_kernel_level(avx512 ${avx512_flags})
  lan_kernel_level(avx512_vnni_bf16 ${avx512_flags} -mavx512vnni -mavx512bf16)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  # Highway 1.0.3 compiles its NEON for processors with AES, though nothing here uses that.
  lan_kernel_level(neon -march=armv8-a+crypto)
else()
  lan_kernel_level(baseline)
endif()
foreach(target IN LISTS kernel_isa_targets)
  list(APPEND kernel_objects $<TARGET_OBJECTS:${target}>)
endforeach()
