#include "storage/folder/folder-path.h"

#include "storage/crdt/varint.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::storage {

namespace {

constexpr Error EMPTY_NAME{Errc::BAD_FORMAT, "a path with an empty name in it"_kj};
constexpr Error DOTS{Errc::BAD_FORMAT, "a path with . or .. in it"_kj};
constexpr Error NOT_UTF8{Errc::BAD_FORMAT, "a name that is not UTF-8"_kj};
constexpr Error CONTROL{Errc::BAD_FORMAT, "a name with a control character in it"_kj};
constexpr Error OWN_NAME{Errc::BAD_FORMAT, "a name that Hearth keeps for itself"_kj};
constexpr Error LONG_NAME{Errc::LIMIT_EXCEEDED, "a name of more than 255 bytes"_kj};
constexpr Error LONG_PATH{Errc::LIMIT_EXCEEDED, "a path of more than 4096 bytes"_kj};
constexpr Error DEEP{Errc::LIMIT_EXCEEDED, "a path of more than 128 names"_kj};

// C0, DEL and, in two bytes, C1.
bool hasControl(std::string_view name) {
  unsigned char before = 0;
  for (unsigned char byte: name) {
    if (byte < 0x20 || byte == 0x7f || (before == 0xc2 && byte < 0xa0)) return true;
    before = byte;
  }
  return false;
}

// Whether some file system takes the name for Hearth's own: there are those that do not tell case apart, that pass
// over characters without width (all of them are beyond ASCII), that drop dots and spaces at the end, and that have
// a short name for every long one. A peer that could name the directory could replace the mark in it.
bool isOwn(std::string_view name) {
  std::string plain;
  for (unsigned char byte: name) {
    if (byte < 0x80) plain += byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + 32) : byte;
  }
  while (plain.ends_with('.') || plain.ends_with(' ')) plain.pop_back();
  if (plain == FolderPath::OWN) return true;
  auto shortened = std::string(FolderPath::OWN.substr(1)) + "~";
  return plain.starts_with(shortened) && plain.size() > shortened.size() &&
      std::all_of(plain.begin() + shortened.size(), plain.end(),
          [](char c) { return c >= '0' && c <= '9'; });
}

Result<void> check(std::string_view name) {
  if (name.empty()) return no(EMPTY_NAME);
  if (name == "." || name == "..") return no(DOTS);
  if (name.size() > FolderPath::NAME_BYTES_MAX) return no(LONG_NAME);
  if (hasControl(name)) return no(CONTROL);
  if (!isUtf8(name)) return no(NOT_UTF8);
  if (isOwn(name)) return no(OWN_NAME);
  return Result<void>();
}

}  // namespace

Result<FolderPath> FolderPath::parse(std::string_view text) {
  if (text.size() > BYTES_MAX) return no(LONG_PATH);
  if (std::count(text.begin(), text.end(), '/') >= static_cast<ptrdiff_t>(DEPTH_MAX))
    return no(DEEP);
  for (size_t at = 0; at <= text.size();) {
    auto end = std::min(text.find('/', at), text.size());
    auto good = check(text.substr(at, end - at));
    if (!good) return no(good.error());
    at = end + 1;
  }
  return FolderPath(std::string(text));
}

Result<FolderPath> FolderPath::child(std::string_view name) const {
  if (name.find('/') != std::string_view::npos)
    return no(Errc::BAD_FORMAT, "a name with a slash in it");
  return parse(isFolder() ? std::string(name) : text + "/" + std::string(name));
}

std::string_view FolderPath::name() const {
  auto slash = text.rfind('/');
  return std::string_view(text).substr(slash == std::string::npos ? 0 : slash + 1);
}

FolderPath FolderPath::directory() const {
  KJ_REQUIRE(!isFolder(), "the folder itself is in no directory of it");
  auto slash = text.rfind('/');
  return FolderPath(slash == std::string::npos ? std::string() : text.substr(0, slash));
}

bool FolderPath::isWithin(const FolderPath& directory) const {
  if (directory.isFolder()) return true;
  return text.starts_with(directory.text) &&
      (text.size() == directory.text.size() || text[directory.text.size()] == '/');
}

}  // namespace hearth::storage
