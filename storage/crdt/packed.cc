#include "storage/crdt/packed.h"

#include "storage/crdt/varint.h"

#include <kj/debug.h>

#include <zstd.h>

namespace hearth::storage {

namespace {

constexpr size_t WORTHWHILE_BYTES = 64;  // below it a frame costs more than it saves
constexpr uint8_t AS_IT_IS = 0, ZSTD = 1;

}  // namespace

std::string packed(std::string_view bytes, int level) {
  if (bytes.size() >= WORTHWHILE_BYTES) {
    std::string frame(ZSTD_compressBound(bytes.size()), '\0');
    auto size = ZSTD_compress(frame.data(), frame.size(), bytes.data(), bytes.size(), level);
    KJ_ASSERT(!ZSTD_isError(size), "zstd", ZSTD_getErrorName(size));
    if (size < bytes.size()) {
      auto head = VarWriter().u8(ZSTD).number(bytes.size()).finish();
      return head.append(frame, 0, size);
    }
  }
  return VarWriter().u8(AS_IT_IS).raw(bytes).finish();
}

Result<std::string> unpacked(std::string_view bytes, size_t most) {
  VarReader in(bytes);
  auto way = in.u8();
  if (!in.good() || way > ZSTD) return no(Errc::BAD_FORMAT, "packed in an unknown way");
  if (way == AS_IT_IS) {
    if (in.remaining() > most) return no(Errc::LIMIT_EXCEEDED, "more bytes than may be unpacked");
    return std::string(in.raw(in.remaining()));
  }
  auto size = in.number();
  if (!in.good()) return no(Errc::BAD_FORMAT, "packed without a length");
  if (size > most) return no(Errc::LIMIT_EXCEEDED, "more bytes than may be unpacked");
  auto frame = in.raw(in.remaining());
  // A frame that lies about its size must not be believed before memory is taken.
  if (ZSTD_getFrameContentSize(frame.data(), frame.size()) != size)
    return no(Errc::BAD_FORMAT, "a packed length that is not the frame's");
  std::string out(size, '\0');
  auto written = ZSTD_decompress(out.data(), out.size(), frame.data(), frame.size());
  if (ZSTD_isError(written) || written != size)
    return no(Errc::BAD_FORMAT, "a frame that is broken");
  return out;
}

}  // namespace hearth::storage
