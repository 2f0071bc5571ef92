// hearth clip: the clipboard that all devices share.

#include "apps/hearth/client.h"
#include "apps/hearth/commands.h"
#include "apps/hearth/spans.h"
#include "storage/crdt/varint.h"

#include <kj/encoding.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <iostream>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace hearth::cli {

namespace {

using nlohmann::json;
using Entries = capnp::List<local::Clip>::Reader;

constexpr size_t BYTES_MAX = 4 << 20;  // the daemon's; more is not read

// Up to one byte more than there may be, so that the daemon can say so.
std::string readAll(int fd, const std::string& what) {
  std::string all;
  char piece[64 << 10];
  while (all.size() <= BYTES_MAX) {
    auto got = read(fd, piece, sizeof(piece));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Failure{FAILED, what + " cannot be read: " + strerror(errno)};
    if (got == 0) break;
    all.append(piece, static_cast<size_t>(got));
  }
  return all;
}

std::string contentOf(const ClipOptions& options) {
  if (!options.text.empty()) return options.text;
  if (options.file.empty()) return readAll(STDIN_FILENO, "standard input");
  kj::AutoCloseFd fd(open(options.file.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) throw Failure{FAILED, options.file + " cannot be read: " + strerror(errno)};
  return readAll(fd.get(), options.file);
}

std::string typeOf(const ClipOptions& options, const std::string& content) {
  if (!options.mime.empty()) return options.mime;
  return storage::isUtf8(content) ? "text/plain" : "application/octet-stream";
}

json jsonOf(local::Clip::Reader entry) {
  json value{{"id", entry.getId().cStr()}, {"type", entry.getMime().cStr()},
      {"bytes", entry.getBytes()}, {"secret", entry.getSecret()},
      {"device", entry.getDevice().cStr()}, {"device_id", entry.getDeviceId().cStr()}};
  if (entry.getPreview().size() > 0) value["preview"] = entry.getPreview().cStr();
  if (entry.getLeftMs() > 0) value["left_ms"] = entry.getLeftMs();
  return value;
}

std::string whatOf(local::Clip::Reader entry) {
  if (entry.getSecret()) return "(secret)";
  if (entry.getPreview().size() > 0) return entry.getPreview().cStr();
  return std::string(entry.getMime().cStr()) + ", " + std::to_string(entry.getBytes()) + " bytes";
}

std::string leftOf(local::Clip::Reader entry) {
  return entry.getLeftMs() == 0 ? "kept" : spanText(entry.getLeftMs());
}

void print(const Common& common, Entries entries) {
  if (common.json) {
    auto all = json::array();
    for (auto entry: entries) all.push_back(jsonOf(entry));
    return printJson({{"entries", all}});
  }
  if (entries.size() == 0) {
    std::cout << "the clipboard is empty\n" << std::flush;
    return;
  }
  std::vector<std::vector<std::string>> rows{{"ID", "WHAT", "LEFT", "FROM"}};
  for (auto entry: entries)
    rows.push_back({entry.getId().cStr(), whatOf(entry), leftOf(entry), entry.getDevice().cStr()});
  printTable(rows);
}

class Watcher final: public local::ClipboardWatcher::Server {
 public:
  explicit Watcher(const Common& common): common(common) {}

  kj::Promise<void> changed(ChangedContext context) override {
    print(common, context.getParams().getEntries());
    return kj::READY_NOW;
  }

 private:
  const Common& common;
};

int copy(const Common& common, Client& client, local::Clipboard::Client clipboard,
    const ClipOptions& options) {
  auto content = contentOf(options);
  auto request = clipboard.copyRequest();
  request.setMime(typeOf(options, content).c_str());
  request.setBytes(kj::arrayPtr(content.data(), content.size()).asBytes());
  request.setSecret(options.isSecret);
  auto lifetime = request.initLifetime();
  if (options.isKept) lifetime.setNone();
  if (!options.lifetime.empty()) lifetime.setMs(spanOf(options.lifetime));
  auto copied = request.send().wait(client.waitScope());
  if (common.json) printJson(jsonOf(copied.getEntry()));
  return DONE;
}

int paste(const Common& common, Client& client, local::Clipboard::Client clipboard,
    const ClipOptions& options) {
  auto request = clipboard.pasteRequest();
  request.setId(options.id.c_str());
  auto pasted = request.send().wait(client.waitScope());
  auto bytes = pasted.getBytes();
  std::string content(bytes.asChars().begin(), bytes.size());
  if (common.json) {
    auto value = jsonOf(pasted.getEntry());
    if (storage::isUtf8(content)) {
      value["text"] = content;
    } else {
      value["base64"] = kj::encodeBase64(bytes).cStr();
    }
    printJson(value);
  } else {
    std::cout << content << std::flush;
  }
  return std::cout.good() ? DONE : FAILED;
}

}  // namespace

int clip(const Common& common, const std::string& what, const ClipOptions& options) {
  if (what == "share") return clipShare(common);
  Client client(common.home.c_str());
  auto clipboard = client.daemon().clipboardRequest().send().getClipboard();
  if (what == "copy") return copy(common, client, clipboard, options);
  if (what == "paste") return paste(common, client, clipboard, options);
  if (what == "list") {
    auto listed = clipboard.listRequest().send().wait(client.waitScope());
    print(common, listed.getEntries());
  } else if (what == "clear") {
    auto cleared = clipboard.clearRequest().send().wait(client.waitScope());
    if (common.json) printJson({{"gone", cleared.getGone()}});
  } else {
    auto request = clipboard.watchRequest();
    request.setWatcher(kj::heap<Watcher>(common));
    client.untilInterrupted(request.send().ignoreResult());
  }
  return DONE;
}

}  // namespace hearth::cli
