# What makes building fast: ccache where it is installed, and precompiled standard headers.
find_program(LANTHORN_CCACHE ccache)
if(LANTHORN_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER /usr/bin/env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_NOHASHDIR=1 CCACHE_PCH_EXTSUM=1 CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} ${LANTHORN_CCACHE})
endif()

# lan_precompile(TARGET HEADER...): the standard headers that most files use, and the given ones.
function(lan_precompile target)
  if(NOT LANTHORN_PCH)
    return()
  endif()
  set(headers <algorithm> <array> <cmath> <cstdint> <cstring> <filesystem> <functional> <map> <memory> <optional> <span> <string>
      <string_view> <unordered_map> <utility> <variant> <vector> ${ARGN})
  target_precompile_headers(${target} PRIVATE ${headers})
  set(extension gch)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    target_compile_options(${target} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
    set(extension pch)
  endif()
  # No two compilations of the same headers are equal byte for byte. This is what ccache takes for their content instead, so that
  # checkouts share its results.
  string(SHA256 content "${CMAKE_CXX_COMPILER};${CMAKE_CXX_COMPILER_VERSION};${CMAKE_BUILD_TYPE};${CMAKE_CXX_FLAGS};${LANTHORN_SANITIZE};${headers}")
  file(WRITE ${CMAKE_BINARY_DIR}/CMakeFiles/${target}.dir/cmake_pch.hxx.${extension}.sum ${content})
endfunction()
