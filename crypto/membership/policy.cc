#include "crypto/membership/policy.h"

#include "core/base/flat.h"
#include "crypto/primitives/aead.h"

#include <kj/debug.h>

namespace hearth::crypto {

namespace {

constexpr uint8_t VERSION = 1;
constexpr uint8_t HTTPS = 1;

void write(FlatWriter& out, const Digest& digest) { out.bytes(digest.asBytes()); }
void write(FlatWriter& out, const Policy::PluginMinimum& least) {
  out.bytes(least.signer.asBytes()).var8(kj::StringPtr(least.name.c_str()).asBytes());
  out.u16(least.major).u16(least.minor).u16(least.patch);
}
void write(FlatWriter& out, const Policy::Ceiling& ceiling) {
  out.bytes(ceiling.device.asBytes()).u8(static_cast<uint8_t>(ceiling.label));
}
void write(FlatWriter& out, const Policy::Egress& place) {
  out.u8(HTTPS).var8(kj::StringPtr(place.host.c_str()).asBytes()).u16(place.port);
  out.var16(kj::StringPtr(place.pathPrefix.c_str()).asBytes()).u8(place.methods);
}

// A text without a zero in it: it is written as what C calls a string.
std::string textOf(FlatReader& in, Bytes bytes) {
  std::string text(bytes.asChars().begin(), bytes.size());
  if (text.find('\0') != std::string::npos) in.refuse();
  return text;
}
Label labelIn(FlatReader& in) {
  auto label = in.u8();
  if (label >= LABELS) in.refuse();
  return static_cast<Label>(label);
}

void read(FlatReader& in, Digest& digest) { digest = in.id<Digest>(); }
void read(FlatReader& in, Policy::PluginMinimum& least) {
  least.signer = in.id<Digest>();
  least.name = textOf(in, in.var8());
  least.major = in.u16(), least.minor = in.u16(), least.patch = in.u16();
}
void read(FlatReader& in, Policy::Ceiling& ceiling) {
  ceiling.device = in.id<DeviceId>();
  ceiling.label = labelIn(in);
}
void read(FlatReader& in, Policy::Egress& place) {
  if (in.u8() != HTTPS) in.refuse();
  place.host = textOf(in, in.var8());
  place.port = in.u16();
  place.pathPrefix = textOf(in, in.var16());
  place.methods = in.u8();
}

template <typename Item>
void writeList(FlatWriter& out, const std::vector<Item>& items) {
  out.u16(static_cast<uint16_t>(items.size()));
  for (auto& item: items) write(out, item);
}

template <typename Item>
void readList(FlatReader& in, std::vector<Item>& items) {
  auto count = in.count16(Policy::LIST_MAX, 5);  // the least that an item takes
  for (size_t i = 0; i < count && in.good(); ++i) {
    Item item;
    read(in, item);
    if (!items.empty() && !(items.back() < item)) in.refuse();
    items.push_back(kj::mv(item));
  }
}

template <typename Number>
void capped(FlatReader& in, Number& cap, Number said) {
  if (said > cap) in.refuse();  // which is the greatest so far
  cap = said;
}

void readCaps(FlatReader& in, QuotaCaps& caps) {
  capped(in, caps.memoryMib, in.u32());
  capped(in, caps.cpuS, in.u32());
  capped(in, caps.wallS, in.u32());
  capped(in, caps.descriptors, in.u16());
  capped(in, caps.threads, in.u16());
  capped(in, caps.outputKib, in.u32());
  capped(in, caps.jobsPerMinute, in.u16());
}

}  // namespace

Buffer Policy::encode() const {
  FlatWriter out;
  out.u8(VERSION);
  for (auto level: levels) out.u8(static_cast<uint8_t>(level));
  out.u8(gpuLabels).u16(staleDays);
  writeList(out, plugins);
  writeList(out, signers);
  writeList(out, minimums);
  writeList(out, daemons);
  writeList(out, profiles);
  out.u32(caps.memoryMib).u32(caps.cpuS).u32(caps.wallS).u16(caps.descriptors).u16(caps.threads);
  out.u32(caps.outputKib).u16(caps.jobsPerMinute);
  writeList(out, ceilings);
  out.u8(broker);
  writeList(out, egress);
  return out.finish();
}

Result<Policy> Policy::decode(Bytes plain) {
  if (plain.size() > BYTES_MAX) return no(Errc::BAD_LENGTH, "a policy that is too long");
  FlatReader in(plain);
  if (in.u8() != VERSION) return no(Errc::BAD_VERSION, "a policy of another version");
  Policy policy;
  for (auto& level: policy.levels) {
    level = static_cast<Assurance>(in.u8());
    if (level > Assurance::A4) in.refuse();
  }
  policy.gpuLabels = in.u8();
  if (policy.gpuLabels >> LABELS != 0) in.refuse();
  policy.staleDays = in.u16();
  if (policy.staleDays < STALE_DAYS_MIN || policy.staleDays > STALE_DAYS_MAX) in.refuse();
  readList(in, policy.plugins);
  readList(in, policy.signers);
  readList(in, policy.minimums);
  readList(in, policy.daemons);
  readList(in, policy.profiles);
  readCaps(in, policy.caps);
  readList(in, policy.ceilings);
  auto broker = in.u8();
  if (broker > 1) in.refuse();
  policy.broker = broker == 1;
  readList(in, policy.egress);
  if (auto whole = in.finish(); !whole) return no(whole.error());
  return policy;
}

namespace {
constexpr size_t CLEAR_HEAD = EpochId::SIZE + XChaChaPoly::Nonce::SIZE;
constexpr size_t CLEAR_TAIL = XChaChaPoly::TAG_BYTES;
}  // namespace

PolicySetPayload inTheClear(uint64_t version, Bytes plain) {
  PolicySetPayload payload{version, std::vector<kj::byte>(CLEAR_HEAD)};
  payload.sealed.insert(payload.sealed.end(), plain.begin(), plain.end());
  payload.sealed.resize(payload.sealed.size() + CLEAR_TAIL);
  return payload;
}

Result<Bytes> clearTextOf(const PolicySetPayload& payload) {
  Bytes whole = kj::arrayPtr(payload.sealed.data(), payload.sealed.size());
  if (whole.size() < CLEAR_HEAD + CLEAR_TAIL) return no(Errc::BAD_FORMAT, "a policy without text");
  auto plain = whole.slice(CLEAR_HEAD, whole.size() - CLEAR_TAIL);
  if (inTheClear(payload.version, plain).sealed != payload.sealed)
    return no(Errc::BAD_FORMAT, "a policy that is sealed already");
  return plain;
}

Result<kj::Maybe<Policy>> policyIn(const MembershipLog& log, const EpochKeys& epochs) {
  auto& inForce = log.state().policy;
  KJ_IF_MAYBE(known, inForce) {
    auto& record = log.ops()[KJ_ASSERT_NONNULL(log.ops().find(known->id))];
    auto& sealed = record.as<PolicySetPayload>()->sealed;
    auto plain = openForMembers(record.op(), epochs, kj::arrayPtr(sealed.data(), sealed.size()));
    if (!plain) return no(plain.error());
    auto policy = Policy::decode(*plain);
    if (!policy) return no(policy.error());
    return kj::Maybe<Policy>(kj::mv(*policy));
  }
  return kj::Maybe<Policy>();
}

}  // namespace hearth::crypto
