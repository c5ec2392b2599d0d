# The library: levels 0 to 8. What a program needs beyond it (serve, package, cli) is in program.cmake.
set(library_folders base tensor codec graph ops script formats optimize quantize runtime model nn transform)
set(library_sources)
foreach(folder IN LISTS library_folders)
  file(GLOB_RECURSE found CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${folder}/*.cpp)
  list(APPEND library_sources ${found})
endforeach()
list(FILTER library_sources EXCLUDE REGEX "_test\\.cpp$")

# Everything but glibc is linked statically, so the archives are looked for first.
set(CMAKE_FIND_LIBRARY_SUFFIXES .a .so)
find_package(ZLIB REQUIRED)
find_package(JPEG REQUIRED)
find_package(PNG REQUIRED)
find_package(LibLZMA REQUIRED)
find_package(BZip2 REQUIRED)

# Where time is spent in kernels, or once at loading, a release prefers small code.
function(lan_prefer_small)
  set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS "$<$<CONFIG:Release>:-Os>")
endfunction()
set(small_sources ${library_sources})
list(FILTER small_sources INCLUDE REGEX "/src/(codec|graph|ops|runtime|script|formats|optimize|model|transform)/")
list(FILTER small_sources EXCLUDE REGEX "_fast\\.cpp$")
lan_prefer_small(${small_sources})

add_library(lanthorn STATIC ${library_sources} ${LAN_GENERATED}/op_table.cpp ${LAN_GENERATED}/aten_table.cpp
            ${LAN_GENERATED}/format_table.cpp ${kernel_objects})
target_include_directories(lanthorn PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>)
target_include_directories(lanthorn PRIVATE ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(lanthorn PRIVATE $<BUILD_INTERFACE:lanthorn_flags>)
target_link_libraries(lanthorn PUBLIC PNG::PNG JPEG::JPEG ZLIB::ZLIB LibLZMA::LibLZMA BZip2::BZip2 Threads::Threads)
lan_precompile(lanthorn)
target_compile_definitions(lanthorn PRIVATE LANTHORN_VERSION="${PROJECT_VERSION}")
