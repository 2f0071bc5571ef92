# hearth_floor(NAME DEPENDS ...): the library of one floor, from every .cc and .capnp below it.
# hearth_tests(FLOOR ...): its test program, from tests/FLOOR/*-test.cc, each case a ctest test.
include(Catch)

function(hearth_floor name)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  file(GLOB_RECURSE schemas CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR}
    ${CMAKE_CURRENT_SOURCE_DIR}/*.capnp)
  add_library(hearth-${name} STATIC ${sources})
  target_include_directories(hearth-${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(hearth-${name} PUBLIC ${ARG_DEPENDS} PRIVATE hearth-warnings)
  if(schemas)
    # Generated into build/generated, included as "floor/name.capnp.h".
    set(CAPNPC_OUTPUT_DIR ${CMAKE_BINARY_DIR}/generated)
    set(CAPNPC_SRC_PREFIX ${CMAKE_SOURCE_DIR})
    set(CAPNPC_IMPORT_DIRS ${CMAKE_SOURCE_DIR})
    file(MAKE_DIRECTORY ${CAPNPC_OUTPUT_DIR})
    list(TRANSFORM schemas PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
    capnp_generate_cpp(generated_sources generated_headers ${schemas})
    add_library(hearth-${name}-schema STATIC ${generated_sources})
    target_include_directories(hearth-${name}-schema SYSTEM PUBLIC ${CAPNPC_OUTPUT_DIR})
    target_link_libraries(hearth-${name}-schema PUBLIC CapnProto::capnp-rpc)
    target_link_libraries(hearth-${name} PUBLIC hearth-${name}-schema)
    foreach(below ${ARG_DEPENDS})  # a schema may import those of the floors below
      if(TARGET ${below}-schema)
        target_link_libraries(hearth-${name}-schema PUBLIC ${below}-schema)
      endif()
    endforeach()
  endif()
endfunction()

function(hearth_tests floor)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${floor}/*-test.cc)
  if(NOT sources)
    return()
  endif()
  add_executable(test-${floor} ${sources})
  target_link_libraries(test-${floor} PRIVATE ${ARG_DEPENDS} Catch2::Catch2WithMain hearth-warnings)
  # Published data lies beside the repository, not in it.
  target_compile_definitions(test-${floor} PRIVATE HEARTH_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  catch_discover_tests(test-${floor} DISCOVERY_MODE PRE_TEST TEST_PREFIX "${floor}: "
    PROPERTIES SKIP_RETURN_CODE 4 TIMEOUT 300)
endfunction()
