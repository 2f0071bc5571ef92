#pragma once
// Changes of a document on their way: to disk, to another device, into a file. A bundle stands for itself:
// what it builds on is named, not contained.
//
// Events are numbered within the bundle: first those that it builds on, then its own in order. That is how
// parents and operations refer to them.

#include "storage/crdt/op.h"

#include <kj/array.h>

namespace hearth::storage {

struct Bundle {
  static constexpr size_t BYTES_MAX = 16 << 20;     // encoded
  static constexpr size_t UNPACKED_MAX = 32 << 20;  // and unpacked
  static constexpr size_t OPS_MAX = 1 << 18;
  static constexpr size_t RUNS_MAX = 1 << 16;
  static constexpr size_t FOREIGN_MAX = 1 << 18;  // events that it builds on

  struct Foreign {
    uint32_t author;  // index into authors
    uint32_t number;

    bool operator==(const Foreign&) const = default;
  };

  // When its author's clock said so: of the event `offset` and those that follow.
  struct Time {
    uint32_t offset;
    int64_t ms;

    bool operator==(const Time&) const = default;
  };

  // Operations that follow one another in one author's hand.
  struct Run {
    uint32_t author;
    uint32_t number;  // of the first event
    Version parents;  // of the first event
    std::vector<Time> times;
    std::vector<Op> ops;

    bool operator==(const Run&) const = default;
    uint32_t events() const;
  };

  std::vector<DeviceId> authors;
  std::vector<Foreign> foreign;
  std::vector<Run> runs;

  bool operator==(const Bundle&) const = default;
};

// docs/PROTOCOL.md, "Documents", has the format.
enum class Packing : int { QUICK = 3, SMALL = 12 };  // levels of zstd
kj::Array<kj::byte> encode(const Bundle& bundle, Packing packing = Packing::QUICK);

// Errors: BAD_FORMAT, BAD_VERSION, LIMIT_EXCEEDED.
Result<Bundle> readBundle(kj::ArrayPtr<const kj::byte> bytes);

}  // namespace hearth::storage
