# `cmake --install`: the program, the library with its headers, a CMake package (lanthorn::lanthorn) and a pkg-config file.
include(CMakePackageConfigHelpers)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/lanthorn)
install(TARGETS lanthorn_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS lanthorn EXPORT lanthorn ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/lanthorn DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT lanthorn NAMESPACE lanthorn:: DESTINATION ${package_folder} FILE lanthornTargets.cmake)
configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/lanthornConfig.cmake.in ${LAN_GENERATED}/lanthornConfig.cmake
                              INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${LAN_GENERATED}/lanthornConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${LAN_GENERATED}/lanthornConfig.cmake ${LAN_GENERATED}/lanthornConfigVersion.cmake DESTINATION ${package_folder})
configure_file(${CMAKE_SOURCE_DIR}/cmake/lanthorn.pc.in ${LAN_GENERATED}/lanthorn.pc @ONLY)
install(FILES ${LAN_GENERATED}/lanthorn.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
