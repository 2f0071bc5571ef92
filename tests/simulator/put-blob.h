#pragma once
// A person who puts a blob, as the command line does it.

#include "devices/data/blobs.h"

namespace hearth::sim {

constexpr size_t BLOB_PIECE_BYTES = 1 << 20;  // that are put or read at a time

inline kj::Promise<Result<void>> putBlob(
    devices::Blobs& all, std::string name, crypto::Buffer bytes) {
  auto number = all.beginToPut();
  if (!number) co_return no(number.error());
  KJ_DEFER(all.giveUp(*number));
  auto& put = all.put(*number);
  for (bool again = true, first = true; again; first = false) {
    for (size_t at = 0; at < bytes.size(); at += BLOB_PIECE_BYTES) {
      auto end = kj::min(at + BLOB_PIECE_BYTES, bytes.size());
      auto added = co_await put.add(kj::heapArray<kj::byte>(bytes.slice(at, end)));
      if (!added) co_return no(added.error());
    }
    again = first && co_await put.cut();
    if (!again) break;
    if (auto made = co_await all.makeRoomFor(put); !made) co_return no(made.error());
  }
  co_return co_await all.finish(put, name);
}

}  // namespace hearth::sim
