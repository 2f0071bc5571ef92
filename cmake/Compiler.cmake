# The compiler, its warnings and the sanitizers. GCC 12 is refused because it miscompiles
# coroutines: temporaries in `co_await f({...})` are freed twice.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14)
  message(FATAL_ERROR "GCC ${CMAKE_CXX_COMPILER_VERSION} miscompiles C++ coroutines: run "
    "scripts/bootstrap and configure with a preset (cmake --preset release), which uses clang 19.")
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
  message(FATAL_ERROR "clang ${CMAKE_CXX_COMPILER_VERSION} is too old: run scripts/bootstrap, which "
    "installs clang 19, and configure with a preset (cmake --preset release).")
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 17)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")

set(HEARTH_SANITIZE "" CACHE STRING "sanitizers, comma separated: address,undefined or thread; fuzzer-no-link as well for tests/fuzz")
if(HEARTH_SANITIZE)
  add_compile_options(-fsanitize=${HEARTH_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${HEARTH_SANITIZE})
endif()

# Own code only; generated and third-party code is not held to it.
add_library(hearth-warnings INTERFACE)
target_compile_options(hearth-warnings INTERFACE -Wall -Wextra -Werror -Wno-missing-field-initializers
  -Wno-missing-designated-field-initializers)
