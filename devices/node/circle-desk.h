#pragma once
// What the user of this device does to its circle, and what waits for whose word: behind `hearth remove`,
// `device role`, `reinstate`, `leave`, `rename`, `policy`, `pending`, `approve` and `refuse`.

#include "devices/node/cosigning.h"
#include "devices/node/fleet.h"
#include "devices/node/policy-settings.h"

namespace hearth::devices {

// What waits for the signature of a second admin, as shown to people.
struct PendingView {
  // Who it is, and, for display alone, what people call it.
  struct Named {
    DeviceId device;
    std::string name;
  };

  std::string id;                        // hex; a beginning of it is enough to name it
  std::string what;                      // "make tablet an admin"
  kj::Maybe<DeviceId> target;            // none: it is about all
  std::string from;                      // who asks
  bool own = false;                      // this device does
  bool agreed = false;                   // an admin has agreed: it ends when both are there
  std::vector<Named> waitsFor, refused;  // whose word, or whose coming; who does not want it
  kj::Duration left = 0 * kj::SECONDS;
};

// What the circle's owner allows, as shown to people.
struct PolicyView {
  uint64_t version = 0;  // 0: nobody has set any
  std::vector<Setting> settings;
};

class CircleDesk final {
 public:
  // For so long another device may take to say its new name.
  static constexpr kj::Duration NAMED_WITHIN = 10 * kj::SECONDS;

  // None: it is done. Else it waits for another admin.
  using Change = kj::Maybe<PendingView>;

  // All outlive this object.
  struct Surroundings {
    kj::Timer& timer;
    CircleKeeper& keeper;
    const Fleet& fleet;
    transport::Links& links;
    Cosigning& cosigning;
  };
  explicit CircleDesk(Surroundings around): around(around) {}

  // Errors: those of Cosigning::say; NOT_AUTHORISED, with what to do instead.
  kj::Promise<Result<Change>> setRole(DeviceId device, crypto::Role role);
  kj::Promise<Result<Change>> reinstate(DeviceId device);
  kj::Promise<Result<Change>> remove(DeviceId device, crypto::RemoveReason reason);
  kj::Promise<Result<Change>> bringIn(crypto::AddPayload add);

  PolicyView policy() const;
  // Settings of policy-settings.h, or "min-suite" alone, which no change takes back.
  // Errors: BAD_FORMAT for what is no setting, or is so already.
  kj::Promise<Result<Change>> setPolicy(std::vector<Setting> wanted);

  // This device has no part any more when it resolves. Errors: NOT_AUTHORISED for the only admin.
  kj::Promise<Result<void>> leave();

  // A device is called so from now on. Another one is asked to say it itself.
  // Errors: BAD_FORMAT for no name, or one that another device has; EPOCH_UNKNOWN for a VAULT; NOT_AUTHORISED; STALE
  // when the other one is not there, or does not say it.
  kj::Promise<Result<void>> rename(DeviceId device, std::string name);
  // The other device's side. Throws for who is no admin.
  kj::Promise<void> renamed(const DeviceId& by, std::string name);

  std::vector<PendingView> pending() const;
  // True when the circle has followed already. Errors: those of Cosigning::decide.
  kj::Promise<Result<bool>> decide(std::string id, bool agrees) {
    return around.cosigning.decide(kj::mv(id), agrees);
  }
  // Resolves when what waits has come about. Errors: those of Cosigning::settled.
  kj::Promise<Result<void>> settled(const PendingView& view);

 private:
  Surroundings around;

  kj::Promise<Result<Change>> change(crypto::Payload payload);
  kj::Promise<Result<Change>> setMinSuite(const std::string& value);
  Result<void> checkAdmin() const;
  Result<void> checkName(const DeviceId& device, const std::string& name) const;
  std::string describe(const crypto::Payload& payload) const;
  static kj::Maybe<DeviceId> targetIn(const crypto::Payload& payload);
  std::vector<PendingView::Named> namesOf(const std::vector<DeviceId>& devices) const;
  PendingView viewOf(const crypto::ProposalId& id, const Proposals::Own& asked) const;
  PendingView viewOf(const crypto::ProposalId& id, const Proposals::OfOther& asked) const;
};

}  // namespace hearth::devices
