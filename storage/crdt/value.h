#pragma once
// What a document holds in its places: a plain value, or a container that can hold more.

#include <cstdint>
#include <string>
#include <variant>

namespace hearth::storage {

enum class Container : uint8_t { MAP, LIST, TEXT, COUNTER, SET };
constexpr uint8_t CONTAINERS = 5;

struct Nothing {
  bool operator==(const Nothing&) const = default;
};
struct Octets {
  std::string bytes;

  bool operator==(const Octets&) const = default;
};

// A container as a value is made by the operation that puts it there, whose event is its name.
using Value = std::variant<Nothing, bool, int64_t, double, std::string, Octets, Container>;

constexpr size_t VALUE_BYTES_MAX = 1 << 20;  // of a string or of bytes; more belongs into a blob

}  // namespace hearth::storage
