# The unit tests: every <file>_test.cpp beside its file. One program, so that a run is one start.
find_package(GTest REQUIRED)
file(GLOB_RECURSE test_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/*_test.cpp ${CMAKE_SOURCE_DIR}/tests/*_test.cpp)
add_executable(lanthorn_tests ${test_sources})
target_include_directories(lanthorn_tests PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR})
target_link_libraries(lanthorn_tests PRIVATE lanthorn_flags lanthorn_program GTest::gtest GTest::gtest_main)
target_compile_definitions(lanthorn_tests PRIVATE LANTHORN_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
lan_precompile(lanthorn_tests <gtest/gtest.h>)
add_test(NAME unit COMMAND lanthorn_tests)
