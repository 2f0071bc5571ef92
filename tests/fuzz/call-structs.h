#pragma once
// What every call of the peer and the local schema takes and gives, as F3 numbers it.

#include "bindings/bindings.capnp.h"
#include "devices/devices.capnp.h"
#include "router/run/run.capnp.h"

#include <capnp/schema.h>
#include <kj/debug.h>
#include <kj/vector.h>

namespace hearth::fuzz {

template <typename T>
void methodsOf(kj::Vector<capnp::StructSchema>& all) {
  for (auto method: capnp::Schema::from<T>().getMethods()) {
    all.add(method.getParamType());
    all.add(method.getResultType());
  }
}

inline const kj::Vector<capnp::StructSchema>& callStructs() {
  static const auto all = [] {
    kj::Vector<capnp::StructSchema> found;
    methodsOf<devices::rpc::Peer>(found);
    methodsOf<router::rpc::StageHost>(found);
    methodsOf<router::rpc::RunningStage>(found);
    methodsOf<router::rpc::StageWatch>(found);
    methodsOf<local::Daemon>(found);
    methodsOf<local::Confirm>(found);
    methodsOf<local::TextSink>(found);
    methodsOf<local::JobWatch>(found);
    methodsOf<local::Job>(found);
    methodsOf<local::Documents>(found);
    methodsOf<local::Document>(found);
    methodsOf<local::DocumentWatcher>(found);
    methodsOf<local::Blobs>(found);
    methodsOf<local::BlobPut>(found);
    methodsOf<local::BlobSink>(found);
    methodsOf<local::Folders>(found);
    methodsOf<local::Presence>(found);
    methodsOf<local::Presence::Place>(found);
    methodsOf<local::PresenceWatcher>(found);
    methodsOf<local::Clipboard>(found);
    methodsOf<local::ClipboardWatcher>(found);
    methodsOf<local::Settings>(found);
    methodsOf<local::SettingsWatcher>(found);
    methodsOf<local::Limits>(found);
    return found;
  }();
  return all;
}

// The number of one of them.
template <typename T>
uint8_t numberOfCall() {
  auto& all = callStructs();
  for (size_t i = 0; i < all.size(); ++i)
    if (all[i] == capnp::Schema::from<T>()) return static_cast<uint8_t>(i);
  KJ_FAIL_REQUIRE("a struct that no call takes or gives");
}

}  // namespace hearth::fuzz
