#include "bench/membership.h"

#include "core/entropy/entropy.h"
#include "crypto/identity/join.h"
#include "crypto/membership/author.h"

#include <kj/debug.h>

#include <chrono>

namespace hearth::bench {

namespace {

using namespace hearth::crypto;

constexpr int ADMINS = 3;
constexpr int OPS_A_TURN = 4;

Bytes view(const std::vector<kj::byte>& bytes) { return kj::arrayPtr(bytes.data(), bytes.size()); }

struct Device {
  DeviceKeys keys;
  Bundle bundle;

  explicit Device(Entropy& entropy)
      : keys(DeviceKeys::fromRootSeed(RootSeed::draw(entropy))),
        bundle{Platform::LINUX, 0, 1, keys.publics} {}
};

struct Admin {
  Device device;
  kj::Own<MembershipLog> log;
  EpochKeys epochs;
  size_t told = 0;  // ops of its log that the others have

  explicit Admin(Entropy& entropy): device(entropy) {}

  void take(Bytes envelope) { KJ_ASSERT(log->add(envelope).has_value()); }
};

class Life {
 public:
  explicit Life(Entropy& entropy): entropy(entropy) {
    for (int i = 0; i < ADMINS; ++i) admins.push_back(kj::heap<Admin>(entropy));
    auto recovery = RecoveryKeys::fromSeed(RecoverySeed::draw(entropy));
    auto& first = admins[0]->device;
    auto genesis = authorGenesis(recovery, first.keys, first.bundle, 1, entropy);
    for (auto& admin: admins) {
      admin->log = kj::heap<MembershipLog>(circleIdOf(genesis.op.body()));
      admin->take(view(genesis.envelope));
    }
    // The third needs two signatures, so it stays a MEMBER that writes what a MEMBER may.
    add(*admins[0], admins[1]->device, Role::ADMIN);
    add(*admins[0], admins[2]->device, Role::MEMBER);
    meet();
  }

  const MembershipLog& live(size_t ops) {
    for (size_t round = 0; admins[0]->log->size() < ops; ++round) {
      for (auto& admin: admins) turn(*admin, round);
      meet();
    }
    return *admins[0]->log;
  }

 private:
  Entropy& entropy;
  std::vector<kj::Own<Admin>> admins;
  kj::Maybe<kj::Own<Device>> guest;

  void write(Admin& by, OpKind kind, const Payload& payload) {
    auto op = by.log->draft(by.device.keys.id);
    op.kind = kind;
    op.payload = encode(payload);
    by.take(view(sealOp(op, by.device.keys.ed).envelope));
  }

  void add(Admin& by, const Device& device, Role role) {
    Join join{by.log->circle(), device.bundle.hash(), by.device.keys.id, role};
    AddPayload payload{.role = role};
    auto bundle = device.bundle.seal(device.keys);
    auto consent = join.seal(device.keys);
    payload.bundleEnvelope.assign(bundle.begin(), bundle.end());
    payload.joinEnvelope.assign(consent.begin(), consent.end());
    write(by, OpKind::ADD, payload);
  }

  void turn(Admin& admin, size_t round) {
    bool isAdmin = &admin != admins[2].get();
    if (isAdmin && round % 8 == 0) {
      auto epoch = authorEpoch(*admin.log, admin.epochs, admin.device.keys, 1, entropy).value();
      admin.take(view(epoch.envelope));
    }
    if (&admin == admins[1].get() && round % 16 == 0) replaceGuest(admin);
    for (int i = 0; i < OPS_A_TURN; ++i) {
      auto value = entropy.draw<Digest>();
      if (isAdmin) {
        write(admin, OpKind::PLUGIN_REVOKE, PluginRevokePayload{Revoked::MODEL, value});
      } else if (i == 0) {
        write(admin, OpKind::DEVICE_META, DeviceMetaPayload{std::vector<kj::byte>(100)});
      }
    }
  }

  void replaceGuest(Admin& admin) {
    KJ_IF_MAYBE(old, guest) {
      write(admin, OpKind::REMOVE, RemovePayload{.target = (*old)->keys.id});
    }
    auto fresh = kj::heap<Device>(entropy);
    add(admin, *fresh, Role::MEMBER);
    guest = kj::mv(fresh);
  }

  void meet() {
    std::vector<std::vector<Bytes>> news;
    for (auto& admin: admins) news.push_back(admin->log->envelopes(admin->told));
    for (auto& admin: admins) {
      for (auto& envelopes: news) {
        for (auto envelope: envelopes) admin->take(envelope);
      }
    }
    for (auto& admin: admins) admin->told = admin->log->size();
  }
};

template <typename Work>
double secondsOf(Work work) {
  auto begun = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

}  // namespace

nlohmann::json measureMembership(const MembershipOptions& options) {
  SystemEntropy entropy;
  Life life(entropy);
  auto& grown = life.live(options.ops);
  MembershipLog fresh(grown.circle());
  auto take = secondsOf([&]() {
    for (auto envelope: grown.envelopes()) KJ_ASSERT(fresh.add(envelope).has_value());
    KJ_ASSERT(fresh.state().hash() == grown.state().hash());
  });
  size_t voided = 0;
  auto whole = secondsOf(
      [&]() { voided = resolve(fresh.ops(), OpSet::firstOf(fresh.ops().size())).voided.count(); });
  return {{"ops", fresh.size()}, {"take_s", take}, {"resolve_s", whole}, {"void", voided}};
}

}  // namespace hearth::bench
