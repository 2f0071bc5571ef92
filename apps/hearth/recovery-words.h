#pragma once
// The 24 recovery words between a person and a command: shown, asked back, typed, and cut into shares.
// They are never kept, and never an argument.

#include "apps/hearth/output.h"
#include "core/entropy/entropy.h"
#include "crypto/identity/recovery.h"

namespace hearth::cli {

// A new recovery key: written to the new file `out`, or shown, and three words asked back. Throws
// Failure when they are others.
crypto::RecoverySeed makeRecoverySeed(const std::string& out, Entropy& entropy);

struct WordsInput {
  std::string file;                 // "-" for standard input
  std::vector<std::string> shares;  // files, two of three
};

// The words that the person has, typed without being seen unless they come from a file. Throws Failure.
crypto::RecoverySeed readRecoverySeed(const WordsInput& input);

// A share as text that people print, and back. Throws Failure for what is none.
std::string shareText(crypto::Bytes share, int number);
crypto::Secret readShare(const std::string& path);

// A new file for this user's eyes alone, on disk when this returns. Throws Failure when there is one.
void writeNewPrivate(const std::string& path, crypto::Bytes text);

}  // namespace hearth::cli
