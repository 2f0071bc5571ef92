// hearth doc: the documents of the circle.

#include "apps/hearth/client.h"
#include "apps/hearth/commands.h"
#include "apps/hearth/editor.h"
#include "apps/hearth/whole-file.h"

#include <kj/debug.h>

#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

namespace hearth::cli {

namespace {

using nlohmann::json;

std::string standardInput() {
  return {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
}

// An opened document.
class Doc {
  template <typename Promise>
  auto wait(Promise promise) {
    return promise.wait(client.waitScope());
  }

 public:
  Doc(const Common& common, const DocOptions& options)
      : client(common.home.c_str()),
        common(common),
        options(options) {
    auto request = client.daemon().documentsRequest().send().getDocuments().openRequest();
    request.setName(options.name);
    document = wait(request.send()).getDocument();
  }

  int get() {
    auto request = document.readRequest();
    request.setPath(options.path);
    request.setVersion(options.version);
    request.setTyped(options.typed);
    auto read = wait(request.send());
    auto value = json::parse(read.getJson().cStr());
    if (common.json) {
      printJson({{"value", value}, {"version", read.getVersion().cStr()}});
    } else if (value.is_string() && !options.typed) {
      std::cout << value.get<std::string>() << "\n";
    } else {
      std::cout << value.dump(2) << "\n";
    }
    return DONE;
  }

  int set() {
    auto text = options.value == "-" ? standardInput() : options.value;
    return setTo(options.as.empty() ? text : json{{"$" + options.as, contentFor(text)}}.dump(), "");
  }

  int remove() { return changed(onPath(document.removeRequest())); }

  int edit() {
    if (options.isEdit) {
      auto request = document.editRequest();
      request.setAt(options.at);
      request.setErased(options.erased);
      request.setTyped(options.typedText);
      return changed(kj::mv(request));
    }
    return editInEditor();
  }

  int add() {
    auto request = document.addRequest();
    request.setCount(options.count);
    return changed(kj::mv(request));
  }

  int include(bool included) {
    auto request = document.includeRequest();
    request.setJson(options.value);
    request.setIncluded(included);
    return changed(kj::mv(request));
  }

  int move() {
    auto request = document.moveRequest();
    request.setTo(options.to);
    return changed(kj::mv(request));
  }

  int undo() {
    return takenBack(document.undoRequest(), "nothing of this device's is left to take back");
  }
  int redo() { return takenBack(document.redoRequest(), "nothing was taken back"); }

  int history() {
    auto request = document.changesRequest();
    request.setMost(options.most);
    auto answer = wait(request.send());
    std::vector<std::vector<std::string>> rows = {{"VERSION", "DEVICE", "WHEN", "OPERATIONS"}};
    for (auto change: answer.getChanges()) {
      rows.push_back({change.getVersion().cStr(), change.getDevice().cStr(),
          ago(change.getTimeMs()), std::to_string(change.getOperations())});
      if (common.json)
        printJson({{"version", change.getVersion().cStr()}, {"device", change.getDevice().cStr()},
            {"id", change.getDeviceId().cStr()}, {"time_ms", change.getTimeMs()},
            {"operations", change.getOperations()}});
    }
    if (!common.json) printTable(rows);
    return DONE;
  }

  int who() {
    auto request = document.authorsRequest();
    request.setPath(options.path);
    auto answer = wait(request.send());
    std::vector<std::vector<std::string>> rows = {{"DEVICE", "WHEN", "WHAT"}};
    for (auto piece: answer.getPieces()) {
      auto content = json::parse(piece.getJson().cStr());
      rows.push_back({piece.getDevice().cStr(), ago(piece.getTimeMs()), content.dump()});
      if (common.json)
        printJson({{"device", piece.getDevice().cStr()}, {"id", piece.getDeviceId().cStr()},
            {"time_ms", piece.getTimeMs()}, {"value", content}});
    }
    if (!common.json) printTable(rows);
    return DONE;
  }

  int diff() {
    auto request = document.diffRequest();
    request.setFrom(options.from);
    request.setTo(options.version);
    auto patch = json::parse(wait(request.send()).getJson().cStr());
    if (common.json) {
      printJson(patch);
    } else {
      for (auto& step: patch) std::cout << step.dump() << "\n";
    }
    return DONE;
  }

  int watch() {
    auto request = document.watchRequest();
    request.setPath(options.path);
    request.setWatcher(kj::heap<Watcher>());
    client.untilInterrupted(request.send().ignoreResult());
    return DONE;
  }

  // All of it is here before anything is written.
  int exportTo() {
    auto content = options.binary ? bundles() : typedJson();
    if (!options.out.empty()) {
      writeWhole(options.out, content);
      return DONE;
    }
    std::cout << content << std::flush;
    if (!std::cout) throw Failure{FAILED, "the document could not be written whole"};
    return DONE;
  }

 private:
  Client client;
  const Common& common;
  const DocOptions& options;
  local::Document::Client document = nullptr;

  // Prints what is there, again and again.
  class Watcher final: public local::DocumentWatcher::Server {
   public:
    kj::Promise<void> changed(ChangedContext context) override {
      auto params = context.getParams();
      bool isThere = params.getJson().size() > 0;
      printJson({{"value", isThere ? json::parse(params.getJson().cStr()) : json()},
          {"there", isThere}, {"version", params.getVersion().cStr()}});
      std::cout.flush();
      return kj::READY_NOW;
    }
  };

  // docs/PROTOCOL.md, "Documents": bundles, each with its length in front.
  std::string bundles() {
    std::string content;
    auto answer = wait(document.bundlesRequest().send());
    for (auto bundle: answer.getBundles()) {
      auto size = static_cast<uint32_t>(bundle.size());
      for (int i = 0; i < 4; ++i) content.push_back(static_cast<char>(size >> (8 * i)));
      content.append(bundle.asChars().begin(), size);
    }
    return content;
  }

  std::string typedJson() {
    auto request = document.readRequest();
    request.setTyped(true);
    return json::parse(wait(request.send()).getJson().cStr()).dump(2) + "\n";
  }

  template <typename Request>
  Request onPath(Request request) {
    request.setPath(options.path);
    return request;
  }

  template <typename Request>
  int changed(Request request) {
    request.setPath(options.path);
    auto version = std::string(wait(request.send()).getVersion().cStr());
    if (common.json) printJson({{"version", version}});
    return DONE;
  }

  template <typename Request>
  int takenBack(Request request, const char* nothing) {
    auto answer = wait(request.send());
    if (!answer.getDone()) throw Failure{FAILED, nothing};
    if (common.json) printJson({{"version", answer.getVersion().cStr()}});
    return DONE;
  }

  int setTo(const std::string& value, const std::string& since) {
    auto request = document.setRequest();
    request.setJson(value);
    request.setSince(since);
    return changed(kj::mv(request));
  }

  // What --text, --counter and --set make of the argument.
  json contentFor(const std::string& text) const {
    if (options.as == "text") return text;
    auto content = json::parse(text, nullptr, false);
    if (content.is_discarded()) throw Failure{USAGE, "that is no JSON: " + text};
    return content;
  }

  // What others change meanwhile stays.
  int editInEditor() {
    auto request = document.readRequest();
    request.setPath(options.path);
    request.setTyped(true);
    auto read = wait(request.send());
    auto value = json::parse(read.getJson().cStr());
    bool isText = value.is_object() && value.contains("$text");
    auto before = isText ? value["$text"].get<std::string>() : value.dump(2) + "\n";
    EditedByPerson edited(before, isText ? ".txt" : ".json");
    auto& after = edited.text();
    if (after == before) return DONE;
    try {
      return setTo(isText ? json{{"$text", after}}.dump() : after, read.getVersion().cStr());
    } catch (const kj::Exception& e) {
      auto failure = failureOf(e);
      failure.line += "; what you wrote is kept in " + edited.keep();
      throw failure;
    } catch (const json::exception&) {
      throw Failure{FAILED, "what you wrote is no text in UTF-8; it is kept in " + edited.keep()};
    }
  }
};

}  // namespace

int doc(const Common& common, const std::string& what, const DocOptions& options) {
  if (what == "present" || what == "attend" || what == "say")
    return docPresence(common, what, options);
  Doc doc(common, options);
  if (what == "get") return doc.get();
  if (what == "set") return doc.set();
  if (what == "remove") return doc.remove();
  if (what == "edit") return doc.edit();
  if (what == "add") return doc.add();
  if (what == "include") return doc.include(true);
  if (what == "exclude") return doc.include(false);
  if (what == "move") return doc.move();
  if (what == "undo") return doc.undo();
  if (what == "redo") return doc.redo();
  if (what == "history") return doc.history();
  if (what == "who") return doc.who();
  if (what == "diff") return doc.diff();
  if (what == "watch") return doc.watch();
  KJ_REQUIRE(what == "export", what.c_str());
  return doc.exportTo();
}

int docList(const Common& common) {
  Client client(common.home.c_str());
  auto documents = client.daemon().documentsRequest().send().getDocuments();
  auto answer = documents.listRequest().send().wait(client.waitScope());
  for (auto name: answer.getNames()) {
    if (common.json) {
      printJson({{"name", name.cStr()}});
    } else {
      std::cout << name.cStr() << "\n";
    }
  }
  return DONE;
}

}  // namespace hearth::cli
