# thread_tests: the unit tests that name threads, with the folders that threads run through and no others. It is what ./dev test builds
# with ThreadSanitizer; the whole library would take twice as long.
set(thread_folders base tensor graph ops optimize runtime)
set(thread_sources)
foreach(folder IN LISTS thread_folders)
  file(GLOB_RECURSE found CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${folder}/*.cpp)
  list(APPEND thread_sources ${found})
endforeach()
list(FILTER thread_sources EXCLUDE REGEX "_test\\.cpp$")

# Found by what they say: a test is one of these when its name has "thread" in it.
set(thread_test_sources)
foreach(folder ${thread_folders} kernels)
  file(GLOB_RECURSE found CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${folder}/*_test.cpp)
  foreach(path IN LISTS found)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
    file(STRINGS ${path} named REGEX "^TEST.*[Tt]hread" LIMIT_COUNT 1)
    if(named)
      list(APPEND thread_test_sources ${path})
    endif()
  endforeach()
endforeach()

add_executable(thread_tests EXCLUDE_FROM_ALL ${thread_test_sources} ${thread_sources} ${LAN_GENERATED}/op_table.cpp ${kernel_objects})
target_include_directories(thread_tests PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include)
target_link_libraries(thread_tests PRIVATE lanthorn_flags GTest::gtest GTest::gtest_main Threads::Threads)
target_compile_definitions(thread_tests PRIVATE LANTHORN_VERSION="${PROJECT_VERSION}" LANTHORN_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
lan_precompile(thread_tests <gtest/gtest.h>)
