#include "transport/link/dialer.h"

#include <kj/debug.h>

namespace hearth::transport {

kj::Promise<kj::Own<kj::AsyncIoStream>> TcpConnector::connect(const DeviceId&, const Path& path) {
  auto text = path.address;
  auto target = co_await network.parseAddress(text.c_str());
  co_return co_await target->connect();
}

std::vector<Path> Dialer::inOrder(const std::vector<Path>& paths) {
  std::vector<Path> ordered;
  for (auto kind:
      {Path::Kind::TCP, Path::Kind::UDP, Path::Kind::TLS, Path::Kind::MEMBER, Path::Kind::RELAY}) {
    if (connectorOf(kind) == nullptr) continue;
    for (auto& path: paths) {
      if (path.kind == kind && ordered.size() < PATHS_MAX) ordered.push_back(path);
    }
  }
  return ordered;
}

kj::Promise<kj::Maybe<Dialer::Found>> Dialer::dial(
    DeviceId peer, std::vector<Path> wanted, Haste haste) {
  auto paths = inOrder(wanted);
  if (paths.empty()) co_return nullptr;
  std::vector<Attempt> attempts;
  for (size_t i = 0; i < paths.size(); ++i) {
    bool takesTurn = i > 0 && (paths[i].isDirect() || paths[i].kind == paths[i - 1].kind);
    auto& connector = KJ_ASSERT_NONNULL(connectorOf(paths[i].kind));
    attempts.push_back(
        {[peer, &connector, path = paths[i]]() { return connector.connect(peer, path); },
            haste == Haste::FIRST ? HASTY_AFTER
                : takesTurn       ? NEXT_ATTEMPT_AFTER
                                  : DETOUR_AFTER});
  }
  try {
    auto winner = co_await race(timer, kj::mv(attempts), CONNECT_WITHIN);
    silent.erase(peer);
    co_return Found{paths[winner.attempt], kj::mv(winner.stream)};
  } catch (const kj::Exception& e) {
    say(peer, e);
  }
  co_return nullptr;
}

// What is at its end here, or was said wrongly, is worth a line each time; that a peer is not to be had by the
// ways that were tried, one until it has answered.
void Dialer::say(const DeviceId& peer, const kj::Exception& why) {
  if (why.getType() != kj::Exception::Type::DISCONNECTED) {
    KJ_LOG(INFO, "an address could not be called", why.getDescription());
    return;
  }
  if (silent.size() >= SILENT_MAX) silent.clear();
  if (silent.insert(peer).second)
    KJ_LOG(INFO,
        "no way to a device that was tried answers; it is called on: see that hearthd runs there and that "
        "its port is open, or name a relay with hearth relay add HOST:PORT",
        peer, why.getDescription());
}

std::vector<Path> Dialer::better(const std::vector<Path>& paths, const Path& held) {
  std::vector<Path> good;
  for (auto& path: paths) {
    if (path.isBetterThan(held)) good.push_back(path);
  }
  return good;
}

}  // namespace hearth::transport
