# SPDX-License-Identifier: Apache-2.0
# The handler for crun: wasmrun.so, small, and crun-engine.so with all the rest. In the build folder
# they stand as they are installed: lib/crun/handlers/wasmrun.so, lib/wasmrun/crun-engine.so.

if(NOT common OR NOT contained)
  return()
endif()
set(crun_handlers crun/handlers)
set(crun_engine wasmrun)
add_library(crun_handler MODULE crun/handler.c crun/config.c)
add_library(crun_engine MODULE crun/engine.c crun/borrowed.c)
foreach(library crun_handler crun_engine)
  set_target_properties(${library} PROPERTIES PREFIX "")
  target_include_directories(${library} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(${library} PRIVATE wasmrun_flags)
endforeach()
set_target_properties(crun_handler PROPERTIES OUTPUT_NAME wasmrun
  LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib/${crun_handlers})
set_target_properties(crun_engine PROPERTIES OUTPUT_NAME crun-engine
  LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib/${crun_engine})
add_dependencies(crun_handler crun_engine) # one is of no use without the other
target_include_directories(crun_engine SYSTEM PRIVATE ${jansson_INCLUDE_DIRS})

# crun's own libraries have functions of the same names: ours are found by nobody, and find each
# other. Archives that are made for programs need that, too.
target_link_options(crun_engine PRIVATE -Wl,--exclude-libs,ALL -Wl,-Bsymbolic)
static_library(uv uv libuv_a.a)
static_library(ffi ffi libffi.a)
if(WASMRUN_SANITIZE OR uv MATCHES PkgConfig OR ffi MATCHES PkgConfig)
  target_link_libraries(crun_engine PRIVATE ${common})
else()
  check_linker_flag(C -fuse-ld=lld WASMRUN_HAVE_LLD)
  if(CMAKE_C_COMPILER_ID STREQUAL Clang AND WASMRUN_HAVE_LLD)
    target_link_options(crun_engine PRIVATE -fuse-ld=lld)
  endif()
  add_dependencies(crun_engine wrappers_common wasmrun_wasi wasmrun)
  # By file: nothing of what CMake would add for a target is wanted twice.
  target_link_libraries(crun_engine PRIVATE $<TARGET_FILE:wrappers_common>
    $<TARGET_FILE:wasmrun_wasi> $<TARGET_FILE:wasmrun>
    ${jansson} ${cap} ${md} ${uv} ${ffi} ${iberty})
  target_link_options(crun_engine PRIVATE -Wl,--gc-sections -Wl,--no-undefined
    -Wl,-z,pack-relative-relocs)
endif()
if(NOT WASMRUN_SANITIZE)
  target_link_options(crun_handler PRIVATE -Wl,--no-undefined)
  install(TARGETS crun_handler LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/${crun_handlers}
    COMPONENT crun-wasmrun)
  install(TARGETS crun_engine LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/${crun_engine}
    COMPONENT crun-wasmrun)
endif()
