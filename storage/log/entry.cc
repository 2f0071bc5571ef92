#include "storage/log/entry.h"

#include "core/base/flat.h"
#include "crypto/primitives/envelope.h"

#include <kj/debug.h>

namespace hearth::storage {

namespace {

using crypto::SigType;
using crypto::XChaChaPoly;

constexpr uint8_t VERSION = 1;
constexpr size_t HEAD_BYTES =
    1 + crypto::CollectionId::SIZE + DeviceId::SIZE + 8 + Digest::SIZE + 8 + EpochId::SIZE;
constexpr size_t ENVELOPE_BYTES =
    64 + DeviceId::SIZE + crypto::Signature::SIZE;  // around a body, at most

crypto::Buffer write(const EntryHead& head) {
  FlatWriter out;
  out.u8(VERSION)
      .bytes(head.collection.asBytes())
      .bytes(head.author.asBytes())
      .u64(head.seq)
      .bytes(head.previous.asBytes())
      .u64(head.time)
      .bytes(head.epoch.asBytes());
  return out.finish();
}

Digest hashOf(crypto::Bytes body) { return crypto::hash("hearth/entry/v1", {body}); }

// Of an envelope that has been read before.
crypto::Envelope parsed(crypto::Bytes envelope) {
  return crypto::readEnvelope(SigType::DATA, envelope, Entry::BYTES_MAX).value();
}

}  // namespace

Entry Entry::make(const EntryHead& head, const crypto::CollectionKey& key,
    const XChaChaPoly::Nonce& nonce, crypto::Bytes content, const crypto::SignSecret& secret) {
  auto clear = write(head);
  FlatWriter body;
  body.bytes(clear)
      .bytes(nonce.asBytes())
      .bytes(XChaChaPoly::seal(key.reveal(), nonce, clear, content));
  auto envelope = crypto::sealEnvelope(SigType::DATA, body.asBytes(), head.author, secret);
  KJ_REQUIRE(envelope.size() <= BYTES_MAX, envelope.size());
  return {head, hashOf(body.asBytes()), kj::mv(envelope)};
}

Result<Entry> Entry::read(crypto::Buffer envelope) {
  if (envelope.size() > BYTES_MAX) return no(Errc::BAD_FORMAT, "an entry that is too long");
  auto outside = crypto::readEnvelope(SigType::DATA, envelope, BYTES_MAX - ENVELOPE_BYTES);
  if (!outside) return no(outside.error());
  FlatReader in(outside->body);
  if (in.u8() != VERSION) return no(Errc::BAD_VERSION, "an entry of another version");
  EntryHead head;
  head.collection = in.id<crypto::CollectionId>();
  head.author = in.id<DeviceId>();
  head.seq = in.u64();
  head.previous = in.id<Digest>();
  head.time = in.u64();
  head.epoch = in.id<EpochId>();
  in.bytes(XChaChaPoly::Nonce::SIZE);
  if (!in.good() || in.remaining().size() < XChaChaPoly::TAG_BYTES || head.time >= TIME_MAX ||
      head.seq >= TIME_MAX || head.previous.isZero() != (head.seq == 0))
    return no(Errc::BAD_FORMAT, "an entry that is none");
  if (outside->signatures.size() != 1 || outside->signatures[0].signer != head.author)
    return no(Errc::BAD_FORMAT, "an entry is signed by its author alone");
  return Entry{head, hashOf(outside->body), kj::mv(envelope)};
}

Result<void> Entry::verify(const crypto::SignPublic& author) const {
  auto outside = parsed(envelope);
  if (!crypto::verify(author, SigType::DATA, outside.body, outside.signatures[0].signature))
    return no(Errc::BAD_SIGNATURE, "an entry that its author has not signed");
  return {};
}

Result<crypto::Buffer> Entry::open(const crypto::CollectionKey& key) const {
  auto body = parsed(envelope).body;
  auto nonce =
      XChaChaPoly::Nonce::from(body.slice(HEAD_BYTES, HEAD_BYTES + XChaChaPoly::Nonce::SIZE));
  return XChaChaPoly::open(key.reveal(), nonce.value(), body.slice(0, HEAD_BYTES),
      body.slice(HEAD_BYTES + XChaChaPoly::Nonce::SIZE, body.size()));
}

}  // namespace hearth::storage
