#include "router/run/edge-buffer.h"

#include <kj/debug.h>

namespace hearth::router {

void EdgeBuffer::push(Frame&& frame) {
  KJ_REQUIRE(frame.seq == nextSeq(), frame.seq, nextSeq());
  auto encoded = kj::refcounted<SharedBytes>(encode(frame));
  bytesHeld += encoded->bytes.size();
  frames.push_back(kj::mv(encoded));
}

kj::Maybe<kj::Own<SharedBytes>> EdgeBuffer::at(uint64_t seq) {
  KJ_REQUIRE(seq >= first, seq, first);
  if (seq >= nextSeq()) return nullptr;
  return kj::addRef(*frames[seq - first]);
}

Result<void> EdgeBuffer::commit(uint64_t seq) {
  if (seq >= nextSeq()) return no(Errc::BAD_FORMAT, "a commit of frames that were never made");
  while (first <= seq) {
    bytesHeld -= frames.front()->bytes.size();
    frames.pop_front();
    ++first;
  }
  return {};
}

}  // namespace hearth::router
