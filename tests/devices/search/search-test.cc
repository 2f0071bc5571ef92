#include "devices/search/search.h"
#include "tests/storage/log/site.h"

#include <catch2/catch_test_macros.hpp>

namespace hearth::devices {
namespace {

using storage::Draft;
using storage::Tree;

// A device with documents, on a clock that is moved by hand.
struct Writer: storage::TwoSites {
  kj::TimerImpl timer{kj::origin<kj::TimePoint>()};
  kj::Own<Search> search;

  Writer() {
    begin();
    settle();
  }
  void begin() {
    search = kj::heap<Search>(Indexer::Surroundings{timer, *anna->store, anna->documents, nullptr});
    search->start();
  }
  void settle() {
    for (int i = 0; i < 200; ++i) uv.waitScope.poll();
  }
  void pass(kj::Duration time) {
    for (auto end = timer.now() + time; timer.now() < end;) {
      timer.advanceTo(timer.now() + 100 * kj::MILLISECONDS);
      settle();
    }
  }
  // As a machine that loses its power: what was not synced is gone.
  void crash() {
    search = nullptr;
    restart(anna);
    begin();
  }
  void change(const char* name, kj::Function<Result<void>(Draft&)> make) {
    auto opened = anna->documents.open(name).wait(uv.waitScope);
    REQUIRE(opened.has_value());
    auto done = (*opened)->change(kj::mv(make)).wait(uv.waitScope);
    REQUIRE(done.has_value());
  }
  void set(const char* name, std::string text) {
    change(name, [&](Draft& draft) { return draft.set({"text"}, Tree{text}); });
  }
  Search::Answer find(std::string typed) {
    return search->find(kj::mv(typed), {}, 100).wait(uv.waitScope);
  }
  std::vector<std::string> names(std::string typed) {
    std::vector<std::string> names;
    for (auto& found: find(kj::mv(typed)).found) names.push_back(found.name);
    return names;
  }
};

using Names = std::vector<std::string>;

TEST_CASE("what is written is found two seconds later, with a snippet") {
  Writer writer;
  writer.set("notes", "Ring the dentist");
  REQUIRE(writer.find("dentist").owed == 1);
  REQUIRE(writer.names("dentist").empty());
  writer.pass(Indexer::QUIET_FOR + 1 * kj::SECONDS);
  auto answer = writer.find("dentist");
  REQUIRE(answer.found.size() == 1);
  REQUIRE(answer.found[0].name == "notes");
  REQUIRE(answer.found[0].snippet.text == "Ring the dentist ");
  REQUIRE(answer.matches == 1);
  REQUIRE(answer.owed == 0);
}

TEST_CASE("what somebody writes without a pause is found after half a minute") {
  Writer writer;
  for (int i = 0; i < 70; ++i) {
    writer.set("notes", "milk " + std::to_string(i));
    writer.pass(500 * kj::MILLISECONDS);
  }
  REQUIRE(writer.names("milk") == Names{"notes"});
}

TEST_CASE("a document is found by what is in it now, and not at all once it is empty") {
  Writer writer;
  writer.set("notes", "milk");
  writer.pass(5 * kj::SECONDS);
  writer.set("notes", "bread");
  writer.pass(5 * kj::SECONDS);
  REQUIRE(writer.names("milk").empty());
  REQUIRE(writer.names("bread") == Names{"notes"});
  writer.change("notes", [](Draft& draft) { return draft.remove({"text"}); });
  writer.pass(5 * kj::SECONDS);
  REQUIRE(writer.names("bread").empty());
  REQUIRE(writer.names("notes").empty());
}

TEST_CASE("what was owed when a device stopped is made up for when it starts") {
  Writer writer;
  for (int i = 0; i < 200; ++i)
    writer.set(("n" + std::to_string(i)).c_str(), "milk number" + std::to_string(i));
  writer.crash();
  writer.pass(10 * kj::SECONDS);
  REQUIRE(writer.find("milk").matches == 200);
  REQUIRE(writer.names("number117") == Names{"n117"});
}

TEST_CASE("a device that stops again and again while it makes the index comes to its end") {
  Writer writer;
  for (int i = 0; i < 300; ++i) writer.set(("n" + std::to_string(i)).c_str(), "milk");
  uint64_t stops = 0;
  for (; writer.find("milk").owed > 0; ++stops) {
    writer.crash();
    for (uint64_t i = 0; i < stops * 20; ++i) writer.uv.waitScope.poll(1);
    writer.timer.advanceTo(writer.timer.now() + 100 * kj::MILLISECONDS);
    REQUIRE(stops < 1'000);
  }
  REQUIRE(stops > 1);
  REQUIRE(writer.find("milk").matches == 300);
}

TEST_CASE("what another device has written is found here") {
  Writer writer;
  auto opened = writer.ben->documents.open("bens").wait(writer.uv.waitScope);
  auto done = (*opened)
                  ->change([](Draft& draft) { return draft.set({"t"}, Tree{std::string("oats")}); })
                  .wait(writer.uv.waitScope);
  REQUIRE(done.has_value());
  writer.anna->takeAllOf(*writer.ben, writer.uv.waitScope);
  writer.pass(5 * kj::SECONDS);
  REQUIRE(writer.names("oats") == Names{"bens"});
}

TEST_CASE("while nothing changes nothing is done") {
  Writer writer;
  writer.set("notes", "milk");
  writer.pass(5 * kj::SECONDS);
  auto commits = writer.anna->store->commits();
  writer.pass(60 * kj::SECONDS);
  REQUIRE(writer.anna->store->commits() == commits);
  REQUIRE(writer.timer.nextEvent() == nullptr);
}

}  // namespace
}  // namespace hearth::devices
