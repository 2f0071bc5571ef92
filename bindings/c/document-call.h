#pragma once
// A call of hearth.h that is about one document.

#include "bindings/c/handle.h"

namespace hearth::local {

inline Document::Client opened(Line& line, const char* name) {
  auto request = line.daemon().documentsRequest().send().getDocuments().openRequest();
  request.setName(name);
  return request.send().getDocument();
}

// Opens the document and does something with it.
template <typename Work>
int onDocument(
    hearth_t* h, const char* name, const char* path, char* error, size_t errorSize, Work&& work) {
  ErrorLine line{error, errorSize};
  if (h == nullptr || name == nullptr || path == nullptr)
    return line.say(HEARTH_USAGE, "a document's call needs a handle, a name and a path");
  return guarded(line, [&]() {
    return h->transport->call(
        [&](Line& connected) { return work(connected, opened(connected, name), line); }, line);
  });
}

inline int needsJson(char* error, size_t errorSize) {
  return ErrorLine{error, errorSize}.say(
      HEARTH_USAGE, "that call needs JSON, or a callback for it");
}

}  // namespace hearth::local
