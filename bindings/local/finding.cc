#include "bindings/local/finding.h"

#include "bindings/local/refuse.h"

namespace hearth::local {

namespace {

using storage::search::Kind;

std::optional<Kind> kindOf(FoundKind kind) {
  switch (kind) {
    case FoundKind::ANYTHING:
      return std::nullopt;
    case FoundKind::DOCUMENT:
      return Kind::DOCUMENT;
    case FoundKind::FILE:
      return Kind::FILE;
    case FoundKind::EXTRACTED:
      return Kind::EXTRACTED;
  }
  refuse("no such kind");
}

FoundKind kindOf(Kind kind) {
  if (kind == Kind::DOCUMENT) return FoundKind::DOCUMENT;
  return kind == Kind::FILE ? FoundKind::FILE : FoundKind::EXTRACTED;
}

void write(const devices::Search::Found& found, Found::Builder out) {
  out.setKind(kindOf(found.kind));
  out.setName(found.name.c_str());
  out.setFolder(found.folder.c_str());
  out.setPath(found.path.c_str());
  out.setSnippet(found.snippet.text.c_str());
  out.setHasBefore(found.snippet.hasBefore);
  out.setHasAfter(found.snippet.hasAfter);
  out.setScore(found.score);
  auto marks = out.initMarks(static_cast<kj::uint>(found.snippet.marks.size()));
  for (kj::uint i = 0; i < marks.size(); ++i) {
    marks[i].setBegin(static_cast<uint32_t>(found.snippet.marks[i].begin));
    marks[i].setEnd(static_cast<uint32_t>(found.snippet.marks[i].end));
  }
}

}  // namespace

kj::Promise<void> answer(devices::Search& search, Daemon::FindParams::Reader params,
    Daemon::FindResults::Builder results) {
  if (params.getMost() > devices::Search::FOUND_MAX)
    refuse("at most 100 can be asked for at a time: say more about what you look for");
  auto typed = params.getTyped();
  auto answer = co_await search.find(
      std::string(typed.cStr(), typed.size()), kindOf(params.getKind()), params.getMost());
  auto found = results.initFound(static_cast<kj::uint>(answer.found.size()));
  for (kj::uint i = 0; i < found.size(); ++i) write(answer.found[i], found[i]);
  results.setMatches(answer.matches);
  results.setMore(answer.areMore);
  results.setOwed(answer.owed);
}

}  // namespace hearth::local
