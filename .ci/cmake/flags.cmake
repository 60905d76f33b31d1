# SPDX-License-Identifier: Apache-2.0
# Flags of every target, on the interface target wasmrun_flags. No architecture flags: the baseline
# is x86-64-v1; files that need more get it by name.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_BUILD_RPATH_USE_ORIGIN ON) # no build directory in what is built
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

add_library(wasmrun_flags INTERFACE)
target_compile_options(wasmrun_flags INTERFACE
  -ffp-contract=off -fno-math-errno # a fused multiply-add is a wrong result
  -Wall -Wextra -Wshadow -Wundef -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wcast-align
  -Wdouble-promotion
  $<$<C_COMPILER_ID:Clang>:-Wconversion>
  $<$<BOOL:${WASMRUN_WERROR}>:-Werror>)
# Empty, so that a file may say "#define _GNU_SOURCE" itself.
target_compile_definitions(wasmrun_flags INTERFACE _GNU_SOURCE=)
target_link_options(wasmrun_flags INTERFACE -Wl,-z,relro,-z,now)
if(CMAKE_BUILD_TYPE STREQUAL Release)
  # Linkers can leave functions out, and put those side by side that are used together.
  target_compile_options(wasmrun_flags INTERFACE -ffunction-sections -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
else()
  target_compile_definitions(wasmrun_flags INTERFACE VM_ASSERT=1)
endif()

# VM_SANITIZED: sanitizers keep books about frames and memory, which are not to be upset.
if(WASMRUN_SANITIZE)
  # clang-19's preserve_none fails under ASan (house style B.2): plain convention, musttail kept.
  target_compile_definitions(wasmrun_flags INTERFACE VM_HANDLER_CC= VM_SANITIZED=1)
  set(sanitize -fsanitize=${WASMRUN_SANITIZE} -fno-omit-frame-pointer)
  if(WASMRUN_SANITIZE MATCHES undefined)
    list(APPEND sanitize -fno-sanitize-recover=all)
  endif()
  target_compile_options(wasmrun_flags INTERFACE ${sanitize})
  target_link_options(wasmrun_flags INTERFACE ${sanitize})
else()
  target_compile_definitions(wasmrun_flags INTERFACE VM_SANITIZED=0)
endif()
if(WASMRUN_PROFILE)
  target_compile_definitions(wasmrun_flags INTERFACE VM_PROFILE=1)
endif()
if(WASMRUN_STRESS)
  target_compile_definitions(wasmrun_flags INTERFACE VM_STRESS=1)
endif()
# 1: tail-call handlers beside the loop; 0: the portable loop alone (handlers/*.c are not compiled).
if(WASMRUN_DISPATCH STREQUAL tail)
  target_compile_definitions(wasmrun_flags INTERFACE VM_DISPATCH_TAIL=1)
else()
  target_compile_definitions(wasmrun_flags INTERFACE VM_DISPATCH_TAIL=0)
endif()
