#include "storage/crdt/text-log.h"

#include "storage/crdt/rope.h"

#include <algorithm>

namespace hearth::storage {

void TextLog::insert(EventRange events, uint32_t at, std::string_view utf8) {
  KJ_REQUIRE(codePoints(utf8) == events.size(), "an event for each code point");
  auto contentAt = content_.size();
  content_.append(utf8);
  if (isNewest(events)) {
    auto& last = runs_.back();
    bool follows = last.kind == Kind::INSERT && last.at + last.events.size() == at &&
        last.contentAt + last.contentBytes == contentAt;
    if (follows) {
      last.events.end = events.end;
      last.contentBytes += utf8.size();
      return;
    }
  }
  runs_.push_back({Kind::INSERT, events, at, contentAt, utf8.size()});
}

void TextLog::erase(EventRange events, uint32_t at) {
  if (events.size() == 1 && goesBackTo(events, at)) return backspace(events, at);
  bool follows = isNewest(events) && runs_.back().kind == Kind::DELETE && runs_.back().at == at;
  if (follows) {
    runs_.back().events.end = events.end;
  } else {
    runs_.push_back({Kind::DELETE, events, at});
  }
}

void TextLog::backspace(EventRange events, uint32_t at) {
  KJ_REQUIRE(events.size() <= at + 1, "more than there is in front");
  if (goesBackTo(events, at)) {
    runs_.back().kind = Kind::BACKSPACE;
    runs_.back().events.end = events.end;
  } else {
    runs_.push_back({events.size() == 1 ? Kind::DELETE : Kind::BACKSPACE, events, at});
  }
}

// Whether events follow the last run at once. Requires that they are beyond all that are here.
bool TextLog::isNewest(EventRange events) const {
  if (runs_.empty()) return false;
  KJ_REQUIRE(runs_.back().events.end <= events.begin, "events that are here");
  return runs_.back().events.end == events.begin;
}

// Whether a code point in front of all that the last run has deleted is deleted now.
bool TextLog::goesBackTo(EventRange events, uint32_t at) const {
  if (!isNewest(events)) return false;
  auto& last = runs_.back();
  auto count = last.events.size();
  bool isBack = last.kind == Kind::BACKSPACE || (last.kind == Kind::DELETE && count == 1);
  return isBack && last.at >= count && at == last.at - count;
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
