#pragma once
// What models make of items so that what means the same lies close together. Which item is closest to a vector is found
// by looking at all of a collection: exact, and fast enough for what one person owns.

#include "storage/search/index.h"

#include <span>

namespace hearth::storage::search::vectors {

constexpr size_t DIMENSION_MAX = 4'096;
constexpr size_t MODEL_BYTES_MAX = 255;
constexpr size_t NEAREST_MAX = 1'000;

// A part of an item, as long ones have several vectors.
struct Part {
  Name item;
  uint32_t number = 0;

  auto operator<=>(const Part&) const = default;
};

// In a transaction, in place of what there was. Its length does not count.
// Errors: BAD_FORMAT for another dimension than the collection's others of that model have, for no direction at all and
// for what is no number; LIMIT_EXCEEDED.
Result<void> put(
    Database& db, const Part& part, const std::string& model, std::span<const float> vector);
// Of all models and parts.
void remove(Database& db, const Name& item);
void removeAll(Database& db, const crypto::CollectionId& collection);

// Of length 1.
kj::Maybe<std::vector<float>> find(Database& db, const Part& part, const std::string& model);

struct Near {
  Part part;
  float cosine;
};
// The nearest first, at most `most` <= NEAREST_MAX.
// Errors: those of put().
Result<std::vector<Near>> nearest(Database& db, const crypto::CollectionId& collection,
    const std::string& model, std::span<const float> to, size_t most);

}  // namespace hearth::storage::search::vectors
