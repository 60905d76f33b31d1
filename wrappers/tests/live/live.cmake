# SPDX-License-Identifier: Apache-2.0
# Live tests: containerd, runc and the shim as root, one after the other; `./dev test --all` runs
# them once, for the release preset (label live), no other suite does.

if(CMAKE_CROSSCOMPILING OR WASMRUN_SANITIZE OR NOT TARGET containerd_shim OR NOT TARGET wasi_guests
   OR NOT TARGET wasmrun_oci OR NOT TARGET wasmrun_node)
  return()
endif()
set(live ${CMAKE_CURRENT_SOURCE_DIR}/tests/live)
set(live_guests ${PROJECT_BINARY_DIR}/live)
file(MAKE_DIRECTORY ${live_guests})
set(live_compile ${WASM_CLANG} --target=wasm32-wasi -std=gnu17 -O2 -Wall -Wextra
  -I${PROJECT_SOURCE_DIR}/wasi/tests -Wl,--strip-debug)
# Without a C library: Debian's is not made for threads.
set(live_flags_threads -matomics -mbulk-memory -nostdlib -Wl,--import-memory,--shared-memory
  -Wl,--max-memory=1048576,--no-entry)
file(GLOB sources CONFIGURE_DEPENDS ${live}/guests/*.c)
set(programs)
foreach(source IN LISTS sources)
  get_filename_component(name ${source} NAME_WE)
  add_custom_command(OUTPUT ${live_guests}/${name}.wasm
    COMMAND ${live_compile} ${live_flags_${name}} -o ${live_guests}/${name}.wasm ${source}
    DEPENDS ${source} ${PROJECT_SOURCE_DIR}/wasi/tests/guests/we.h VERBATIM)
  list(APPEND programs ${live_guests}/${name}.wasm)
endforeach()
add_custom_target(live_guests ALL DEPENDS ${programs})

# The interpreter that Debian's modules (grpc, protobuf) are for, not the first one in PATH.
find_program(WASMRUN_PYTHON_DEBIAN NAMES python3 PATHS /usr/bin NO_DEFAULT_PATH)
find_program(WASMRUN_PYTHON_DEBIAN NAMES python3)
mark_as_advanced(WASMRUN_PYTHON_DEBIAN)
foreach(name ctr cri shim hostile crash death churn oci bad systemd rootless podman roads node artifact otel static docs)
  wasmrun_counted_test(live_${name} LABEL live TIMEOUT 300
    COMMAND ${WASMRUN_PYTHON_DEBIAN} ${live}/live_${name}.py --build ${PROJECT_BINARY_DIR})
  set_tests_properties(live_${name} PROPERTIES RUN_SERIAL TRUE)
endforeach()
if(TARGET crun_handler)
  wasmrun_counted_test(live_crun LABEL live TIMEOUT 300
    COMMAND ${WASMRUN_PYTHON_DEBIAN} ${live}/live_crun.py --build ${PROJECT_BINARY_DIR} --cycles 50)
  wasmrun_counted_test(live_crun_podman LABEL live TIMEOUT 300
    COMMAND ${WASMRUN_PYTHON_DEBIAN} ${live}/live_podman.py --build ${PROJECT_BINARY_DIR} --runtime crun)
  set_tests_properties(live_crun live_crun_podman PROPERTIES RUN_SERIAL TRUE)
endif()
# The same through runc's shim and our OCI runtime.
foreach(name ctr cri crash)
  wasmrun_counted_test(live_oci_${name} LABEL live TIMEOUT 300
    COMMAND ${WASMRUN_PYTHON_DEBIAN} ${live}/live_${name}.py --build ${PROJECT_BINARY_DIR}
      --runtime wasmrun-oci)
  set_tests_properties(live_oci_${name} PROPERTIES RUN_SERIAL TRUE)
endforeach()
