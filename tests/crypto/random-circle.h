#pragma once
// The life of a small circle as a seed has it: up to eight devices that write ops of all kinds on what
// each of them knows, hear from each other now and then, are restored from backups and write again,
// and do what they may not do.

#include "tests/crypto/forge.h"
#include "tests/crypto/seeds.h"

namespace hearth::crypto {

class RandomCircle final {
 public:
  static constexpr size_t DEVICES_MAX = 8;

  RandomCircle(uint64_t seed, size_t ops);

  const CircleId& circle() const { return circleId; }
  // In a topological order. The first is Genesis.
  const std::vector<SealedOp>& ops() const { return written; }
  Luck& luck() { return chance; }

 private:
  struct Actor {
    std::string name;
    MembershipLog log;
    MembershipLog backup;
  };

  Forge forge;
  Luck chance;
  CircleId circleId;
  std::vector<SealedOp> written;
  std::vector<Actor> actors;
  std::vector<std::string> oldNames;  // of rotated keys
  std::string recovery = "rec";       // the newest
  size_t names = 0;

  void step();
  void hear(Actor& actor);
  void write(Actor& actor, MembershipLog& on);
  void bring(const std::string& name, const MembershipLog& log);
  Payload choose(Actor& actor, const MembershipLog& on, const DeviceId& author, std::string& made);
  Payload restart(const MembershipLog& on, std::string& made);
  DeviceId someDevice();
  Role someRole();
  Forge::Signers signersFor(
      Actor& actor, const MembershipLog& on, OpKind kind, const Forge::Signer& author);
};

}  // namespace hearth::crypto
