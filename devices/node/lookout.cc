#include "devices/node/lookout.h"

#include <kj/debug.h>

#include <map>

namespace hearth::devices {

namespace {

using transport::LocalLink;

class Lookout final: private LocalLink::Listener {
 public:
  explicit Lookout(LocalLink& link): browsing(link.browse(LocalLink::Service::PAIRING, *this)) {}

  // One for each name: a device has several addresses, and any of them is as good.
  std::vector<std::string> found() const {
    std::vector<std::string> all;
    for (auto& [name, places]: waiting) {
      if (!places.empty()) all.push_back(places.front());
    }
    return all;
  }

 private:
  std::map<std::string, std::vector<std::string>> waiting;
  kj::Own<LocalLink::Browsing> browsing;

  void heard(const std::string& name, std::vector<std::string> places) override {
    if (!waiting.contains(name)) {
      if (waiting.size() >= WAITING_MAX) return;
      browsing->follow(name);
    }
    waiting[name] = std::move(places);
  }
  void gone(const std::string& name) override { waiting.erase(name); }
};

}  // namespace

kj::Promise<std::vector<std::string>> lookForWaiting(LocalLink& link, kj::Timer& timer) {
  Lookout lookout(link);
  co_await timer.afterDelay(LOOK_FOR);
  co_return lookout.found();
}

}  // namespace hearth::devices
