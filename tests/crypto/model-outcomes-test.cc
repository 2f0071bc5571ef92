// The histories of tests/models/membership.pml once more, as signed ops through crypto/membership. The
// model says what comes of each (tests/models/membership.outcomes, which scripts/model writes and
// compares): two accounts of SECURITY.md §5.4 that share nothing but its text.

#include "tests/crypto/forge.h"

#include <kj/debug.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <sstream>

namespace hearth::crypto {
namespace {

constexpr const char* ADMINS[] = {"a", "b", "c"};

struct Line {
  int ways[3], wayOfNew, behind;
  int statuses[6], role;
};

std::vector<Line> readTable() {
  std::ifstream file(HEARTH_SOURCE_DIR "/tests/models/membership.outcomes");
  std::vector<Line> lines;
  for (std::string text; std::getline(file, text);) {
    if (text.starts_with('#')) continue;
    std::istringstream in(text);
    Line line;
    char colon;
    for (auto& way: line.ways) in >> way;
    in >> line.wayOfNew >> line.behind >> colon;
    for (auto& status: line.statuses) in >> status;
    in >> line.role;
    KJ_ASSERT(!in.fail() && colon == ':', text.c_str());
    lines.push_back(line);
  }
  return lines;
}

// What all of the model's histories begin with, and their ops.
class World {
 public:
  World(): base(forge.found("a")) {
    bringIn("b", {forge.device("a")});
    bringIn("c", {forge.device("a"), forge.device("b")});
    bringIn("d", {forge.device("a"), forge.device("b")});
  }

  // As op_of() of the model.
  const SealedOp& opOf(int admin, int way) {
    auto& op = known[{admin, way}];
    if (op.envelope.empty()) op = forge.make(base, payloadOf(admin, way), signersOf(admin, way));
    return op;
  }
  // As op_of_new(): on top of what its author was added by alone.
  const SealedOp& opOfNew(int way, int behind) {
    auto& op = known[{3 + behind, way}];
    if (op.envelope.empty()) {
      auto past = base;
      KJ_ASSERT(past.add(view(opOf(behind, 2).envelope)).has_value());
      auto x = forge.id("x");
      auto payload = way == 1 ? forge.add(past, "y", Role::MEMBER, x)
                              : Forge::remove(past, forge.id(ADMINS[way - 2]));
      Forge::Signers signers = {forge.device("x")};
      if (way > 1) signers.push_back(forge.device("d"));
      op = forge.make(past, payload, signers);
    }
    return op;
  }

  MembershipLog deliver(const std::vector<const SealedOp*>& ops) const {
    auto log = base;
    for (auto* op: ops) KJ_ASSERT(log.add(view(op->envelope)).has_value());
    return log;
  }
  int statusIn(const MembershipLog& log, const char* name) {
    KJ_IF_MAYBE(member, log.state().find(forge.id(name))) return static_cast<int>(member->status);
    return 0;
  }
  int roleOfX(const MembershipLog& log) {
    KJ_IF_MAYBE(member, log.state().find(forge.id("x"))) return member->role == Role::ADMIN;
    return 0;
  }

 private:
  Forge forge;
  MembershipLog base;
  std::map<std::pair<int, int>, SealedOp>
      known;  // by author (3: the new ADMIN, of each way in) and way

  void bringIn(const char* name, const Forge::Signers& signers) {
    auto payload = forge.add(base, name, Role::ADMIN, signers.front().id);
    KJ_ASSERT(base.add(view(forge.make(base, payload, signers).envelope)).has_value());
  }
  const char* other1(int admin) { return ADMINS[admin == 0 ? 1 : 0]; }
  const char* other2(int admin) { return ADMINS[admin == 2 ? 1 : 2]; }

  Payload payloadOf(int admin, int way) {
    auto by = forge.id(ADMINS[admin]);
    if (way == 0 || way == 11) return forge.add(base, "x", Role::MEMBER, by);
    if (way == 1) return forge.add(base, "y", Role::MEMBER, by);
    if (way == 2) return forge.add(base, "x", Role::ADMIN, by);
    if (way == 8) return Forge::remove(base, forge.id("d"));
    bool first = way == 3 || way == 4 || way == 5 || way == 9;
    return Forge::remove(base, forge.id(first ? other1(admin) : other2(admin)));
  }
  Forge::Signers signersOf(int admin, int way) {
    Forge::Signers signers = {forge.device(ADMINS[admin])};
    if (way == 2 || way == 4 || way == 6 || way == 11) signers.push_back(forge.device("d"));
    if (way == 5 || way == 7 || way == 8) signers.push_back(forge.recovery("rec"));
    if (way == 9) signers.push_back(forge.device(other2(admin)));
    if (way == 10) signers.push_back(forge.device(other1(admin)));
    return signers;
  }
};

TEST_CASE("resolution gives what the spin model gives, in all of its histories") {
  World world;
  auto lines = readTable();
  REQUIRE(lines.size() == 3456);
  constexpr const char* NAMES[] = {"a", "b", "c", "d", "x", "y"};
  size_t differing = 0;
  for (auto& line: lines) {
    std::vector<const SealedOp*> ops;
    for (int admin = 0; admin < 3; ++admin) ops.push_back(&world.opOf(admin, line.ways[admin]));
    if (line.wayOfNew > 0) ops.push_back(&world.opOfNew(line.wayOfNew, line.behind));
    auto backwards = ops;
    std::ranges::reverse(backwards);
    backwards.insert(backwards.end(), ops.begin(), ops.end());  // and each comes again
    for (auto& order: {ops, backwards}) {
      auto log = world.deliver(order);
      bool same = world.roleOfX(log) == line.role;
      for (size_t i = 0; i < std::size(NAMES); ++i)
        same = same && world.statusIn(log, NAMES[i]) == line.statuses[i];
      if (!same && ++differing <= 5) {
        UNSCOPED_INFO("history " << line.ways[0] << ' ' << line.ways[1] << ' ' << line.ways[2]
                                 << ' ' << line.wayOfNew << ' ' << line.behind);
      }
    }
  }
  REQUIRE(differing == 0);
}

}  // namespace
}  // namespace hearth::crypto
