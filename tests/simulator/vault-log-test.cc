// The operation log on a VAULT: carried between members that never meet, and read by nobody there.

#include "tests/simulator/vault-home.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::sim {
namespace {

using storage::Draft;
using storage::Tree;

constexpr auto S = kj::SECONDS;

kj::Promise<Result<void>> write(devices::Data& data, std::string key) {
  auto opened = co_await data.documents().open("notes");
  if (!opened) co_return no(opened.error());
  co_return co_await (*opened)->change([key](Draft& draft) { return draft.set({key}, {true}); });
}

kj::Promise<Tree> page(devices::Data& data) {
  auto opened = co_await data.documents().open("notes");
  co_return storage::treeOf(opened.value()->document());
}

size_t entriesOf(Device& device) {
  return VaultHome::data(device).operations().items(storage::ownDocuments()).size();
}

TEST_CASE("members that never meet come into step by a VAULT between them") {
  VaultHome home;
  home.leave(home.laptop);
  REQUIRE(home.await(write(home.data(home.phone), "of the phone")).has_value());
  REQUIRE(home.await(write(home.data(home.laptop), "of the laptop")).has_value());
  home.run(5 * S);
  home.leave(home.phone);
  home.run(5 * S);
  home.comeHome(home.laptop);
  home.run(60 * S);
  auto onLaptop = home.await(page(home.data(home.laptop)));
  REQUIRE(std::get<Tree::Map>(onLaptop.value).size() == 2);
  home.leave(home.laptop);
  home.run(5 * S);
  home.comeHome(home.phone);
  home.run(60 * S);
  REQUIRE(home.await(page(home.data(home.phone))) == onLaptop);
  REQUIRE(home.world.errors().empty());
}

TEST_CASE("a VAULT has every entry and can read none, also after a restart") {
  VaultHome home;
  for (auto key: {"one", "two", "three"})
    REQUIRE(home.await(write(home.data(home.phone), key)).has_value());
  home.run(5 * S);
  home.vault.kill();
  home.vault.start();
  home.run(10 * S);
  REQUIRE(entriesOf(home.vault) == 3);
  REQUIRE(home.await(page(home.data(home.vault))) == Tree{Tree::Map()});
  auto unread = home.await(home.vault.process().database().read(
      [](storage::Database& db) { return storage::entries::unread(db, 0, 1 << 20).size(); }));
  REQUIRE(unread >= 3);
  REQUIRE(
      home.await(write(home.data(home.vault), "of the vault")).error().code == Errc::EPOCH_UNKNOWN);
}

}  // namespace
}  // namespace hearth::sim
