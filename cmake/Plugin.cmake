# hearth_plugin(NAME audio.vad SOURCES vad.c ...        the program plugin-audio.vad, linked with the host stub
#   [STATIC]                                             no loader, no libraries: the smallest sandbox
#   [LINK library ...]                                   what it links
#   [LOADS /path/lib.so ...]                             what it opens with dlopen
#   [MODELS path=file ...] [DATA path=file ...]          files of the bundle and where they come from
#   [OUTPUT directory])                                  default: build/<preset>/plugins
#
# Stages OUTPUT/NAME: the program, its loader and whole library closure, models, data, and
# plugin.toml (from the current source directory, or MANIFEST) with a [[file]] entry for each.
function(hearth_plugin)
  cmake_parse_arguments(ARG "STATIC" "NAME;OUTPUT;MANIFEST" "SOURCES;LINK;LOADS;MODELS;DATA" ${ARGN})
  if(NOT ARG_OUTPUT)
    set(ARG_OUTPUT ${CMAKE_BINARY_DIR}/plugins)
  endif()
  if(NOT ARG_MANIFEST)
    set(ARG_MANIFEST ${CMAKE_CURRENT_SOURCE_DIR}/plugin.toml)
  endif()
  set(script ${CMAKE_SOURCE_DIR}/cmake/StagePlugin.cmake)
  set(target plugin-${ARG_NAME})
  add_executable(${target} ${ARG_SOURCES})
  target_link_libraries(${target} PRIVATE hearth-plugin-host ${ARG_LINK} hearth-warnings)
  set_target_properties(${target} PROPERTIES SKIP_BUILD_RPATH ON
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  target_link_options(${target} PRIVATE -Wl,--strip-all)  # every byte is hashed and copied at each start
  if(ARG_STATIC)
    target_link_options(${target} PRIVATE -static)
  else()
    # DT_RPATH, not DT_RUNPATH: it also holds for what the libraries themselves need.
    target_link_options(${target} PRIVATE -Wl,--disable-new-dtags -Wl,-rpath,/lib)
  endif()

  set(stage ${ARG_OUTPUT}/${ARG_NAME})
  set(inputs ${ARG_MANIFEST} ${ARG_LOADS} ${script})
  foreach(pair ${ARG_MODELS} ${ARG_DATA})
    string(REGEX REPLACE "^[^=]*=" "" file ${pair})
    list(APPEND inputs ${file})
  endforeach()
  add_custom_command(OUTPUT ${stage}/plugin.toml
    COMMAND ${CMAKE_COMMAND} -DSTAGE=${stage} -DMANIFEST=${ARG_MANIFEST} -DPROGRAM=$<TARGET_FILE:${target}>
      -DREADELF=${CMAKE_READELF} "-DLOADS=${ARG_LOADS}" "-DMODELS=${ARG_MODELS}"
      "-DDATA=${ARG_DATA}" -P ${script}
    DEPENDS ${target} ${inputs} VERBATIM COMMENT "Staging plugin ${ARG_NAME}")
  add_custom_target(stage-${ARG_NAME} ALL DEPENDS ${stage}/plugin.toml)
  if(NOT TARGET all-plugins)
    add_custom_target(all-plugins)
  endif()
  add_dependencies(all-plugins stage-${ARG_NAME})
endfunction()
