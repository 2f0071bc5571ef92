#include "storage/folder/record.h"

#include "storage/crdt/varint.h"

#include <kj/debug.h>

#include <algorithm>
#include <map>

namespace hearth::storage {

namespace {

constexpr uint32_t MODE_MAX = 0777;
constexpr size_t EXTENDED_NAME_MAX = 255;

std::string_view textOf(crypto::Bytes bytes) { return {bytes.asChars().begin(), bytes.size()}; }

void write(VarWriter& out, const FileAttributes& attributes) {
  out.number(attributes.mode).signedNumber(attributes.modifiedNs);
}

void write(VarWriter& out, const std::map<std::string, std::string>& extended) {
  out.number(extended.size());
  for (auto& [name, value]: extended) out.bytes(name).bytes(value);
}

void write(VarWriter& out, const PathState& state) {
  switch (state.kind) {
    case PathState::Kind::GONE:
      break;
    case PathState::Kind::FILE:
      write(out, state.attributes);
      out.raw(textOf(state.content.encode()));
      write(out, state.attributes.extended);
      break;
    case PathState::Kind::DIRECTORY:
      out.number(state.attributes.mode);
      break;
    case PathState::Kind::SYMLINK:
      out.bytes(state.target);
      break;
  }
}

uint32_t readMode(VarReader& in) { return static_cast<uint32_t>(in.number(MODE_MAX)); }

std::map<std::string, std::string> readExtended(VarReader& in) {
  std::map<std::string, std::string> extended;
  auto count = in.number(FileAttributes::EXTENDED_MAX);
  size_t bytes = 0;
  for (uint64_t i = 0; i < count && in.good(); ++i) {
    auto name = std::string(in.bytes(EXTENDED_NAME_MAX));
    auto value = std::string(in.bytes(FileAttributes::EXTENDED_BYTES_MAX));
    bytes += name.size() + value.size();
    bool follows = extended.empty() || extended.rbegin()->first < name;
    if (!follows || name.find('\0') != name.npos || bytes > FileAttributes::EXTENDED_BYTES_MAX)
      in.refuse();
    extended.emplace(std::move(name), std::move(value));
  }
  return extended;
}

PathState readState(VarReader& in, uint8_t kind) {
  PathState state;
  switch (static_cast<PathState::Kind>(kind)) {
    case PathState::Kind::GONE:
      break;
    case PathState::Kind::FILE: {
      state.attributes.mode = readMode(in);
      state.attributes.modifiedNs = in.signedNumber();
      auto bytes = in.raw(BlobRef::ENCODED_BYTES);
      auto ref = BlobRef::parse(kj::arrayPtr(bytes.data(), bytes.size()).asBytes());
      if (!ref) {
        in.refuse();
        break;
      }
      state.content = *ref;
      state.attributes.extended = readExtended(in);
      break;
    }
    case PathState::Kind::DIRECTORY:
      state.attributes.mode = readMode(in);
      break;
    case PathState::Kind::SYMLINK:
      state.target = std::string(in.bytes(PathState::TARGET_BYTES_MAX));
      if (state.target.empty() || state.target.find('\0') != state.target.npos) in.refuse();
      break;
    default:
      in.refuse();
      return state;
  }
  state.kind = static_cast<PathState::Kind>(kind);
  return state;
}

}  // namespace

bool PathState::isSameAs(const PathState& other) const {
  auto mine = *this, its = other;
  mine.attributes.modifiedNs = its.attributes.modifiedNs = 0;
  return mine == its;
}

std::string encodeRecords(const std::vector<FolderRecord>& records) {
  KJ_REQUIRE(records.size() <= RECORDS_MAX);
  std::map<DeviceId, size_t> authors;
  for (auto& record: records) {
    for (auto& name: record.replaced) authors.emplace(name.author, 0);
  }
  VarWriter out;
  out.number(authors.size());
  size_t next = 0;
  for (auto& [author, number]: authors) {
    number = next++;
    out.raw(textOf(author.asBytes()));
  }
  out.number(records.size());
  for (auto& record: records) {
    KJ_REQUIRE(record.replaced.size() <= FolderRecord::REPLACED_MAX);
    out.u8(static_cast<uint8_t>(record.state.kind))
        .bytes(record.path.str())
        .number(record.replaced.size());
    for (auto& name: record.replaced)
      out.number(authors[name.author]).number(name.seq).number(name.index);
    write(out, record.state);
  }
  return out.finish();
}

Result<std::vector<FolderRecord>> readRecords(std::string_view bytes) {
  if (bytes.size() > RECORDS_BYTES_MAX)
    return no(Errc::LIMIT_EXCEEDED, "more about a folder than an entry may say");
  VarReader in(bytes);
  std::vector<DeviceId> authors(in.number(RECORDS_MAX));
  for (auto& author: authors) {
    auto id = in.raw(DeviceId::SIZE);
    if (!in.good()) break;
    author = DeviceId::from(kj::arrayPtr(id.data(), id.size()).asBytes()).value();
  }
  std::vector<FolderRecord> records;
  auto count = in.number(RECORDS_MAX);
  for (uint64_t i = 0; i < count && in.good(); ++i) {
    FolderRecord record;
    auto kind = in.u8();
    auto path = FolderPath::parse(in.bytes(FolderPath::BYTES_MAX));
    auto replaced = in.number(FolderRecord::REPLACED_MAX);
    for (uint64_t j = 0; j < replaced && in.good(); ++j) {
      auto author = in.number(RECORDS_MAX);
      if (author >= authors.size()) in.refuse();
      if (!in.good()) break;
      auto seq = in.number();
      record.replaced.push_back(
          {authors[author], seq, static_cast<uint32_t>(in.number(RECORDS_MAX))});
    }
    record.state = readState(in, kind);
    if (!path) in.refuse();
    if (!in.good()) break;
    record.path = std::move(*path);
    records.push_back(std::move(record));
  }
  if (!in.good() || !in.atEnd())
    return no(Errc::BAD_FORMAT, "what is said of a folder does not parse");
  return records;
}

std::string encodeState(const PathState& state) {
  VarWriter out;
  out.u8(static_cast<uint8_t>(state.kind));
  write(out, state);
  return out.finish();
}

Result<PathState> readState(std::string_view bytes) {
  VarReader in(bytes);
  auto kind = in.u8();
  auto state = readState(in, kind);
  if (!in.good() || !in.atEnd()) return no(Errc::BAD_FORMAT, "the state of a path does not parse");
  return state;
}

}  // namespace hearth::storage
