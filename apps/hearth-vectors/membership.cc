#include "apps/hearth-vectors/history.h"

#include <algorithm>
#include <iostream>
#include <random>

namespace hearth::vectors {

namespace {

using namespace hearth::crypto;

constexpr const char* STATUSES[] = {"", "active", "suspended", "removed", "retired"};

// What a log says, in the words of the file's `expect`.
Json tell(const History& history, const MembershipLog& log) {
  auto& state = log.state();
  Json devices = Json::object();
  for (auto& [id, member]: state.devices) {
    devices[history.nameOf(id)] = {
        static_cast<int>(member.role), STATUSES[static_cast<int>(member.status)]};
  }
  Json told = {{"devices", devices}, {"recovery", nullptr}, {"epoch", nullptr},
      {"epoch_needed", true}, {"policy", nullptr}, {"revoked", Json::array()},
      {"min_suite", state.minSuite}, {"locked", state.locked}, {"void", Json::array()},
      {"refused", Json::array()}};
  KJ_IF_MAYBE(recovery, state.recovery) told["recovery"] = history.nameOf(recovery->id);
  KJ_IF_MAYBE(epoch, state.epoch) {
    told["epoch"] = history.opName(epoch->id);
    told["epoch_needed"] = epoch->stale;
  }
  KJ_IF_MAYBE(policy, state.policy) told["policy"] = history.opName(policy->id);
  for (auto& revoked: log.revoked()) {
    uint64_t value = 0;
    for (int i = 7; i >= 0; --i) value = value << 8 | revoked.value.bytes[i];
    told["revoked"].push_back({static_cast<int>(revoked.what), value});
  }
  for (auto& op: history.ops()) {
    if (!log.has(op.sealed.hash)) {
      told["refused"].push_back(op.name);
    } else if (!log.applies(op.sealed.hash)) {
      told["void"].push_back(op.name);
    }
  }
  for (auto list: {"revoked", "void", "refused"}) std::sort(told[list].begin(), told[list].end());
  return told;
}

Bytes view(const std::vector<kj::byte>& bytes) { return kj::arrayPtr(bytes.data(), bytes.size()); }

// Ops that are to be refused, are: what add() answers does not matter here.
kj::Own<MembershipLog> deliver(const History& history, const std::vector<size_t>& order) {
  auto log = kj::heap<MembershipLog>(history.circle());
  for (auto place: order) (void)log->add(view(history.ops()[place].sealed.envelope));
  return log;
}

std::vector<std::vector<size_t>> ordersOf(size_t count) {
  std::vector<size_t> given, twice;
  for (size_t i = 0; i < count; ++i) {
    given.push_back(i);
    twice.insert(twice.end(), 2, i);
  }
  auto reverse = given, shuffled = given;
  std::ranges::reverse(reverse);
  std::mt19937 chance(static_cast<uint32_t>(count));
  for (size_t i = count; i > 1; --i) std::swap(shuffled[i - 1], shuffled[chance() % i]);
  return {given, reverse, shuffled, twice};
}

bool holds(const Json& entry) {
  History history(entry.at("ops"));
  auto name = entry.at("name").get<std::string>();
  bool good = true;
  kj::Maybe<Digest> first;
  for (auto& order: ordersOf(history.ops().size())) {
    auto log = deliver(history, order);
    auto told = tell(history, *log);
    auto hash = log->state().hash();
    good = good && hash == first.orDefault(hash);
    first = hash;
    for (auto& [field, wanted]: entry.at("expect").items()) {
      if (told.at(field) == wanted) continue;
      good = false;
      std::cerr << name << ": " << field << " is " << told.at(field) << ", not " << wanted << "\n";
    }
  }
  return good;
}

}  // namespace

Tally checkMembership(const Json& file) {
  if (file.at("format") != "hearth-membership-histories-1")
    throw std::invalid_argument("a file of another format");
  Tally tally;
  for (auto& entry: file.at("histories")) ++(holds(entry) ? tally.passed : tally.failed);
  return tally;
}

}  // namespace hearth::vectors
