# SPDX-License-Identifier: Apache-2.0
# Run by CPack when the files of all components are staged, before they become packages: copyright,
# changelogs and pages in share/doc, compressed man pages, plain paths for pkg-config, overrides of
# lintian, modes of folders, and what the linker says of dependencies.

# Time of the changelog's entry: SOURCE_DATE_EPOCH if that is set.
set(ENV{LC_ALL} C)
string(TIMESTAMP now "%a, %d %b %Y %H:%M:%S +0000" UTC)
set(version ${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})

function(compress file)
  execute_process(COMMAND gzip -9nf ${file} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# Libraries that a program of ours needs come from packages of the system, whose files say which;
# our own ones are on nobody's list and are named in package.cmake.
function(linked_with out root)
  file(GLOB_RECURSE files LIST_DIRECTORIES FALSE ${root}/usr/bin/* ${root}/usr/lib/*)
  set(binaries)
  foreach(file IN LISTS files)
    if(NOT IS_SYMLINK ${file})
      file(READ ${file} magic LIMIT 4 HEX)
      if(magic STREQUAL 7f454c46)
        list(APPEND binaries ${file})
      endif()
    endif()
  endforeach()
  set(${out} "" PARENT_SCOPE)
  if(NOT binaries)
    return()
  endif()
  file(GLOB ours ${CPACK_TEMPORARY_DIRECTORY}/libwasmrun*/usr/lib/*/libwasmrun*.so.*)
  set(folders)
  foreach(file IN LISTS ours)
    get_filename_component(folder ${file} DIRECTORY)
    list(APPEND folders -l${folder})
  endforeach()
  file(WRITE ${CPACK_TOPLEVEL_DIRECTORY}/shlibdeps/debian/control "")
  execute_process(COMMAND dpkg-shlibdeps -O --ignore-missing-info ${folders} ${binaries}
    WORKING_DIRECTORY ${CPACK_TOPLEVEL_DIRECTORY}/shlibdeps OUTPUT_VARIABLE text ERROR_VARIABLE errors
    RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "dpkg-shlibdeps: ${errors}")
  endif()
  if(text MATCHES "shlibs:Depends=([^\n]*)")
    set(${out} ${CMAKE_MATCH_1} PARENT_SCOPE)
  endif()
endfunction()

foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  string(TOUPPER ${component} upper)
  set(package ${CPACK_DEBIAN_${upper}_PACKAGE_NAME})
  set(root ${CPACK_TEMPORARY_DIRECTORY}/${component})
  set(doc ${root}/usr/share/doc/${package})
  foreach(file .ci/package/copyright ${CPACK_WASMRUN_${upper}_DOCS})
    file(COPY ${CPACK_WASMRUN_SOURCE}/${file} DESTINATION ${doc})
  endforeach()
  file(COPY_FILE ${CPACK_WASMRUN_SOURCE}/CHANGELOG.md ${doc}/changelog)
  file(WRITE ${doc}/changelog.Debian "wasmrun (${version}) unstable; urgency=medium

  * Packages made by the build of wasmrun itself: see changelog.gz.

 -- ${CPACK_PACKAGE_CONTACT}  ${now}
")
  compress(${doc}/changelog)
  compress(${doc}/changelog.Debian)
  if(EXISTS ${root}/usr/share/zsh/site-functions) # elsewhere in Debian
    file(RENAME ${root}/usr/share/zsh/site-functions ${root}/usr/share/zsh/vendor-completions)
  endif()
  # These are never moved, and pkg-config leaves out folders that are the compiler's anyway.
  file(GLOB pcs RELATIVE ${root} ${root}/usr/lib/*/pkgconfig/*.pc)
  foreach(pc IN LISTS pcs)
    string(REGEX REPLACE "/pkgconfig/.*" "" libdir /${pc})
    file(READ ${root}/${pc} text)
    string(REGEX REPLACE "libdir=[^\n]*\nincludedir=[^\n]*" "libdir=${libdir}\nincludedir=/usr/include" text "${text}")
    file(WRITE ${root}/${pc} "${text}")
  endforeach()
  file(GLOB_RECURSE pages LIST_DIRECTORIES FALSE ${root}/usr/share/man/*)
  foreach(page IN LISTS pages)
    compress(${page})
  endforeach()
  if(CPACK_WASMRUN_${upper}_STATIC)
    file(WRITE ${root}/usr/share/lintian/overrides/${package} "# A static program that is loaded anywhere, which is no library.
${package}: shared-library-lacks-prerequisites
${package}: statically-linked-binary
")
  endif()
  execute_process(COMMAND find ${root} -type d -exec chmod 755 {} + COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND find ${root}/usr/share -type f -exec chmod 644 {} + COMMAND_ERROR_IS_FATAL ANY)
  linked_with(linked ${root})
  set(depends ${linked} ${CPACK_DEBIAN_${upper}_PACKAGE_DEPENDS})
  list(JOIN depends ", " CPACK_DEBIAN_${upper}_PACKAGE_DEPENDS)
endforeach()
