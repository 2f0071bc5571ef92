#include "transport/link/path.h"

#include "crypto/identity/display.h"

#include <algorithm>

namespace hearth::transport {

namespace {

struct Prefix {
  std::string_view text;
  Path::Kind kind;
};
constexpr Prefix PREFIXES[] = {{"udp:", Path::Kind::UDP}, {"tls:", Path::Kind::TLS},
    {"via:", Path::Kind::MEMBER}, {"relay:", Path::Kind::RELAY}};

bool isPrintable(const std::string& text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

bool looksLikePlace(const std::string& text) {
  auto colon = text.rfind(':');
  return colon != std::string::npos && colon > 0 && colon + 1 < text.size();
}

}  // namespace

Path Path::through(const DeviceId& member) {
  return {Kind::MEMBER, crypto::display(member).cStr()};
}

Result<Path> Path::parse(const std::string& text) {
  if (text.empty() || text.size() > TEXT_BYTES_MAX)
    return no(Errc::BAD_LENGTH, "an address is 1 to 255 characters long");
  if (!isPrintable(text)) return no(Errc::BAD_FORMAT, "an address holds printable ASCII alone");
  Path path{.address = text};
  for (auto& prefix: PREFIXES) {
    if (!text.starts_with(prefix.text)) continue;
    path = {prefix.kind, text.substr(prefix.text.size())};
    break;
  }
  bool good = path.kind == Kind::MEMBER ? path.member() != nullptr : looksLikePlace(path.address);
  if (!good)
    return no(Errc::BAD_FORMAT, "not HOST:PORT, udp: or tls:HOST:PORT, via:ID or relay:HOST:PORT");
  return path;
}

std::string Path::text() const {
  auto prefix = std::ranges::find(PREFIXES, kind, &Prefix::kind);
  return (prefix == std::end(PREFIXES) ? "" : std::string(prefix->text)) + address;
}

kj::Maybe<DeviceId> Path::member() const {
  if (kind != Kind::MEMBER) return nullptr;
  auto id = crypto::parseDisplay(address.c_str());
  if (!id) return nullptr;
  return *id;
}

kj::StringPtr nameOf(Path::Kind kind) {
  constexpr kj::StringPtr NAMES[Path::KINDS] = {
      "tcp"_kj, "udp"_kj, "tls"_kj, "member"_kj, "relay"_kj};
  return NAMES[static_cast<size_t>(kind)];
}

}  // namespace hearth::transport
