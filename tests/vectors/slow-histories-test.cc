// The slow account of SECURITY.md §5.4 that random tests compare with is itself held to the published
// histories.

#include "apps/hearth-vectors/history.h"
#include "tests/crypto/slow-resolve.h"

#include <catch2/catch_test_macros.hpp>
#include <fstream>

namespace hearth::vectors {
namespace {

TEST_CASE("the slow account of resolution agrees on the published histories") {
  auto path = std::string(HEARTH_SOURCE_DIR "/../shared/data/membership/histories.json");
  std::ifstream stream(path);
  if (!stream) SKIP("no published histories: " + path + " is not there");
  auto file = Json::parse(stream);
  constexpr size_t OPS_MAX = 30;  // the few longer ones are about allowances and limits
  size_t compared = 0;
  for (auto& entry: file.at("histories")) {
    auto name = entry.at("name").get<std::string>();
    CAPTURE(name);
    if (entry.at("ops").size() > OPS_MAX || name.find("limit of 16") != name.npos) continue;
    bool isBad = false;
    for (auto& op: entry.at("ops")) isBad = isBad || op.contains("bad");
    History history(entry.at("ops"));
    crypto::MembershipLog log(history.circle());
    crypto::slow::Circle slow;
    for (auto& op: history.ops()) {
      auto& envelope = op.sealed.envelope;
      auto bytes = kj::arrayPtr(envelope.data(), envelope.size());
      bool stored = log.add(bytes).has_value();
      // Form, signatures and consent are not the slow account's: it is given what has passed.
      bool isOp = crypto::SealedOp::open(bytes).has_value();
      if (isOp && (!isBad || stored)) slow.give(op.sealed);
    }
    REQUIRE(slow.compare(log) == "");
    ++compared;
  }
  REQUIRE(compared >= 290);
}

}  // namespace
}  // namespace hearth::vectors
