#pragma once
// Loopback as a network of this process and its children alone, where the kernel lets it have one: then all that
// goes over it is theirs.

#include <cstdint>

namespace hearth::bench {

// Before anything else is begun. False: nobody but the owner of the machine may, and this is the loopback that
// everybody uses.
bool haveOwnLoopback();

// That went over this process's loopback so far, headers and acknowledgements included.
uint64_t loopbackBytes();

}  // namespace hearth::bench
