# SPDX-License-Identifier: Apache-2.0
# Cross build with clang-19 and Debian's multiarch libraries; programs run under qemu-user. Needs:
#   dpkg --add-architecture arm64 && apt-get update
#   apt-get install qemu-user libc6-dev:arm64 libgcc-12-dev:arm64 libffi-dev:arm64 libuv1-dev:arm64
#     libjansson-dev:arm64 libiberty-dev:arm64 libcmocka-dev:arm64 libcap-dev:arm64 libmd-dev:arm64
#     libprotobuf-c-dev:arm64 protobuf-c-compiler
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER clang-19)
set(CMAKE_C_COMPILER_TARGET aarch64-linux-gnu)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_OBJCOPY llvm-objcopy-19)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64)
set(CMAKE_EXE_LINKER_FLAGS_INIT -fuse-ld=lld)
set(CMAKE_SHARED_LINKER_FLAGS_INIT -fuse-ld=lld)
set(CMAKE_MODULE_LINKER_FLAGS_INIT -fuse-ld=lld)
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)
