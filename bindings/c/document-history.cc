// What documents there are, and their history, for hearth.h.

#include "bindings/c/document-call.h"

using namespace hearth;
using local::Document;
using local::ErrorLine;
using local::Line;
using local::needsJson;
using local::onDocument;

namespace {

// Tells the app of one after the other, until it wants no more.
template <typename List, typename Tell>
int tellEach(Line& line, List list, Tell&& tell) {
  for (auto one: list) {
    int answer = 0;
    line.onCaller([&]() { answer = tell(one); });
    if (answer != 0) break;
  }
  return HEARTH_OK;
}

int needsCallback(char* error, size_t errorSize) {
  return ErrorLine{error, errorSize}.say(HEARTH_USAGE, "that call needs a callback");
}

}  // namespace

int hearth_doc_list(hearth_t* h, hearth_on_name onName, void* user, char* error, size_t errorSize) {
  if (onName == nullptr) return needsCallback(error, errorSize);
  ErrorLine line{error, errorSize};
  if (h == nullptr) return line.say(HEARTH_USAGE, "hearth_doc_list needs a handle");
  return local::guarded(line, [&]() {
    return h->transport->call(
        [&](Line& connected) -> kj::Promise<int> {
          auto documents = connected.daemon().documentsRequest().send().getDocuments();
          auto answer = co_await documents.listRequest().send();
          co_return tellEach(connected, answer.getNames(),
              [&](capnp::Text::Reader name) { return onName(user, name.cStr()); });
        },
        line);
  });
}

int hearth_doc_history(hearth_t* h, const char* name, uint32_t most, hearth_on_change onChange,
    void* user, char* error, size_t errorSize) {
  if (onChange == nullptr) return needsCallback(error, errorSize);
  return onDocument(h, name, "", error, errorSize,
      [&](Line& line, Document::Client document, ErrorLine) -> kj::Promise<int> {
        auto request = document.changesRequest();
        request.setMost(most == 0 ? UINT32_MAX : most);
        auto answer = co_await request.send();
        co_return tellEach(line, answer.getChanges(), [&](Document::Change::Reader change) {
          hearth_doc_change told{change.getVersion().cStr(), change.getDevice().cStr(),
              change.getDeviceId().cStr(), change.getTimeMs(), change.getOperations()};
          return onChange(user, &told);
        });
      });
}

int hearth_doc_who(hearth_t* h, const char* name, const char* path, hearth_on_piece onPiece,
    void* user, char* error, size_t errorSize) {
  if (onPiece == nullptr) return needsCallback(error, errorSize);
  return onDocument(h, name, path, error, errorSize,
      [&](Line& line, Document::Client document, ErrorLine) -> kj::Promise<int> {
        auto request = document.authorsRequest();
        request.setPath(path);
        auto answer = co_await request.send();
        co_return tellEach(line, answer.getPieces(), [&](Document::Piece::Reader piece) {
          hearth_doc_piece told{piece.getJson().cStr(), piece.getDevice().cStr(),
              piece.getDeviceId().cStr(), piece.getTimeMs()};
          return onPiece(user, &told);
        });
      });
}

int hearth_doc_diff(hearth_t* h, const char* name, const char* from, const char* to,
    hearth_on_json onJson, void* user, char* error, size_t errorSize) {
  if (onJson == nullptr) return needsJson(error, errorSize);
  if (from == nullptr)
    return ErrorLine{error, errorSize}.say(
        HEARTH_USAGE, "hearth_doc_diff needs a version: hearth_doc_history tells them");
  return onDocument(h, name, "", error, errorSize,
      [&](Line& line, Document::Client document, ErrorLine) -> kj::Promise<int> {
        auto request = document.diffRequest();
        request.setFrom(from);
        if (to != nullptr) request.setTo(to);
        auto answer = co_await request.send();
        line.onCaller([&]() { onJson(user, answer.getJson().cStr(), to == nullptr ? "" : to); });
        co_return HEARTH_OK;
      });
}
