#include "transport/wire/port-mapping.h"

#include <kj/debug.h>

namespace hearth::transport {

PortMapping::PortMapping(
    kj::Timer& timer, Executor& worker, Gateway& gateway, uint16_t port, OnChange changed)
    : timer(timer),
      worker(worker),
      gateway(gateway),
      port(port),
      changed(kj::mv(changed)),
      keeping(keep().eagerlyEvaluate(
          [](kj::Exception&& e) { KJ_LOG(WARNING, "no port is kept open at the router", e); })) {}

std::vector<std::string> PortMapping::textsOf(const kj::Maybe<OutsidePort>& found) {
  std::vector<std::string> texts;
  KJ_IF_MAYBE(outside, found) {
    if (outside->tcp != 0) texts.push_back(outside->host + ":" + std::to_string(outside->tcp));
    if (outside->udp != 0)
      texts.push_back("udp:" + outside->host + ":" + std::to_string(outside->udp));
  }
  return texts;
}

kj::Promise<void> PortMapping::keep() {
  for (;;) {
    kj::Maybe<OutsidePort> found;
    co_await worker.execute([this, &found]() { found = gateway.open(port); });
    auto before = textsOf(known), now = textsOf(found);
    known = kj::mv(found);
    if (now != before) changed(kj::mv(now));
    auto pause = ASK_AGAIN_AFTER;
    KJ_IF_MAYBE(outside, known) pause = kj::max(outside->lifetime / 2, RENEW_AFTER_MIN);
    co_await timer.afterDelay(pause);
  }
}

kj::Promise<void> PortMapping::stop() {
  keeping = nullptr;
  return worker.execute([this]() { gateway.close(port); });
}

}  // namespace hearth::transport
