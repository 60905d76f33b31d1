# SPDX-License-Identifier: Apache-2.0
# What is installed beside bin/wasmrun: man pages, completion of three shells, written by the program
# itself, and entries for binfmt_misc.

# They are not made where the program cannot be run, nor by sanitizer builds, which are not installed.
if(NOT WASMRUN_SANITIZE AND (NOT CMAKE_CROSSCOMPILING OR CMAKE_CROSSCOMPILING_EMULATOR))
  set(scripts ${PROJECT_BINARY_DIR}/completion)
  add_custom_command(TARGET wasmrun_cli POST_BUILD
    COMMAND ${CMAKE_COMMAND} -E make_directory ${scripts}
    COMMAND ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:wasmrun_cli> completion bash >${scripts}/wasmrun
    COMMAND ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:wasmrun_cli> completion zsh >${scripts}/_wasmrun
    COMMAND ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:wasmrun_cli> completion fish >${scripts}/wasmrun.fish)
  foreach(program oci node)
    if(NOT TARGET wasmrun_${program})
      continue()
    endif()
    set(name wasmrun-${program})
    foreach(shell bash zsh fish)
      set(out_bash ${name})
      set(out_zsh _${name})
      set(out_fish ${name}.fish)
      add_custom_command(TARGET wasmrun_${program} POST_BUILD
        COMMAND ${CMAKE_COMMAND} -E make_directory ${scripts}
        COMMAND ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:wasmrun_${program}> completion ${shell}
          >${scripts}/${out_${shell}})
    endforeach()
    install(FILES ${scripts}/${name} DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
      COMPONENT ${name})
    install(FILES ${scripts}/_${name} DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions
      COMPONENT ${name})
    install(FILES ${scripts}/${name}.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d
      COMPONENT ${name})
  endforeach()
  install(FILES ${scripts}/wasmrun DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
    COMPONENT wasmrun)
  install(FILES ${scripts}/_wasmrun DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions
    COMPONENT wasmrun)
  install(FILES ${scripts}/wasmrun.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d
    COMPONENT wasmrun)
endif()

# The kernel starts this name for a module that is executed: see docs/wasmrun.1, EXECUTABLE MODULES.
add_custom_command(TARGET wasmrun_cli POST_BUILD
  COMMAND ${CMAKE_COMMAND} -E create_symlink wasmrun $<TARGET_FILE_DIR:wasmrun_cli>/wasmrun-binfmt)
install(FILES $<TARGET_FILE_DIR:wasmrun_cli>/wasmrun-binfmt DESTINATION ${CMAKE_INSTALL_BINDIR}
  COMPONENT wasmrun)
configure_file(run/binfmt.conf.in ${PROJECT_BINARY_DIR}/wasmrun-binfmt.conf @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/wasmrun-binfmt.conf
  DESTINATION lib/binfmt.d RENAME wasmrun.conf COMPONENT wasmrun)
# The same for update-binfmts, which Debian's package asks where that is there.
configure_file(run/binfmts.in ${PROJECT_BINARY_DIR}/wasmrun-binfmts @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/wasmrun-binfmts DESTINATION ${CMAKE_INSTALL_DATADIR}/binfmts
  RENAME wasmrun COMPONENT wasmrun EXCLUDE_FROM_ALL)

set(man DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${PROJECT_SOURCE_DIR}/docs/wasmrun.1 ${man} COMPONENT wasmrun)
file(WRITE ${PROJECT_BINARY_DIR}/wasmrun-binfmt.1 ".so man1/wasmrun.1\n")
install(FILES ${PROJECT_BINARY_DIR}/wasmrun-binfmt.1 ${man} COMPONENT wasmrun)
if(TARGET wasmrun_static)
  install(FILES ${PROJECT_SOURCE_DIR}/docs/wasmrun.1 ${man} RENAME wasmrun-static.1
    COMPONENT wasmrun-static)
endif()
foreach(program oci node)
  if(TARGET wasmrun_${program})
    install(FILES ${PROJECT_SOURCE_DIR}/docs/wasmrun-${program}.1 ${man} COMPONENT wasmrun-${program})
  endif()
endforeach()
if(TARGET containerd_shim)
  install(FILES ${PROJECT_SOURCE_DIR}/docs/containerd-shim-wasmrun-v1.1 ${man}
    COMPONENT containerd-shim-wasmrun)
endif()
