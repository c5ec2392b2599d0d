# base and kernels with their tests and nothing else: what tools/test_arm64.sh cross-compiles, and a
# quick build for work on kernels.
file(GLOB kernels_only_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/base/*.cpp)
file(GLOB kernels_only_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/base/*_test.cpp
     ${CMAKE_SOURCE_DIR}/src/kernels/*_test.cpp)
list(FILTER kernels_only_sources EXCLUDE REGEX "_test\\.cpp$")

# The distribution has GoogleTest's library for the machine itself only; its sources build anywhere.
add_library(gtest_from_source STATIC /usr/src/googletest/googletest/src/gtest-all.cc
            /usr/src/googletest/googletest/src/gtest_main.cc)
target_include_directories(gtest_from_source SYSTEM PUBLIC /usr/src/googletest/googletest/include)
target_include_directories(gtest_from_source PRIVATE /usr/src/googletest/googletest)

find_package(Threads REQUIRED)
add_library(kernels_only STATIC ${kernels_only_sources} ${kernel_objects})
target_include_directories(kernels_only PUBLIC ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include)
target_link_libraries(kernels_only PUBLIC Threads::Threads PRIVATE lanthorn_flags)
add_executable(kernel_tests ${kernels_only_tests})
target_link_libraries(kernel_tests PRIVATE lanthorn_flags kernels_only gtest_from_source)
target_compile_definitions(kernel_tests PRIVATE LANTHORN_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
if(LANTHORN_BENCH)
  file(GLOB kernel_bench_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bench/kernels/*.cpp)
  add_executable(kernel_bench ${kernel_bench_sources})
  target_link_libraries(kernel_bench PRIVATE lanthorn_flags kernels_only)
endif()
