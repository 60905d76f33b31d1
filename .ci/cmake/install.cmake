# SPDX-License-Identifier: Apache-2.0
# Headers, pkg-config files and the CMake package. Libraries, programs and man pages are
# installed where they are made. Sanitizer builds are not installed.

if(WASMRUN_SANITIZE OR NOT TARGET wasmrun_shared OR NOT TARGET wasmrun_wasi_shared)
  return()
endif()
include(CMakePackageConfigHelpers)

install(FILES vm/include/wasmrun.h wasi/include/wasmrun_wasi.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT libwasmrun-dev)

# Relative to the .pc file: the installed tree can be moved.
file(RELATIVE_PATH pc_include ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig
  ${CMAKE_INSTALL_FULL_INCLUDEDIR})
foreach(name wasmrun wasmrun-wasi)
  configure_file(.ci/cmake/${name}.pc.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT libwasmrun-dev)
endforeach()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/wasmrun)
install(EXPORT wasmrun-targets NAMESPACE wasmrun:: DESTINATION ${package_dir}
  COMPONENT libwasmrun-dev)
configure_file(.ci/cmake/wasmrun-config.cmake.in
  ${PROJECT_BINARY_DIR}/wasmrun-config.cmake @ONLY)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/wasmrun-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/wasmrun-config.cmake
  ${PROJECT_BINARY_DIR}/wasmrun-config-version.cmake DESTINATION ${package_dir}
  COMPONENT libwasmrun-dev)
