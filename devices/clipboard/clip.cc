#include "devices/clipboard/clip.h"

#include "core/base/flat.h"
#include "core/time/hlc.h"
#include "crypto/primitives/envelope.h"
#include "storage/crdt/varint.h"

#include <kj/debug.h>

#include <algorithm>

namespace hearth::devices {

namespace {

using crypto::SigType;

constexpr uint8_t VERSION = 1, SECRET = 1;
constexpr uint64_t STAMP_MAX = uint64_t{1} << 63;  // a database's numbers have a sign
constexpr size_t PREVIEW_BYTES = 60;

bool isLifetime(uint64_t ms) {
  constexpr uint64_t MIN = Clip::LIFETIME_MIN / kj::MILLISECONDS,
                     MAX = Clip::LIFETIME_MAX / kj::MILLISECONDS;
  return ms == 0 || (ms >= MIN && ms <= MAX);
}

kj::StringPtr view(const std::string& text) { return kj::StringPtr(text.c_str(), text.size()); }

bool isWithinLimits(const Clip& clip) {
  return clip.bytes.size() <= Clip::BYTES_MAX && isLifetime(clip.lifetimeMs) &&
      isMimeType(view(clip.mime)) && clip.name.stamp > 0 && clip.name.stamp < STAMP_MAX;
}

}  // namespace

bool isMimeType(kj::StringPtr text) {
  auto slash = text.findFirst('/').orDefault(text.size());
  return text.size() <= Clip::MIME_BYTES_MAX && slash > 0 && slash + 1 < text.size() &&
      std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

crypto::Buffer Clip::sign(const crypto::SignSecret& secret) const {
  KJ_REQUIRE(isWithinLimits(*this), mime.size(), bytes.size(), lifetimeMs);
  FlatWriter body;
  body.u8(VERSION)
      .bytes(name.author.asBytes())
      .u64(name.stamp)
      .u64(lifetimeMs)
      .u8(isSecret ? SECRET : 0)
      .var8(view(mime).asBytes())
      .bytes(bytes);
  return crypto::sealEnvelope(SigType::CLIP, body.asBytes(), name.author, secret);
}

Result<Clip> Clip::read(crypto::Bytes envelope) {
  auto outside = crypto::readEnvelope(SigType::CLIP, envelope, ENVELOPE_BYTES_MAX);
  if (!outside) return no(outside.error());
  FlatReader in(outside->body);
  if (in.u8() != VERSION)
    return no(Errc::BAD_VERSION, "an entry of the clipboard of another version");
  Clip clip;
  clip.name.author = in.id<DeviceId>();
  clip.name.stamp = in.u64();
  clip.lifetimeMs = in.u64();
  auto flags = in.u8();
  auto mime = in.var8(MIME_BYTES_MAX).asChars();
  clip.isSecret = flags == SECRET;
  clip.mime.assign(mime.begin(), mime.size());
  bool isSane = in.good() && flags <= SECRET && in.remaining().size() <= BYTES_MAX;
  if (!isSane) return no(Errc::BAD_FORMAT, "no entry of a clipboard");
  clip.bytes = kj::heapArray<kj::byte>(in.remaining());
  if (!isWithinLimits(clip)) return no(Errc::BAD_FORMAT, "an entry of a clipboard keeps no limit");
  if (outside->signatures.size() != 1 || outside->signatures[0].signer != clip.name.author)
    return no(Errc::BAD_FORMAT, "an entry of the clipboard is signed by its author alone");
  return kj::mv(clip);
}

Result<void> Clip::verify(crypto::Bytes envelope, const crypto::SignPublic& author) {
  auto outside = crypto::readEnvelope(SigType::CLIP, envelope, ENVELOPE_BYTES_MAX).value();
  if (!crypto::verify(author, SigType::CLIP, outside.body, outside.signatures[0].signature))
    return no(Errc::BAD_SIGNATURE, "an entry of the clipboard that its author has not signed");
  return {};
}

std::string Clip::preview() const {
  if (isSecret || !mime.starts_with("text/")) return {};
  std::string text(bytes.asChars().begin(), kj::min(bytes.size(), PREVIEW_BYTES));
  // Not within a character.
  while (!text.empty() && !storage::isUtf8(text) && bytes.size() > PREVIEW_BYTES) text.pop_back();
  if (!storage::isUtf8(text)) return {};
  std::ranges::replace_if(text, [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }, ' ');
  return text;
}

}  // namespace hearth::devices
