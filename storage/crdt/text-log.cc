#include "storage/crdt/text-log.h"

#include "storage/crdt/rope.h"

#include <algorithm>

namespace hearth::storage {

void TextLog::insert(EventRange events, uint32_t at, std::string_view utf8) {
  KJ_REQUIRE(runs_.empty() || runs_.back().events.end <= events.begin, "events that are here");
  KJ_REQUIRE(codePoints(utf8) == events.size(), "an event for each code point");
  auto contentAt = static_cast<uint32_t>(content_.size());
  auto bytes = static_cast<uint32_t>(utf8.size());
  content_.append(utf8);
  if (!runs_.empty()) {
    auto& last = runs_.back();
    bool follows = last.kind == Kind::INSERT && last.events.end == events.begin &&
        last.at + last.events.size() == at && last.contentAt + last.contentBytes == contentAt;
    if (follows) {
      last.events.end = events.end;
      last.contentBytes += bytes;
      return;
    }
  }
  runs_.push_back({Kind::INSERT, events, at, contentAt, bytes});
}

void TextLog::erase(EventRange events, uint32_t at) {
  KJ_REQUIRE(runs_.empty() || runs_.back().events.end <= events.begin, "events that are here");
  if (!runs_.empty() && extendsErasing(runs_.back(), events, at)) return;
  runs_.push_back({Kind::DELETE, events, at});
}

bool TextLog::extendsErasing(Run& last, EventRange events, uint32_t at) {
  if (last.kind == Kind::INSERT || last.events.end != events.begin) return false;
  auto count = last.events.size();
  if (last.kind == Kind::DELETE && last.at == at) {
    last.events.end = events.end;
    return true;
  }
  bool back = (last.kind == Kind::BACKSPACE || count == 1) && events.size() == 1 &&
      last.at >= count && at == last.at - count;
  if (!back) return false;
  last.kind = Kind::BACKSPACE;
  last.events.end = events.end;
  return true;
}

size_t TextLog::firstEndingBeyond(Event event) const {
  auto found = std::ranges::upper_bound(runs_, event, {}, [](auto& run) { return run.events.end; });
  return static_cast<size_t>(found - runs_.begin());
}

TextLog::Piece TextLog::pieceOf(const Run& run, EventRange events) const {
  auto begin = kj::max(run.events.begin, events.begin);
  auto end = kj::min(run.events.end, events.end);
  auto skipped = begin - run.events.begin;
  Piece piece{run.kind, {begin, end}, run.at, {}};
  if (run.kind == Kind::BACKSPACE) piece.at -= skipped;
  if (run.kind != Kind::INSERT) return piece;
  piece.at += skipped;
  piece.content = std::string_view(content_).substr(run.contentAt, run.contentBytes);
  if (run.contentBytes == run.events.size()) {  // ASCII
    piece.content = piece.content.substr(skipped, piece.events.size());
    return piece;
  }
  piece.content.remove_prefix(bytesOf(piece.content, skipped));
  piece.content = piece.content.substr(0, bytesOf(piece.content, piece.events.size()));
  return piece;
}

}  // namespace hearth::storage
