# What scripts/fetch-engines has brought, as imported targets, and the speech made of it.
set(HEARTH_ENGINES ${CMAKE_SOURCE_DIR}/.engines CACHE PATH "what scripts/fetch-engines has made")
set(HEARTH_SPHINX_MODEL /usr/share/pocketsphinx/model/en-us CACHE PATH "the English model of pocketsphinx")
foreach(file ${HEARTH_ENGINES}/lib/libonnxruntime.so ${HEARTH_SPHINX_MODEL}/en-us.lm.bin)
  if(NOT EXISTS ${file})
    message(FATAL_ERROR "${file} is missing: run scripts/fetch-engines first.")
  endif()
endforeach()

# Headers only: the library is opened with dlopen, so that nothing binds to one version of it.
add_library(engines::onnxruntime INTERFACE IMPORTED GLOBAL)
target_include_directories(engines::onnxruntime SYSTEM INTERFACE ${HEARTH_ENGINES}/include/onnxruntime)
target_link_libraries(engines::onnxruntime INTERFACE ${CMAKE_DL_LIBS})

find_path(HEARTH_SPHINX_INCLUDE pocketsphinx.h PATH_SUFFIXES pocketsphinx REQUIRED)
find_library(HEARTH_POCKETSPHINX libpocketsphinx.a REQUIRED)
find_library(HEARTH_SPHINXBASE libsphinxbase.a REQUIRED)
add_library(engines::pocketsphinx INTERFACE IMPORTED GLOBAL)
target_include_directories(engines::pocketsphinx SYSTEM INTERFACE ${HEARTH_SPHINX_INCLUDE})
target_link_libraries(engines::pocketsphinx INTERFACE ${HEARTH_POCKETSPHINX} ${HEARTH_SPHINXBASE} m)

set(HEARTH_SPEECH ${CMAKE_BINARY_DIR}/speech)
set(speech ${HEARTH_SPEECH}/demo.wav ${HEARTH_SPEECH}/demo.txt ${HEARTH_SPEECH}/run-on.wav
  ${HEARTH_SPEECH}/run-on.txt ${HEARTH_SPEECH}/calibration.pcm ${HEARTH_SPEECH}/segment.pcm)
add_custom_command(OUTPUT ${speech} COMMAND ${CMAKE_SOURCE_DIR}/scripts/make-speech ${HEARTH_SPEECH}
  DEPENDS ${CMAKE_SOURCE_DIR}/scripts/make-speech VERBATIM COMMENT "Making speech")
add_custom_target(speech DEPENDS ${speech})
