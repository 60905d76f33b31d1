# SPDX-License-Identifier: Apache-2.0
# Helpers that register ctest entries. A test that lacks its data prints SKIPPED and returns 77.

set(WASMRUN_BACKENDS loop)
if(WASMRUN_DISPATCH STREQUAL tail)
  set(WASMRUN_BACKENDS "tail loop")
endif()
# What tests find in their environment.
set(WASMRUN_TEST_ENVIRONMENT
  WASMRUN_SHARED=${WASMRUN_SHARED_DIR}
  WASMRUN=${PROJECT_BINARY_DIR}/bin/wasmrun
  "WASMRUN_BACKENDS=${WASMRUN_BACKENDS}") # "tail loop" or "loop"
if(EXISTS ${WASMRUN_SHARED_DIR}/spectest/json)
  list(APPEND WASMRUN_TEST_ENVIRONMENT WASMRUN_SPECTEST_DIR=${WASMRUN_SHARED_DIR}/spectest/json)
endif()

function(wasmrun_test_properties name labels timeout)
  set_tests_properties(${name} PROPERTIES
    LABELS "${labels}" TIMEOUT ${timeout} SKIP_RETURN_CODE 77
    ENVIRONMENT "${WASMRUN_TEST_ENVIRONMENT}")
endfunction()

# A cmocka program: one executable from one file. LINK are targets or $<TARGET_OBJECTS:…>.
function(wasmrun_unit_test file)
  cmake_parse_arguments(arg "" "LABEL" "SOURCES;INCLUDE;LINK" ${ARGN})
  get_filename_component(name ${file} NAME_WE)
  add_executable(${name} ${file} ${arg_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  target_include_directories(${name} PRIVATE ${arg_INCLUDE})
  target_link_libraries(${name} PRIVATE wasmrun_flags PkgConfig::cmocka ${arg_LINK} Threads::Threads m)
  add_test(NAME ${name} COMMAND ${name})
  wasmrun_test_properties(${name} "unit;${arg_LABEL}" 120)
endfunction()

# wasmrun_counted_test(<name> LABEL <label> [TIMEOUT <seconds>] [DATA <path>] COMMAND …): a script or
# program that ends with 'N passed, N failed, N skipped'; skipped when DATA is absent.
function(wasmrun_counted_test name)
  cmake_parse_arguments(arg "" "LABEL;TIMEOUT;DATA" "COMMAND" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  if(arg_DATA)
    list(PREPEND arg_COMMAND ${PROJECT_SOURCE_DIR}/.ci/checks/with-data ${arg_DATA})
  endif()
  add_test(NAME ${name} COMMAND ${arg_COMMAND} WORKING_DIRECTORY ${PROJECT_BINARY_DIR})
  wasmrun_test_properties(${name} "${arg_LABEL}" ${arg_TIMEOUT})
endfunction()
