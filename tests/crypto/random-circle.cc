#include "tests/crypto/random-circle.h"

#include <algorithm>

namespace hearth::crypto {

namespace {

std::vector<kj::byte> anySealed() { return std::vector<kj::byte>(32 + 24 + 16 + 8); }

bool isOwn(OpKind kind) {
  return kind == OpKind::ROTATE_KEYS || kind == OpKind::BUNDLE_UPDATE ||
      kind == OpKind::DEVICE_META || kind == OpKind::LEAVE;
}

}  // namespace

RandomCircle::RandomCircle(uint64_t seed, size_t ops): chance(seed) {
  actors.reserve(DEVICES_MAX);  // they are referred to while others come in
  auto log = forge.found("d0");
  circleId = log.circle();
  written.push_back(SealedOp::open(log.envelopes()[0]).value());
  bring("d0", log);
  names = 1;
  auto begins = 2 + chance.below(3);  // with two to four ADMINs
  while (actors.size() < begins) {
    auto name = "d" + std::to_string(names++);
    auto& first = actors[0];
    Forge::Signers signers = {forge.device("d0")};
    if (actors.size() > 1) signers.push_back(forge.device("d1"));
    auto op =
        forge.make(first.log, forge.add(first.log, name, Role::ADMIN, forge.id("d0")), signers);
    for (auto& actor: actors) (void)actor.log.add(view(op.envelope));
    written.push_back(op);
    bring(name, actors[0].log);
  }
  for (auto& actor: actors) actor.backup = actor.log;
  while (written.size() < ops) step();
}

void RandomCircle::bring(const std::string& name, const MembershipLog& log) {
  actors.push_back({name, log, log});
}

void RandomCircle::step() {
  auto& actor = actors[chance.below(actors.size())];
  if (chance.chance(45)) hear(actor);
  if (chance.chance(10)) actor.backup = actor.log;
  bool forks = chance.chance(12);
  write(actor, forks ? actor.backup : actor.log);
  if (forks) {
    for (auto envelope: actor.backup.envelopes()) (void)actor.log.add(envelope);
  }
}

// Everything that another one knows, or only the older part of it.
void RandomCircle::hear(Actor& actor) {
  auto envelopes = actors[chance.below(actors.size())].log.envelopes();
  auto count = chance.chance(70) ? envelopes.size() : chance.below(envelopes.size() + 1);
  for (size_t i = 0; i < count; ++i) (void)actor.log.add(envelopes[i]);
}

void RandomCircle::write(Actor& actor, MembershipLog& on) {
  bool byOldKey = !oldNames.empty() && chance.chance(5);
  auto author = forge.device(byOldKey ? oldNames[chance.below(oldNames.size())] : actor.name);
  if (chance.chance(12)) author = forge.recovery(recovery);
  std::string made;
  auto payload = choose(actor, on, author.id, made);
  auto kind = kindOf(payload);
  if (kind == OpKind::RECOVERY_RESET && chance.chance(85)) author = forge.recovery(recovery);
  auto op = forge.make(on, payload, signersFor(actor, on, kind, author));
  written.push_back(op);
  auto taken = on.add(view(op.envelope));
  if (!taken || made.empty()) return;
  if (kind == OpKind::ROTATE_KEYS) {
    oldNames.push_back(actor.name);
    actor.name = made;
  } else if (kind == OpKind::RECOVERY_RESET) {
    recovery = "rec-" + made;
  }
  if (kind != OpKind::ROTATE_KEYS && actors.size() < DEVICES_MAX) bring(made, on);
}

Payload RandomCircle::choose(
    Actor& actor, const MembershipLog& on, const DeviceId& author, std::string& made) {
  auto fresh = [&]() { return made = "d" + std::to_string(names++); };
  switch (chance.below(26)) {
    case 0:
    case 1:
    case 2:
      if (actors.size() < DEVICES_MAX) return forge.add(on, fresh(), someRole(), author);
      return Forge::remove(on, someDevice());
    case 3:
      return forge.add(on, "d" + std::to_string(chance.below(names)), someRole(), author);
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
    case 9:
      return Forge::remove(on, someDevice());
    case 10:
    case 11:
    case 12:
      return SetRolePayload{someDevice(), someRole()};
    case 13:
    case 14:
      return ReinstatePayload{someDevice()};
    case 15:
      return forge.rotate(on, fresh(), author);
    case 16: {
      auto bundle = forge.person(actor.name).bundle;
      KJ_IF_MAYBE(member, on.state().find(author)) bundle.version = member->bundle().version + 1;
      auto envelope = bundle.seal(forge.person(actor.name).device);
      return BundleUpdatePayload{{envelope.begin(), envelope.end()}};
    }
    case 17:
    case 18:
      return Forge::epoch(on);
    case 19:
      return PolicySetPayload{chance.below(9), anySealed()};
    case 20:
      return PluginRevokePayload{Revoked::MODEL, {}};
    case 21:
      return DeviceMetaPayload{anySealed()};
    case 22:
      return AttestEnrollPayload{.target = someDevice(), .tier = 1};
    case 23:
      return chance.chance(50)
          ? Payload(MinSuitePayload{static_cast<uint8_t>(chance.below(3) + 1)})
          : Payload(CheckpointPayload{on.state().hash(), static_cast<uint32_t>(on.size())});
    case 24:
      return LeavePayload{};
    default:
      if (chance.chance(60)) return Forge::remove(on, someDevice());
      return restart(on, made);
  }
}

Payload RandomCircle::restart(const MembershipLog& on, std::string& made) {
  made = "d" + std::to_string(names++);
  return forge.reset(on, made, chance.chance(90) ? "rec-" + made : recovery);
}

DeviceId RandomCircle::someDevice() { return forge.id("d" + std::to_string(chance.below(names))); }

Role RandomCircle::someRole() {
  return chance.chance(50) ? Role::ADMIN : chance.chance(60) ? Role::MEMBER : Role::VAULT;
}

// Mostly as many signatures as it takes; sometimes too few, or one too many.
Forge::Signers RandomCircle::signersFor(
    Actor& actor, const MembershipLog& on, OpKind kind, const Forge::Signer& author) {
  Forge::Signers signers = {author};
  if (isOwn(kind) || kind == OpKind::RECOVERY_RESET) {
    if (!chance.chance(3)) return signers;
  } else if (!chance.chance(60)) {
    return signers;
  }
  auto more = 1 + chance.below(2);
  for (size_t i = 0; i < more; ++i) {
    auto& other = actors[chance.below(actors.size())];
    auto signer = chance.chance(12) ? forge.recovery(recovery) : forge.device(other.name);
    bool isKnown =
        on.state().find(signer.id) != nullptr || on.state().recoveryKeys.contains(signer.id);
    bool isNew = std::ranges::none_of(signers, [&](auto& s) { return s.id == signer.id; });
    if (isNew && (isKnown || chance.chance(5))) signers.push_back(signer);
  }
  (void)actor;
  return signers;
}

}  // namespace hearth::crypto
