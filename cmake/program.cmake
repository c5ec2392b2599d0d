# The program: levels 9 and 10 on top of the library. glibc stays dynamic, everything else is static.
file(GLOB_RECURSE program_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/serve/*.cpp ${CMAKE_SOURCE_DIR}/src/package/*.cpp
     ${CMAKE_SOURCE_DIR}/src/cli/*.cpp)
list(FILTER program_sources EXCLUDE REGEX "_test\\.cpp$")
set(program_main ${CMAKE_SOURCE_DIR}/src/cli/main.cpp)
list(REMOVE_ITEM program_sources ${program_main})
add_library(lanthorn_program STATIC ${program_sources} ${LAN_GENERATED}/command_table.cpp)
target_include_directories(lanthorn_program PUBLIC ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(lanthorn_program PRIVATE lanthorn_flags PUBLIC lanthorn)
target_compile_definitions(lanthorn_program PRIVATE LANTHORN_VERSION="${PROJECT_VERSION}")
lan_precompile(lanthorn_program)

add_executable(lanthorn_cli ${program_main})
set_target_properties(lanthorn_cli PROPERTIES OUTPUT_NAME lanthorn RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
target_link_libraries(lanthorn_cli PRIVATE lanthorn_flags lanthorn_program)
if(NOT LANTHORN_SANITIZE)
  target_link_options(lanthorn_cli PRIVATE -static-libstdc++ -static-libgcc)
endif()
