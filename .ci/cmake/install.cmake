# SPDX-License-Identifier: Apache-2.0
# Headers, pkg-config files, the CMake package and the man page. Libraries and programs are
# installed where they are made. Sanitizer builds are not installed.

if(WASMRUN_SANITIZE OR NOT TARGET wasmrun_shared OR NOT TARGET wasmrun_wasi_shared)
  return()
endif()
include(CMakePackageConfigHelpers)

install(FILES vm/include/wasmrun.h wasi/include/wasmrun_wasi.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES docs/wasmrun.1 docs/wasmrun-oci.1 docs/wasmrun-node.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

# Relative to the .pc file: the installed tree can be moved.
file(RELATIVE_PATH pc_include ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig
  ${CMAKE_INSTALL_FULL_INCLUDEDIR})
foreach(name wasmrun wasmrun-wasi)
  configure_file(.ci/cmake/${name}.pc.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/wasmrun)
install(EXPORT wasmrun-targets NAMESPACE wasmrun:: DESTINATION ${package_dir})
configure_file(.ci/cmake/wasmrun-config.cmake.in
  ${PROJECT_BINARY_DIR}/wasmrun-config.cmake @ONLY)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/wasmrun-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/wasmrun-config.cmake
  ${PROJECT_BINARY_DIR}/wasmrun-config-version.cmake DESTINATION ${package_dir})
