#pragma once
// toml++ as the whole program uses it: without exceptions, and compiled here. One set of switches
// for every file, because they change the library's types.

#undef TOML_HEADER_ONLY
#undef TOML_SHARED_LIB
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>
