# SPDX-License-Identifier: Apache-2.0
# Debian packages by CPack (`./dev package`): one for each install component that has a row here and
# files in this build, so a program that is not built has no package. What no row of install() can
# say is done to the staged files by stage.cmake: man pages, changelogs, dependencies. Files in the
# folder named like a component are control files of its package.

if(WASMRUN_SANITIZE)
  return()
endif()
set(WASMRUN_MAINTAINER "wasmrun maintainers <maintainers@wasmrun.example>" CACHE STRING
  "Maintainer of the Debian packages; who publishes them says who that is")
get_cmake_property(wasmrun_components COMPONENTS)
set(CPACK_COMPONENTS_ALL)
set(wasmrun_version ${PROJECT_VERSION}-1)

# wasmrun_package(<component> [NAME <package>] SECTION <section> [MULTIARCH] [STATIC] [DEPENDS …]
#   [RECOMMENDS …] [SUGGESTS …] [DOCS <files>] SUMMARY <line> TEXT <lines>)
# NAME is the component's otherwise; relations are lists, what the linker asks for is added to DEPENDS.
macro(wasmrun_package component)
  cmake_parse_arguments(arg "MULTIARCH;STATIC" "NAME;SECTION;SUMMARY"
    "TEXT;DEPENDS;RECOMMENDS;SUGGESTS;DOCS" ${ARGN})
  if("${component}" IN_LIST wasmrun_components)
    list(APPEND CPACK_COMPONENTS_ALL ${component})
    string(TOUPPER ${component} upper)
    if(NOT arg_NAME)
      set(arg_NAME ${component})
    endif()
    if(arg_MULTIARCH) # CPack has no variable for this field
      string(APPEND arg_SECTION "\nMulti-Arch: same")
    endif()
    set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${arg_NAME})
    set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION ${arg_SECTION})
    list(JOIN arg_TEXT "\n" text)
    set(CPACK_DEBIAN_${upper}_DESCRIPTION "${arg_SUMMARY}\n${text}")
    foreach(relation DEPENDS RECOMMENDS SUGGESTS)
      list(JOIN arg_${relation} ", " CPACK_DEBIAN_${upper}_PACKAGE_${relation})
    endforeach()
    set(CPACK_WASMRUN_${upper}_DOCS ${arg_DOCS})
    set(CPACK_WASMRUN_${upper}_STATIC ${arg_STATIC})
    file(GLOB CPACK_DEBIAN_${upper}_PACKAGE_CONTROL_EXTRA CONFIGURE_DEPENDS
      ${PROJECT_SOURCE_DIR}/.ci/package/${component}/*)
  endif()
endmacro()

# A shared library: whom programs linked with it depend on, and ldconfig.
macro(wasmrun_library_package component)
  set(control ${PROJECT_BINARY_DIR}/package-control/${component})
  file(WRITE ${control}/triggers "activate-noawait ldconfig\n")
  file(WRITE ${control}/shlibs
    "${component} ${PROJECT_VERSION_MAJOR} ${component}${PROJECT_VERSION_MAJOR} (>= ${PROJECT_VERSION})\n")
  wasmrun_package(${component} NAME ${component}${PROJECT_VERSION_MAJOR} SECTION libs MULTIARCH ${ARGN})
  string(TOUPPER ${component} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_CONTROL_EXTRA ${control}/triggers ${control}/shlibs)
endmacro()

wasmrun_package(wasmrun SECTION interpreters SUGGESTS binfmt-support
  SUMMARY "WebAssembly interpreter with WASI"
  TEXT "wasmrun runs WASI preview1 programs in a sandbox: it makes no machine code"
    "at run time, and a program gets the directories, variables and sockets that"
    "it is given. It also validates and inspects modules.")
wasmrun_package(wasmrun-static SECTION interpreters STATIC
  SUMMARY "WebAssembly interpreter with WASI, one static program"
  TEXT "The command wasmrun as a program without shared libraries, for images of"
    "containers that hold nothing but it and a module.")
wasmrun_library_package(libwasmrun
  SUMMARY "WebAssembly interpreter, shared library"
  TEXT "An interpreter to embed in programs, with resumable calls, limits for each"
    "guest and traps with backtraces. This package has the shared library.")
wasmrun_library_package(libwasmrun-wasi DEPENDS "libwasmrun${PROJECT_VERSION_MAJOR} (= ${wasmrun_version})"
  SUMMARY "WASI for the WebAssembly interpreter libwasmrun, shared library"
  TEXT "WASI preview1 for guests of libwasmrun: files beneath given directories,"
    "clocks, sockets, threads, and many guests on one thread. This package has"
    "the shared library.")
wasmrun_package(libwasmrun-dev SECTION libdevel MULTIARCH
  DEPENDS "libwasmrun${PROJECT_VERSION_MAJOR} (= ${wasmrun_version})"
    "libwasmrun-wasi${PROJECT_VERSION_MAJOR} (= ${wasmrun_version})" libffi-dev libuv1-dev
  SUMMARY "WebAssembly interpreter, development files"
  TEXT "Headers, static libraries, files for pkg-config and CMake of libwasmrun and"
    "libwasmrun-wasi.")
wasmrun_package(containerd-shim-wasmrun SECTION admin STATIC RECOMMENDS "containerd" "runc | crun"
  DOCS docs/containers.md
  SUMMARY "WebAssembly modules as containers of containerd"
  TEXT "The runtime io.containerd.wasmrun.v1: pods of Kubernetes and containers of"
    "containerd whose program is a WebAssembly module are interpreted in a"
    "sandbox, beside Linux containers in the same pods, which runc or crun runs.")
wasmrun_package(wasmrun-oci SECTION admin STATIC RECOMMENDS "runc | crun" DOCS docs/containers.md
  SUMMARY "OCI runtime for WebAssembly modules"
  TEXT "An OCI runtime with the command line of runc, for podman, CRI-O and"
    "containerd. Containers whose program is a WebAssembly module are interpreted"
    "in a sandbox, all others are passed on to runc or crun.")
wasmrun_package(crun-wasmrun SECTION admin DEPENDS "crun (>= 1.8)" DOCS docs/containers.md
  SUMMARY "WebAssembly modules as containers of crun"
  TEXT "A handler that crun loads: containers whose program is a WebAssembly module"
    "are interpreted by wasmrun in the container that crun has made.")
wasmrun_package(wasmrun-node SECTION admin STATIC DOCS docs/containers.md
  SUMMARY "makes a node of Kubernetes ready for WebAssembly"
  TEXT "The command wasmrun-node puts the runtimes of wasmrun into the configuration"
    "of containerd, CRI-O, k3s, RKE2, MicroK8s or k0s, takes them out again and"
    "says what is there. Installing this package changes no configuration.")

set(unpackaged ${wasmrun_components})
list(REMOVE_ITEM unpackaged ${CPACK_COMPONENTS_ALL})
if(unpackaged)
  message(STATUS "wasmrun: in no Debian package: components ${unpackaged}")
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME wasmrun)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "${WASMRUN_MAINTAINER}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR})
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/.ci/package/stage.cmake)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SOURCE wasmrun)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_WASMRUN_SOURCE ${PROJECT_SOURCE_DIR})
if(CMAKE_SYSTEM_PROCESSOR STREQUAL aarch64)
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE arm64)
elseif(CMAKE_SYSTEM_PROCESSOR STREQUAL x86_64)
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE amd64)
endif()
include(CPack)
