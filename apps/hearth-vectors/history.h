#pragma once
// A membership history of histories.json as real ops, signed by keys that follow from names. The
// format stands beside the file; the code that judges the ops knows nothing of it.

#include "apps/hearth-vectors/checks.h"
#include "apps/hearth-vectors/fields.h"
#include "crypto/membership/author.h"

#include <map>

namespace hearth::vectors {

class History final {
 public:
  struct NamedOp {
    std::string name;
    crypto::SealedOp sealed;
  };

  explicit History(const Json& ops);

  const std::vector<NamedOp>& ops() const { return built; }
  const CircleId& circle() const { return circleId; }
  std::string nameOf(const DeviceId& id) const { return names.at(id); }
  std::string opName(const OpHash& hash) const;

 private:
  // A device and a recovery key at once: which of them a name stands for, its place says.
  struct Person {
    crypto::DeviceKeys device;
    crypto::RecoveryKeys recovery;
    uint32_t bundleVersion = 1;
  };
  struct Draft {
    const Json& entry;
    const Json& payload;
    crypto::Op op;
    kj::Own<crypto::MembershipLog> past;
    std::string bad;
  };

  std::vector<NamedOp> built;
  std::map<std::string, size_t> places;
  std::map<std::string, kj::Own<Person>> persons;
  std::map<DeviceId, std::string> names;
  std::map<EpochId, crypto::EpochSecret> secrets;
  CircleId circleId;

  void build(const Json& entry);
  Person& person(const std::string& name);
  DeviceId idOf(const std::string& name);
  DeviceId deviceOf(const Json& name);
  const crypto::SignSecret& signerOf(const std::string& name);
  OpHash hashOf(const Json& opName) const;

  kj::Own<crypto::MembershipLog> pastOf(const Json& entry) const;
  crypto::Payload payloadOf(Draft& draft);
  crypto::Payload addOf(Draft& draft);
  crypto::Payload removeOf(Draft& draft);
  crypto::Payload rotationOf(Draft& draft);
  crypto::Payload resetOf(Draft& draft);
  crypto::Payload epochOf(Draft& draft);
  crypto::Bundle bundleOf(const std::string& name);
  std::vector<kj::byte> bundleEnvelopeOf(const std::string& name);
  std::vector<kj::byte> joinOf(Draft& draft, const std::string& joiner, crypto::Role role);
  crypto::SealedOp seal(Draft& draft);
};

}  // namespace hearth::vectors
