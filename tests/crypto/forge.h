#pragma once
// Makes real membership ops for tests: any kind, by whom one likes, on any past, whether the circle
// would let it or not. Keys follow from names, so that a seed is the same circle again.

#include "crypto/membership/author.h"

#include <functional>
#include <map>
#include <string>

namespace hearth::crypto {

inline Bytes view(const std::vector<kj::byte>& bytes) {
  return kj::arrayPtr(bytes.data(), bytes.size());
}

class Forge final {
 public:
  // A device and a recovery key of one name.
  struct Person {
    DeviceKeys device;
    RecoveryKeys recovery;
    Bundle bundle;
  };
  struct Signer {
    DeviceId id;
    const SignSecret* secret;
  };
  using Signers = std::vector<Signer>;

  Person& person(const std::string& name);
  DeviceId id(const std::string& name) { return person(name).device.id; }
  Signer device(const std::string& name);
  Signer recovery(const std::string& name);

  // A log with the Genesis alone. The recovery key is "rec".
  MembershipLog found(const std::string& admin);

  // An op on top of `past`, by the first of the signers and cosigned by the others.
  SealedOp make(const MembershipLog& past, const Payload& payload, const Signers& signers);
  // The same, changed before it is signed.
  SealedOp make(const MembershipLog& past, const Payload& payload, const Signers& signers,
      const std::function<void(Op&)>& change);

  Payload add(const MembershipLog& past, const std::string& name, Role role, const DeviceId& by);
  static Payload remove(const MembershipLog& past, const DeviceId& target);
  Payload rotate(const MembershipLog& past, const std::string& name, const DeviceId& by);
  Payload reset(const MembershipLog& past, const std::string& name, const std::string& recovery);
  // Sealed to those whom `past` says must have it; nobody has the secret, so nobody opens it.
  static Payload epoch(const MembershipLog& past);

 private:
  std::map<std::string, kj::Own<Person>> people;
  int64_t made = 0;  // no two ops are equal by chance
};

}  // namespace hearth::crypto
