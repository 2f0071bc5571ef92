#pragma once
// What an app shows of an error that came over the daemon's socket.

#include <kj/exception.h>
#include <kj/string.h>

namespace hearth::local {

// The line that the daemon wrote, without the words that RPC puts in front of it. Lives as long as
// the exception.
kj::StringPtr messageOf(const kj::Exception& exception);

}  // namespace hearth::local
