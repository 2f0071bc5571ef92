#pragma once
// How the C functions speak of what went wrong: a code, and one line in the caller's buffer.

#include "bindings/c/hearth.h"
#include "bindings/local/message.h"

#include <kj/exception.h>
#include <kj/string.h>

#include <cstdio>

namespace hearth::local {

// The caller's buffer for one line; there may be none.
struct ErrorLine {
  char* text;
  size_t size;

  // Gives `code` back, so that a function can end with it.
  int say(int code, kj::StringPtr line) const {
    if (text != nullptr && size > 0) snprintf(text, size, "%s", line.cStr());
    return code;
  }
};

// Runs `body` and turns what it throws into a code and one line.
template <typename Body>
int guarded(ErrorLine error, Body&& body) {
  int code = HEARTH_OK;
  KJ_IF_MAYBE(e, kj::runCatchingExceptions([&]() { code = body(); })) {
    if (e->getType() == kj::Exception::Type::DISCONNECTED)
      return error.say(HEARTH_UNREACHABLE, "the daemon does not answer; start it with: hearthd");
    return error.say(HEARTH_FAILED, local::messageOf(*e));
  }
  return code;
}

}  // namespace hearth::local
