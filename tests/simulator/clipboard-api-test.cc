// The clipboard and presence of hearth.h, by apps on devices of a simulated world.

#include "tests/simulator/app-fleet.h"

#include <functional>
#include <string>
#include <vector>

namespace {

using hearth::sim::Fleet;
using Told = std::vector<std::string>;

struct App: hearth::sim::AppOn<App> {
  using AppOn::AppOn;

  void sleep(int64_t ms) { hearth_world_run(world, ms, nullptr, 0); }
  int tell(std::string text) {
    told.push_back(std::move(text));
    return told.size() >= enough;
  }

  static int takeClips(void* app, const hearth_clip* clips, size_t count) {
    std::string all;
    for (size_t i = 0; i < count; ++i) {
      auto& clip = clips[i];
      all += all.empty() ? "" : " ";
      all += clip.secret != 0 ? "(secret)" : clip.preview;
      if (clip.bytes != nullptr)
        all += "=" + std::string(static_cast<const char*>(clip.bytes), clip.size);
    }
    return static_cast<App*>(app)->tell(all);
  }
  int copy(const char* text, const hearth_copying* options = nullptr) {
    return hearth_clip_copy(hearth, text, strlen(text), options, error, sizeof(error));
  }
  std::string paste() {
    auto code = hearth_clip_paste(hearth, nullptr, takeClips, this, error, sizeof(error));
    return code == HEARTH_OK ? told.back() : error;
  }

  static int takeThere(void* app, const hearth_there* there, size_t count) {
    std::string all;
    for (size_t i = 0; i < count; ++i)
      all += (i == 0 ? "" : " ") + std::string(there[i].json) + (there[i].own != 0 ? "!" : "");
    return static_cast<App*>(app)->tell("[" + all + "]");
  }
  static int takeSaid(void* app, const char*, const char*, const char* json) {
    return static_cast<App*>(app)->tell(json);
  }
  int attend(const char* json) {
    return hearth_doc_attend(
        hearth, "notes", json, takeThere, takeSaid, this, error, sizeof(error));
  }
};

TEST_CASE("what an app copies another one pastes on another device, and a watch is told of") {
  Fleet fleet;
  std::vector<int> codes;
  App watcher(fleet.world, "laptop", [&](App& app) {
    app.enough = 3;
    codes.push_back(
        hearth_clip_watch(app.hearth, App::takeClips, &app, app.error, sizeof(app.error)));
  });
  App copier(fleet.world, "phone", [&](App& app) {
    app.sleep(3'000);
    codes.push_back(app.copy("milk"));
    app.sleep(3'000);
    hearth_copying secret = {sizeof(secret), nullptr, -1, 1};
    codes.push_back(app.copy("bread", &secret));
    app.told.push_back(app.paste());
    codes.push_back(
        hearth_clip_list(app.hearth, App::takeClips, &app, app.error, sizeof(app.error)));
    app.sleep(3'000);
    codes.push_back(hearth_clip_clear(app.hearth, app.error, sizeof(app.error)));
    app.told.push_back(app.paste());
  });
  fleet.untilReturned(120'000);
  REQUIRE(codes == std::vector<int>(5, HEARTH_OK));
  REQUIRE(watcher.told == Told{"", "milk", "(secret) milk"});
  REQUIRE(copier.told[0] == "(secret)=bread");
  REQUIRE(copier.told[2] == "(secret) milk");
  REQUIRE(copier.told[3].find("empty") != std::string::npos);
}

TEST_CASE("what an app copies for a second is gone after it") {
  Fleet fleet;
  App app(fleet.world, "phone", [&](App& app) {
    hearth_copying brief = {sizeof(brief), "text/plain", 1'000, 0};
    app.told.push_back(std::to_string(app.copy("milk", &brief)));
    app.told.push_back(app.paste());
    app.sleep(1'500);
    app.told.push_back(app.paste());
    hearth_copying endless = {sizeof(endless), nullptr, INT64_MAX, 0};
    app.told.push_back(std::to_string(app.copy("milk", &endless)));
  });
  fleet.untilReturned(120'000);
  REQUIRE(app.told[0] == "0");
  REQUIRE(app.told[2] == "milk=milk");
  REQUIRE(app.told[3].find("empty") != std::string::npos);
  REQUIRE(app.told[4] == std::to_string(HEARTH_FAILED));
}

TEST_CASE("apps at a document see each other, say something else of themselves, and speak") {
  Fleet fleet;
  std::vector<int> codes;
  App one(fleet.world, "laptop", [&](App& app) {
    app.enough = 5;  // alone, two, another value, what is said, alone again
    codes.push_back(app.attend("1"));
  });
  App other(fleet.world, "phone", [&](App& app) {
    app.sleep(3'000);
    app.enough = 2;
    app.attend("2");
  });
  App hand(fleet.world, "phone", [&](App& app) {
    app.sleep(6'000);
    codes.push_back(hearth_doc_become(other.hearth, "3", app.error, sizeof(app.error)));
    app.sleep(3'000);
    codes.push_back(hearth_doc_say(app.hearth, "notes", "\"hello\"", app.error, sizeof(app.error)));
    app.sleep(1'000);
    hearth_doc_present(app.hearth, "notes", App::takeThere, &app, app.error, sizeof(app.error));
    hearth_cancel(other.hearth);
  });
  fleet.untilReturned(120'000);
  REQUIRE(codes == std::vector<int>(3, HEARTH_OK));
  REQUIRE(one.told.front() == "[1!]");
  REQUIRE(one.told.back() == "\"hello\"");
  REQUIRE(other.told.size() == 2);
}

TEST_CASE("calls on the clipboard and on presence refuse what is missing") {
  char error[128];
  auto clips = [](void*, const hearth_clip*, size_t) { return 0; };
  auto there = [](void*, const hearth_there*, size_t) { return 0; };
  REQUIRE(hearth_clip_copy(nullptr, "a", 1, nullptr, error, sizeof(error)) == HEARTH_USAGE);
  REQUIRE(
      hearth_clip_paste(nullptr, nullptr, clips, nullptr, error, sizeof(error)) == HEARTH_USAGE);
  REQUIRE(std::string(error).find("handle") != std::string::npos);
  REQUIRE(hearth_doc_attend(nullptr, "a", nullptr, nullptr, nullptr, nullptr, error,
              sizeof(error)) == HEARTH_USAGE);
  REQUIRE(std::string(error).find("callback") != std::string::npos);
  REQUIRE(hearth_doc_present(nullptr, "a", there, nullptr, error, sizeof(error)) == HEARTH_USAGE);
  REQUIRE(hearth_doc_say(nullptr, "a", nullptr, error, sizeof(error)) == HEARTH_USAGE);
  REQUIRE(hearth_doc_become(nullptr, "1", error, sizeof(error)) == HEARTH_USAGE);
}

}  // namespace
