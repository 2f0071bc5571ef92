#include "apps/hearth/recovery-words.h"

#include "apps/home/terminal.h"
#include "crypto/identity/shares.h"

#include <kj/encoding.h>
#include <kj/io.h>

#include <fcntl.h>
#include <iostream>
#include <set>
#include <sstream>
#include <unistd.h>

namespace hearth::cli {

namespace {

constexpr size_t WORDS_FILE_BYTES_MAX = 4'096;
constexpr const char* SHARE_HEAD = "hearth recovery share ";

constexpr size_t WORDS_ASKED_BACK = 3;

std::vector<std::string> splitWords(const crypto::Secret& words) {
  std::istringstream in(std::string(words.reveal().asChars().begin(), words.reveal().size()));
  std::vector<std::string> all;
  for (std::string word; in >> word;) all.push_back(word);
  return all;
}

// The words are the only copy: a person who cannot give three of them has not written them down.
void showAndAskBack(const crypto::Secret& words, Entropy& entropy) {
  auto all = splitWords(words);
  std::cout << "These 24 words bring your circle back when every device is lost. Write them down; "
               "they are never shown again.\n\n";
  for (size_t i = 0; i < all.size(); ++i)
    std::cout << (i + 1 < 10 ? " " : "") << i + 1 << " " << all[i] << ((i + 1) % 6 ? "\t" : "\n");
  std::set<size_t> asked;
  while (asked.size() < WORDS_ASKED_BACK) asked.insert(entropy.draw<uint32_t>() % all.size());
  for (auto index: asked) {
    std::cout << "\nWord " << index + 1 << ": " << std::flush;
    std::string answer;
    std::getline(std::cin, answer);
    if (answer != all[index])
      throw Failure{FAILED, "that is another word; nothing was changed: begin again"};
  }
}

kj::AutoCloseFd openFor(const std::string& path) {
  int fd = path == "-" ? dup(STDIN_FILENO) : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw Failure{FAILED, path + " cannot be read: name the file that you have"};
  return kj::AutoCloseFd(fd);
}

// A whole small file, in memory that wipes itself.
crypto::Secret readAll(const std::string& path) {
  auto fd = openFor(path);
  crypto::Scratch<WORDS_FILE_BYTES_MAX> text;
  kj::FdInputStream in(fd.get());
  auto size = in.tryRead(text.begin(), WORDS_FILE_BYTES_MAX, WORDS_FILE_BYTES_MAX);
  if (size == WORDS_FILE_BYTES_MAX)
    throw Failure{FAILED, path + " is too long for what it should be"};
  return crypto::Secret::copyOf(text.reveal().slice(0, size));
}

crypto::Secret wordsFrom(const std::string& file) {
  if (!file.empty()) return readAll(file);
  KJ_IF_MAYBE(terminal, apps::Terminal::open())
    return terminal->ask("The 24 recovery words (they do not show): "_kj);
  throw Failure{FAILED,
      "there is no terminal to ask for the words: give --words-file FILE, or - for standard input"};
}

}  // namespace

void writeNewPrivate(const std::string& path, crypto::Bytes text) {
  int fd = open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) throw Failure{FAILED, path + " is there already or cannot be made: name a new file"};
  kj::AutoCloseFd owned(fd);
  kj::FdOutputStream out(fd);
  out.write(text.begin(), text.size());
  out.write("\n", 1);
  if (fsync(fd) != 0) throw Failure{FAILED, path + " could not be written to disk"};
}

crypto::RecoverySeed makeRecoverySeed(const std::string& out, Entropy& entropy) {
  auto seed = crypto::RecoverySeed::draw(entropy);
  auto words = crypto::recoveryWords(seed);
  if (out.empty()) {
    showAndAskBack(words, entropy);
  } else {
    writeNewPrivate(out, words.reveal());
  }
  return seed;
}

crypto::RecoverySeed readRecoverySeed(const WordsInput& input) {
  if (!input.shares.empty()) {
    if (input.shares.size() != 2)
      throw Failure{USAGE, "two shares give the key back: --share FILE --share FILE"};
    auto first = readShare(input.shares[0]), second = readShare(input.shares[1]);
    auto seed = crypto::combineShares(first.reveal(), second.reveal());
    if (!seed) throw failureOf(seed.error());
    return kj::mv(*seed);
  }
  auto words = wordsFrom(input.file);
  auto seed = crypto::recoverySeed(words.reveal());
  if (!seed)
    throw Failure{
        FAILED, std::string(seed.error().because.cStr()) + ": type all 24 in their order"};
  return kj::mv(*seed);
}

std::string shareText(crypto::Bytes share, int number) {
  constexpr size_t GROUP = 8;
  auto hex = kj::encodeHex(share);
  auto text = SHARE_HEAD + std::to_string(number) + " of 3, any two give the key back\n";
  for (size_t at = 0; at < hex.size(); at += GROUP)
    text += std::string(hex.begin() + at, std::min(GROUP, hex.size() - at)) + " ";
  text.pop_back();
  return text;
}

crypto::Secret readShare(const std::string& path) {
  auto text = readAll(path);
  auto chars = text.reveal().asChars();
  std::string all(chars.begin(), chars.size());
  auto end = all.find('\n');
  if (!all.starts_with(SHARE_HEAD) || end == std::string::npos)
    throw Failure{FAILED, path + " holds no recovery share: name a file of hearth recovery shares"};
  std::erase_if(all, [](char c) { return c == ' ' || c == '\n' || c == '\r'; });
  auto digits =
      kj::StringPtr(all.c_str() + all.size() - std::min(all.size(), 2 * crypto::SHARE_BYTES));
  auto bytes = kj::decodeHex(digits.asArray());
  crypto::wipe(kj::arrayPtr(reinterpret_cast<kj::byte*>(all.data()), all.size()));
  if (bytes.hadErrors || bytes.size() != crypto::SHARE_BYTES)
    throw Failure{FAILED, path + " holds a recovery share that is damaged: take the other one"};
  auto share = crypto::Secret::copyOf(bytes);
  crypto::wipe(bytes);
  return share;
}

}  // namespace hearth::cli
