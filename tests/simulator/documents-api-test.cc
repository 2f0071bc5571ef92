// The documents of hearth.h, by apps on devices of a simulated world.

#include "tests/simulator/app-fleet.h"

#include <functional>
#include <string>
#include <vector>

namespace {

using hearth::sim::Fleet;

struct App: hearth::sim::AppOn<App> {
  using AppOn::AppOn;

  static int take(void* app, const char* json, const char*) {
    auto& self = *static_cast<App*>(app);
    self.told.push_back(json);
    return self.told.size() >= self.enough;
  }
  int set(const char* path, const char* json) {
    return hearth_doc_set(hearth, "notes", path, json, error, sizeof(error));
  }
  std::string get(const char* path, hearth_doc_reading* options = nullptr) {
    told.clear();
    auto code = hearth_doc_get(hearth, "notes", path, options, take, this, error, sizeof(error));
    return code == HEARTH_OK ? told.back() : std::to_string(code) + ": " + error;
  }
};

TEST_CASE("what an app writes in a document another one reads on another device, and is told of") {
  Fleet fleet;
  std::vector<int> codes;
  App reader(fleet.world, "laptop", [&](App& app) {
    app.enough = 2;
    codes.push_back(hearth_doc_watch(
        app.hearth, "notes", "/title", App::take, &app, app.error, sizeof(app.error)));
  });
  App writer(fleet.world, "phone", [&](App& app) {
    hearth_world_run(app.world, 3'000, nullptr, 0);
    codes.push_back(app.set("/title", "\"milk\""));
  });
  fleet.untilReturned(120'000);
  REQUIRE(codes == std::vector<int>{HEARTH_OK, HEARTH_OK});
  REQUIRE(reader.told == std::vector<std::string>{"", "\"milk\""});
}

TEST_CASE("an app edits, counts, removes and takes back") {
  Fleet fleet;
  std::vector<std::string> seen;
  App app(fleet.world, "phone", [&](App& app) {
    auto ok = [&](int code) { seen.push_back(code == HEARTH_OK ? "ok" : app.error); };
    ok(app.set("", R"({"text": {"$text": "wörds"}, "count": {"$counter": 1}, "gone": true})"));
    ok(hearth_doc_edit(app.hearth, "notes", "/text", 1, 1, "o", app.error, sizeof(app.error)));
    ok(hearth_doc_add(app.hearth, "notes", "/count", 2, app.error, sizeof(app.error)));
    ok(hearth_doc_remove(app.hearth, "notes", "/gone", app.error, sizeof(app.error)));
    seen.push_back(app.get(""));
    hearth_doc_reading typed = {sizeof(typed), nullptr, 1};
    seen.push_back(app.get("/count", &typed));
    ok(hearth_doc_undo(app.hearth, "notes", app.error, sizeof(app.error)));
    seen.push_back(app.get("/gone"));
    ok(hearth_doc_redo(app.hearth, "notes", app.error, sizeof(app.error)));
    ok(hearth_doc_redo(app.hearth, "notes", app.error, sizeof(app.error)));
    seen.push_back(app.get("/gone"));
    ok(app.set("/x", "{"));
  });
  fleet.untilReturned(120'000);
  REQUIRE(seen[4] == R"({"count":3,"text":"words"})");
  REQUIRE(seen[5] == R"({"$counter":3})");
  REQUIRE(seen[7] == "true");
  REQUIRE(seen[8] == "ok");
  REQUIRE(seen[9] == "nothing was taken back");
  REQUIRE(seen[10].find("nothing is there") != std::string::npos);
  REQUIRE(seen[11].find("no JSON") != std::string::npos);
}

TEST_CASE("an app reads which documents there are, and who wrote what in them when") {
  Fleet fleet;
  std::vector<std::string> names, pieces, diffs;
  std::vector<uint32_t> changes;
  std::string first;
  App app(fleet.world, "phone", [&](App& app) {
    app.set("", R"({"text": {"$text": "words"}, "list": [1, 2], "set": {"$set": []}})");
    auto* error = app.error;
    auto onVersion = [](void* into, const char*, const char* version) {
      *static_cast<std::string*>(into) = version;
      return 0;
    };
    hearth_doc_get(app.hearth, "notes", "", nullptr, onVersion, &first, error, sizeof(app.error));
    hearth_doc_include(app.hearth, "notes", "/set", "5", 1, error, sizeof(app.error));
    hearth_doc_move(app.hearth, "notes", "/list/0", 1, error, sizeof(app.error));
    auto onName = [](void* into, const char* name) {
      static_cast<std::vector<std::string>*>(into)->push_back(name);
      return 0;
    };
    hearth_doc_list(app.hearth, onName, &names, error, sizeof(app.error));
    auto onChange = [](void* into, const hearth_doc_change* change) {
      REQUIRE(std::string(change->device) == "phone");
      REQUIRE(std::string(change->device_id).size() > 8);
      REQUIRE(std::string(change->version).size() > 0);
      static_cast<std::vector<uint32_t>*>(into)->push_back(change->operations);
      return 0;
    };
    hearth_doc_history(app.hearth, "notes", 0, onChange, &changes, error, sizeof(app.error));
    auto onPiece = [](void* into, const hearth_doc_piece* piece) {
      static_cast<std::vector<std::string>*>(into)->push_back(
          std::string(piece->device) + ": " + piece->json);
      return 0;
    };
    hearth_doc_who(app.hearth, "notes", "/text", onPiece, &pieces, error, sizeof(app.error));
    auto onDiff = [](void* into, const char* json, const char*) {
      static_cast<std::vector<std::string>*>(into)->push_back(json);
      return 0;
    };
    hearth_doc_diff(
        app.hearth, "notes", first.c_str(), nullptr, onDiff, &diffs, error, sizeof(app.error));
    REQUIRE(app.get("") == R"({"list":[2,1],"set":[5],"text":"words"})");
  });
  fleet.untilReturned(120'000);
  REQUIRE(names == std::vector<std::string>{"notes"});
  REQUIRE(!changes.empty());
  REQUIRE(changes.front() > 0);
  REQUIRE(pieces == std::vector<std::string>{R"(phone: "words")"});
  REQUIRE(diffs.size() == 1);
  REQUIRE(diffs[0].find("/set") != std::string::npos);
  REQUIRE(diffs[0].find("/text") == std::string::npos);
}

TEST_CASE("calls on documents refuse what is missing") {
  char error[128];
  REQUIRE(hearth_doc_list(nullptr, nullptr, nullptr, error, sizeof(error)) == HEARTH_USAGE);
  REQUIRE(
      hearth_doc_history(nullptr, "a", 0, nullptr, nullptr, error, sizeof(error)) == HEARTH_USAGE);
  REQUIRE(hearth_doc_who(nullptr, "a", "", nullptr, nullptr, error, sizeof(error)) == HEARTH_USAGE);
  auto patch = [](void*, const char*, const char*) { return 0; };
  REQUIRE(hearth_doc_diff(nullptr, "a", nullptr, nullptr, patch, nullptr, error, sizeof(error)) ==
      HEARTH_USAGE);
  REQUIRE(hearth_doc_include(nullptr, "a", "", nullptr, 1, error, sizeof(error)) == HEARTH_USAGE);
  REQUIRE(hearth_doc_set(nullptr, "a", "", "{}", error, sizeof(error)) == HEARTH_USAGE);
  REQUIRE(hearth_doc_set(nullptr, "a", "", nullptr, error, sizeof(error)) == HEARTH_USAGE);
  REQUIRE(hearth_doc_get(nullptr, "a", "", nullptr, nullptr, nullptr, error, sizeof(error)) ==
      HEARTH_USAGE);
  REQUIRE(std::string(error).find("callback") != std::string::npos);
  auto take = [](void*, const char*, const char*) { return 0; };
  hearth_doc_reading other = {.size = sizeof(hearth_doc_reading) - 1};
  REQUIRE(hearth_doc_get(nullptr, "a", "", &other, take, nullptr, error, sizeof(error)) ==
      HEARTH_USAGE);
  REQUIRE(std::string(error).find("sizeof(struct hearth_doc_reading)") != std::string::npos);
}

}  // namespace
