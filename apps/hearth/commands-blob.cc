// hearth blob: files of any size that all devices know by name.

#include "apps/hearth/client.h"
#include "apps/hearth/commands.h"
#include "apps/hearth/progress.h"
#include "bindings/local/message.h"

#include <kj/debug.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

namespace hearth::cli {

namespace {

using nlohmann::json;

constexpr size_t PIECE_BYTES = 1 << 20, PIECES_MAX = 4;  // that are under way to the daemon

std::string baseName(const std::string& path) {
  auto slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

// A file that is read from its beginning to its end, twice if need be.
class Input {
 public:
  explicit Input(const std::string& path)
      : path(path),
        fd(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    struct stat found{};
    if (fd.get() < 0 || fstat(fd, &found) != 0)
      throw Failure{FAILED, path + " cannot be read: " + strerror(errno)};
    if (!S_ISREG(found.st_mode))
      throw Failure{FAILED, path + " is no file: put its bytes into one first"};
    size = static_cast<uint64_t>(found.st_size);
  }

  // Empty at the end.
  std::vector<kj::byte> read(uint64_t at) {
    std::vector<kj::byte> bytes(PIECE_BYTES);
    auto got = pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (got < 0) throw Failure{FAILED, path + " cannot be read: " + strerror(errno)};
    bytes.resize(static_cast<size_t>(got));
    return bytes;
  }

  std::string path;
  uint64_t size = 0;

 private:
  kj::AutoCloseFd fd;
};

// Where bytes go: standard output, or a file that has its name once it is whole.
class Output {
 public:
  explicit Output(const std::string& path): path(path), isStandard(path == "-") {
    if (isStandard) return;
    half = path + ".hearth-part";
    fd = kj::AutoCloseFd(open(half.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (fd.get() < 0) fail();
  }
  ~Output() {
    if (!isStandard && !isDone) unlink(half.c_str());
  }
  Output(const Output&) = delete;

  void write(kj::ArrayPtr<const kj::byte> bytes) {
    while (bytes.size() > 0) {
      auto put = ::write(isStandard ? STDOUT_FILENO : fd.get(), bytes.begin(), bytes.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) fail();
      bytes = bytes.slice(static_cast<size_t>(put), bytes.size());
    }
  }

  void finish() {
    if (isStandard) return;
    if (fsync(fd) != 0 || ::rename(half.c_str(), path.c_str()) != 0) fail();
    isDone = true;
  }

 private:
  std::string path, half;
  bool isStandard, isDone = false;
  kj::AutoCloseFd fd;

  [[noreturn]] void fail() const {
    throw Failure{
        FAILED, (isStandard ? "standard output" : path) + " cannot be written: " + strerror(errno)};
  }
};

// Bytes and how far they are, as the daemon tells.
class Sink final: public local::BlobSink::Server {
 public:
  Sink(kj::Maybe<Output&> output, Progress& progress, uint64_t total)
      : output(output),
        bar(progress),
        total(total) {}

  kj::Promise<void> progress(ProgressContext context) override {
    auto params = context.getParams();
    bar.at(params.getDone(), params.getTotal());
    return kj::READY_NOW;
  }
  kj::Promise<void> write(WriteContext context) override {
    auto bytes = context.getParams().getBytes();
    KJ_IF_MAYBE(out, output) {
      try {
        out->write(bytes);
      } catch (const Failure& e) {
        failure = e;
        kj::throwFatalException(KJ_EXCEPTION(FAILED, "the output cannot be written"));
      }
    }
    written += bytes.size();
    bar.at(written, total);
    return kj::READY_NOW;
  }

  kj::Maybe<Failure> failure;

 private:
  kj::Maybe<Output&> output;
  Progress& bar;
  uint64_t total, written = 0;
};

// "A-B": from byte A to before byte B; either may be left out.
std::pair<uint64_t, uint64_t> rangeOf(const std::string& text) {
  std::pair<uint64_t, uint64_t> range{0, 0};
  auto dash = text.find('-');
  auto number = [&](size_t begin, size_t end, uint64_t& out) {
    if (begin == end) return true;
    auto [rest, error] = std::from_chars(text.data() + begin, text.data() + end, out);
    return error == std::errc() && rest == text.data() + end;
  };
  bool isRange = dash != std::string::npos && number(0, dash, range.first) &&
      number(dash + 1, text.size(), range.second) &&
      (dash + 1 == text.size() || range.second > range.first);
  if (!isRange)
    throw Failure{
        USAGE, "'" + text + "' is no range: 1000-2000 is from byte 1000 to before byte 2000"};
  return range;
}

json jsonOf(local::NamedBlob::Reader blob) {
  json holders = json::array();
  for (auto holder: blob.getHolders())
    holders.push_back({{"device", holder.getDevice().cStr()}, {"id", holder.getDeviceId().cStr()},
        {"keeps", holder.getKeeps()}});
  json all = {{"name", blob.getName().cStr()}, {"id", blob.getId().cStr()},
      {"bytes", blob.getBytes()}, {"here", blob.getHere()}, {"pinned", blob.getPinned()},
      {"holders", holders}};
  if (blob.getReceivedBytes() >= 0) all["received_bytes"] = blob.getReceivedBytes();
  return all;
}

std::string holdersText(local::NamedBlob::Reader blob) {
  std::string text;
  for (auto holder: blob.getHolders()) {
    text += text.empty() ? "" : ", ";
    text += holder.getDevice().cStr();
    if (holder.getKeeps()) text += " (keeps it)";
  }
  return text.empty() ? "no device" : text;
}

std::string hereText(local::NamedBlob::Reader blob) {
  if (blob.getReceivedBytes() >= 0)
    return bytesText(static_cast<uint64_t>(blob.getReceivedBytes())) + " so far";
  if (!blob.getHere()) return "no";
  return blob.getPinned() ? "kept" : "yes";
}

class Blob {
  template <typename Promise>
  auto wait(Promise promise) {
    return promise.wait(client.waitScope());
  }

 public:
  Blob(const Common& common, const BlobOptions& options)
      : client(common.home.c_str()),
        common(common),
        options(options),
        blobs(client.daemon().blobsRequest().send().getBlobs()) {}

  int put() {
    Input file(options.file);
    auto name = options.name.empty() ? baseName(options.file) : options.name;
    auto request = blobs.putRequest();
    request.setName(name);
    auto put = wait(request.send()).getPut();
    send(put, file, "reading " + name);
    if (wait(put.cutRequest().send()).getAgain()) send(put, file, "sealing " + name);
    auto done = wait(put.finishRequest().send());
    return tell(done.getBlob());
  }

  int get() {
    auto found = find();
    auto blob = found.getBlob();
    auto [begin, end] =
        options.range.empty() ? std::pair<uint64_t, uint64_t>{0, 0} : rangeOf(options.range);
    auto out = outputFor(blob.getName().cStr());
    Progress progress("getting " + std::string(blob.getName().cStr()), common.json);
    Output output(out);
    auto total = (end == 0 ? blob.getBytes() : end) - std::min<uint64_t>(begin, blob.getBytes());
    auto request = blobs.getRequest();
    request.setBlob(options.name);
    request.setBegin(begin);
    request.setEnd(end);
    auto sink = kj::heap<Sink>(output, progress, total);
    auto& written = *sink;
    request.setSink(kj::mv(sink));
    auto sending = request.send();
    try {
      wait(kj::mv(sending));
    } catch (const kj::Exception&) {
      KJ_IF_MAYBE(failure, written.failure) throw *failure;
      throw;
    }
    output.finish();
    if (common.json) printJson({{"name", blob.getName().cStr()}, {"out", out}, {"bytes", total}});
    return DONE;
  }

  int pin() {
    auto found = find();
    Progress progress("getting " + std::string(found.getBlob().getName().cStr()), common.json);
    auto request = blobs.pinRequest();
    request.setBlob(options.name);
    request.setSink(kj::heap<Sink>(nullptr, progress, found.getBlob().getBytes()));
    return tell(wait(request.send()).getBlob());
  }

  int unpin() {
    auto request = blobs.unpinRequest();
    request.setBlob(options.name);
    return tell(wait(request.send()).getBlob());
  }

  int remove() {
    auto request = blobs.removeRequest();
    request.setName(options.name);
    wait(request.send());
    if (common.json) printJson({{"removed", options.name}});
    return DONE;
  }

  int list() {
    auto answer = wait(blobs.listRequest().send());
    std::vector<std::vector<std::string>> rows = {{"NAME", "SIZE", "HERE", "ON"}};
    for (auto blob: answer.getBlobs()) {
      if (common.json) printJson(jsonOf(blob));
      rows.push_back(
          {blob.getName().cStr(), bytesText(blob.getBytes()), hereText(blob), holdersText(blob)});
    }
    if (!common.json) printTable(rows);
    return DONE;
  }

  int stat() {
    if (!options.name.empty()) {
      auto found = find();
      auto blob = found.getBlob();
      if (common.json) {
        printJson(jsonOf(blob));
      } else {
        printTable({{"name", blob.getName().cStr()}, {"id", blob.getId().cStr()},
            {"size", bytesText(blob.getBytes()) + " (" + std::to_string(blob.getBytes()) + ")"},
            {"here", hereText(blob)}, {"on", holdersText(blob)}});
      }
      return DONE;
    }
    auto usage = wait(blobs.usageRequest().send());
    if (common.json) {
      printJson({{"used_bytes", usage.getUsedBytes()},
          {"evictable_bytes", usage.getEvictableBytes()}, {"room_bytes", usage.getRoomBytes()}});
    } else {
      printTable({{"used", bytesText(usage.getUsedBytes())},
          {"may go", bytesText(usage.getEvictableBytes()) + ", which other devices keep"},
          {"room", bytesText(usage.getRoomBytes())}});
    }
    return DONE;
  }

 private:
  Client client;
  const Common& common;
  const BlobOptions& options;
  local::Blobs::Client blobs;

  capnp::Response<local::Blobs::FindResults> find() {
    auto request = blobs.findRequest();
    request.setBlob(options.name);
    return wait(request.send());
  }

  void send(local::BlobPut::Client put, Input& file, std::string what) {
    Progress progress(kj::mv(what), common.json);
    std::deque<kj::Promise<void>> pieces;
    for (uint64_t at = 0;;) {
      auto bytes = file.read(at);
      if (bytes.empty()) break;
      at += bytes.size();
      auto request = put.addRequest();
      request.setBytes(kj::arrayPtr(bytes.data(), bytes.size()));
      pieces.push_back(request.send().ignoreResult());
      if (pieces.size() == PIECES_MAX) {
        wait(kj::mv(pieces.front()));
        pieces.pop_front();
      }
      progress.at(at, file.size);
    }
    for (auto& piece: pieces) wait(kj::mv(piece));
  }

  int tell(local::NamedBlob::Reader blob) {
    if (common.json) {
      printJson(jsonOf(blob));
    } else {
      std::cout << blob.getName().cStr() << "  " << bytesText(blob.getBytes()) << "  on "
                << holdersText(blob) << "\n";
    }
    return DONE;
  }

  // Where nobody has said where, a file of the blob's own name, if there is none.
  std::string outputFor(const std::string& name) const {
    if (options.out == "-" && common.json)
      throw Failure{USAGE, "--json and --out - both want standard output: name a file"};
    if (!options.out.empty()) return options.out;
    if (name.find('/') != std::string::npos || name.starts_with("."))
      throw Failure{USAGE, "the blob's name is none for a file here: say --out FILE"};
    if (access(name.c_str(), F_OK) == 0)
      throw Failure{
          USAGE, name + " is there already: say --out FILE, or --out - for standard output"};
    return name;
  }
};

}  // namespace

int blob(const Common& common, const std::string& what, const BlobOptions& options) {
  try {
    Blob blob(common, options);
    if (what == "put") return blob.put();
    if (what == "get") return blob.get();
    if (what == "pin") return blob.pin();
    if (what == "unpin") return blob.unpin();
    if (what == "remove") return blob.remove();
    if (what == "list") return blob.list();
    KJ_REQUIRE(what == "stat", what.c_str());
    return blob.stat();
  } catch (const kj::Exception& e) {
    std::string line = local::messageOf(e).cStr();
    if (line.starts_with("UnknownPeer")) throw Failure{UNREACHABLE, line};
    throw;
  }
}

}  // namespace hearth::cli
