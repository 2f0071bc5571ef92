#pragma once
// An Error as an exception whose text the command line shows and turns into its exit code.

#include "core/base/result.h"

#include <kj/exception.h>

namespace hearth::local {

[[noreturn]] inline void refuse(kj::StringPtr line) {
  kj::throwFatalException(
      kj::Exception(kj::Exception::Type::FAILED, __FILE__, __LINE__, kj::str(line)));
}

[[noreturn]] inline void refuse(const Error& error) {
  refuse(kj::str(nameOf(error.code), ": ", error.because));
}

}  // namespace hearth::local
