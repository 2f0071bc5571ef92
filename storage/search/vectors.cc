#include "storage/search/vectors.h"

#include <kj/debug.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace hearth::storage::search::vectors {

namespace {

kj::StringPtr viewOf(const std::string& text) { return {text.c_str(), text.size()}; }

constexpr Error NO_DIRECTION{Errc::BAD_FORMAT, "a vector has a direction, and numbers alone"_kj};
constexpr Error OTHER_DIMENSION{
    Errc::BAD_FORMAT, "the collection's vectors of that model have another dimension"_kj};

Result<std::vector<float>> normal(std::span<const float> vector) {
  if (vector.size() > DIMENSION_MAX)
    return no(Errc::LIMIT_EXCEEDED, "a vector has at most 4,096 dimensions");
  double square = 0;
  for (auto x: vector) square += static_cast<double>(x) * x;
  if (!std::isfinite(square) || square == 0) return no(NO_DIRECTION);
  std::vector<float> unit;
  auto length = std::sqrt(square);
  for (auto x: vector) unit.push_back(static_cast<float>(x / length));
  return unit;
}

// Those of a row, which may lie at any address.
std::vector<float> floatsOf(crypto::Bytes bytes) {
  std::vector<float> floats(bytes.size() / sizeof(float));
  memcpy(floats.data(), bytes.begin(), floats.size() * sizeof(float));
  return floats;
}

bool fits(Database& db, const crypto::CollectionId& collection, const std::string& model,
    size_t dimension) {
  auto select =
      db.query("SELECT vector FROM search_vectors WHERE collection = ?1 AND model = ?2 LIMIT 1",
          collection.asBytes(), viewOf(model));
  return !select.step() || select.blob(0).size() == dimension * sizeof(float);
}

}  // namespace

Result<void> put(
    Database& db, const Part& part, const std::string& model, std::span<const float> vector) {
  if (model.size() > MODEL_BYTES_MAX || part.item.key.size() > Name::KEY_BYTES_MAX)
    return no(Errc::LIMIT_EXCEEDED, "a model's name has at most 255 bytes, a key 4,096");
  auto unit = normal(vector);
  if (!unit) return no(unit.error());
  auto& item = part.item;
  // What it replaces does not count.
  db.run("DELETE FROM search_vectors WHERE collection = ?1 AND model = ?2 AND kind = ?3"
         " AND key = ?4 AND part = ?5",
      item.collection.asBytes(), viewOf(model), static_cast<int>(item.kind), viewOf(item.key),
      part.number);
  if (!fits(db, item.collection, model, unit->size())) return no(OTHER_DIMENSION);
  db.run("INSERT INTO search_vectors VALUES (?1, ?2, ?3, ?4, ?5, ?6)", item.collection.asBytes(),
      viewOf(model), static_cast<int>(item.kind), viewOf(item.key), part.number,
      kj::arrayPtr(unit->data(), unit->size()).asBytes());
  return {};
}

void remove(Database& db, const Name& item) {
  db.run("DELETE FROM search_vectors WHERE collection = ?1 AND kind = ?2 AND key = ?3",
      item.collection.asBytes(), static_cast<int>(item.kind), viewOf(item.key));
}

void removeAll(Database& db, const crypto::CollectionId& collection) {
  db.run("DELETE FROM search_vectors WHERE collection = ?1", collection.asBytes());
}

kj::Maybe<std::vector<float>> find(Database& db, const Part& part, const std::string& model) {
  auto select = db.query("SELECT vector FROM search_vectors WHERE collection = ?1 AND model = ?2"
                         " AND kind = ?3 AND key = ?4 AND part = ?5",
      part.item.collection.asBytes(), viewOf(model), static_cast<int>(part.item.kind),
      viewOf(part.item.key), part.number);
  if (!select.step()) return nullptr;
  return floatsOf(select.blob(0));
}

Result<std::vector<Near>> nearest(Database& db, const crypto::CollectionId& collection,
    const std::string& model, std::span<const float> to, size_t most) {
  KJ_REQUIRE(most <= NEAREST_MAX);
  auto unit = normal(to);
  if (!unit) return no(unit.error());
  if (!fits(db, collection, model, unit->size())) return no(OTHER_DIMENSION);
  std::vector<Near> best;
  auto isNearer = [](const Near& a, const Near& b) {
    return a.cosine != b.cosine ? a.cosine > b.cosine : a.part < b.part;
  };
  auto select = db.query("SELECT kind, key, part, vector FROM search_vectors"
                         " WHERE collection = ?1 AND model = ?2",
      collection.asBytes(), viewOf(model));
  while (select.step()) {
    auto vector = floatsOf(select.blob(3));
    float cosine = 0;
    for (size_t i = 0; i < vector.size(); ++i) cosine += vector[i] * (*unit)[i];
    // A heap whose top is the farthest of the best.
    if (best.size() == most && (most == 0 || cosine < best.front().cosine)) continue;
    auto key = select.blob(1).asChars();
    best.push_back({{{static_cast<Kind>(select.number(0)), collection, {key.begin(), key.size()}},
                        static_cast<uint32_t>(select.number(2))},
        cosine});
    std::ranges::push_heap(best, isNearer);
    if (best.size() <= most) continue;
    std::ranges::pop_heap(best, isNearer);
    best.pop_back();
  }
  std::ranges::sort_heap(best, isNearer);
  return best;
}

}  // namespace hearth::storage::search::vectors
