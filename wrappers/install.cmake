# SPDX-License-Identifier: Apache-2.0
# What is installed beside bin/wasmrun: completion of three shells, written by the program itself, and
# an entry for binfmt_misc.

# They are not made where the program cannot be run, nor by sanitizer builds, which are not installed.
if(NOT WASMRUN_SANITIZE AND (NOT CMAKE_CROSSCOMPILING OR CMAKE_CROSSCOMPILING_EMULATOR))
  set(scripts ${PROJECT_BINARY_DIR}/completion)
  add_custom_command(TARGET wasmrun_cli POST_BUILD
    COMMAND ${CMAKE_COMMAND} -E make_directory ${scripts}
    COMMAND ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:wasmrun_cli> completion bash >${scripts}/wasmrun
    COMMAND ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:wasmrun_cli> completion zsh >${scripts}/_wasmrun
    COMMAND ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:wasmrun_cli> completion fish >${scripts}/wasmrun.fish)
  if(TARGET wasmrun_oci)
    foreach(shell bash zsh fish)
      set(out_bash wasmrun-oci)
      set(out_zsh _wasmrun-oci)
      set(out_fish wasmrun-oci.fish)
      add_custom_command(TARGET wasmrun_oci POST_BUILD
        COMMAND ${CMAKE_COMMAND} -E make_directory ${scripts}
        COMMAND ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:wasmrun_oci> completion ${shell}
          >${scripts}/${out_${shell}})
    endforeach()
    install(FILES ${scripts}/wasmrun-oci
      DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
    install(FILES ${scripts}/_wasmrun-oci DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
    install(FILES ${scripts}/wasmrun-oci.fish
      DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
  endif()
  install(FILES ${scripts}/wasmrun DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${scripts}/_wasmrun DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  install(FILES ${scripts}/wasmrun.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endif()

# The kernel starts this name for a module that is executed: see docs/wasmrun.1, EXECUTABLE MODULES.
add_custom_command(TARGET wasmrun_cli POST_BUILD
  COMMAND ${CMAKE_COMMAND} -E create_symlink wasmrun $<TARGET_FILE_DIR:wasmrun_cli>/wasmrun-binfmt)
install(FILES $<TARGET_FILE_DIR:wasmrun_cli>/wasmrun-binfmt DESTINATION ${CMAKE_INSTALL_BINDIR})
configure_file(run/binfmt.conf.in ${PROJECT_BINARY_DIR}/wasmrun-binfmt.conf @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/wasmrun-binfmt.conf
  DESTINATION lib/binfmt.d RENAME wasmrun.conf)
