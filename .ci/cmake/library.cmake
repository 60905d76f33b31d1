# SPDX-License-Identifier: Apache-2.0
# wasmrun_library(<target> OUTPUT <name> EXPORT <name> OBJECTS <object libraries…> LINK <libraries…>)
# makes <target> (static, used by everything in the tree) and <target>_shared (the .so), and
# installs both: wasmrun::<name> is the shared one, wasmrun::<name>_static the archive.

# The static archive holds one relocatable object whose hidden symbols are local, so that linking it
# adds nothing but the public API to a program's symbols. Sanitizer and debug builds skip that.
function(wasmrun_library target)
  cmake_parse_arguments(arg "" "OUTPUT;EXPORT" "OBJECTS;INCLUDE;LINK" ${ARGN})
  set(objects)
  foreach(name IN LISTS arg_OBJECTS)
    list(APPEND objects $<TARGET_OBJECTS:${name}>)
  endforeach()

  if(CMAKE_BUILD_TYPE STREQUAL Release AND NOT WASMRUN_SANITIZE)
    set(merged ${CMAKE_CURRENT_BINARY_DIR}/${target}.o)
    set(raw ${CMAKE_CURRENT_BINARY_DIR}/${target}-all.o)
    set(cross)
    if(CMAKE_C_COMPILER_TARGET)
      set(cross --target=${CMAKE_C_COMPILER_TARGET} -fuse-ld=lld)
    endif()
    add_custom_command(OUTPUT ${merged}
      COMMAND ${CMAKE_C_COMPILER} ${cross} -r -nostdlib -o ${raw} ${objects}
      COMMAND ${CMAKE_OBJCOPY} --localize-hidden ${raw} ${merged}
      DEPENDS ${objects} COMMAND_EXPAND_LISTS VERBATIM
      COMMENT "Merging ${target}.o")
    set_source_files_properties(${merged} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
    add_library(${target} STATIC ${merged})
    set_target_properties(${target} PROPERTIES LINKER_LANGUAGE C)
  else()
    add_library(${target} STATIC ${objects})
    set_target_properties(${target} PROPERTIES LINKER_LANGUAGE C)
  endif()
  add_library(${target}_shared SHARED ${objects})
  # A guest may be running when the last handle is closed: the library stays mapped.
  target_link_options(${target}_shared PRIVATE -Wl,-z,nodelete,--no-undefined
    -Wl,--version-script=${PROJECT_SOURCE_DIR}/.ci/cmake/exports.map)
  set_target_properties(${target}_shared PROPERTIES
    LINK_DEPENDS ${PROJECT_SOURCE_DIR}/.ci/cmake/exports.map)
  if(WASMRUN_SANITIZE)
    set_target_properties(${target}_shared PROPERTIES EXCLUDE_FROM_ALL ON)
  endif()
  foreach(lib ${target} ${target}_shared)
    target_include_directories(${lib} PUBLIC $<BUILD_INTERFACE:${arg_INCLUDE}> $<INSTALL_INTERFACE:include>)
    set_target_properties(${lib} PROPERTIES OUTPUT_NAME ${arg_OUTPUT})
  endforeach()
  target_link_libraries(${target} PUBLIC ${arg_LINK})
  target_link_libraries(${target}_shared PRIVATE $<BUILD_INTERFACE:wasmrun_flags>)
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${arg_EXPORT}_static)
  set_target_properties(${target}_shared PROPERTIES LINKER_LANGUAGE C EXPORT_NAME ${arg_EXPORT}
    SOVERSION ${PROJECT_VERSION_MAJOR} VERSION ${PROJECT_VERSION})
  if(NOT WASMRUN_SANITIZE)
    install(TARGETS ${target} ${target}_shared EXPORT wasmrun-targets
      ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT libwasmrun-dev
      LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT lib${arg_OUTPUT}
        NAMELINK_COMPONENT libwasmrun-dev)
  endif()
endfunction()
