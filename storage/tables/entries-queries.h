#pragma once
// How a document's entries are looked for. Each is answered by an index alone, in the order in which it asks: a test
// holds the database to it (tests/storage/entries-plans-test.cc).

#include <kj/string.h>

namespace hearth::storage::entries {

// ?1 collection, ?2 topic, ?3 place
constexpr kj::StringPtr OF_TOPIC =
    "SELECT i, envelope FROM entries WHERE collection = ?1 AND topic = ?2"
    " AND i > ?3 ORDER BY i"_kj;
// ?1 place
constexpr kj::StringPtr UNREAD =
    "SELECT i, envelope FROM entries WHERE kind = 0 AND i > ?1 ORDER BY i"_kj;
// ?1 collection
constexpr kj::StringPtr TOPICS =
    "SELECT DISTINCT topic FROM entries WHERE collection = ?1 AND topic <> ''"
    " ORDER BY topic"_kj;
// ?1 collection, ?2 topic, ?3 author
constexpr kj::StringPtr WRITTEN_BY =
    "SELECT seq, kind, target FROM entries WHERE collection = ?1 AND topic = ?2"
    " AND author = ?3 ORDER BY seq"_kj;
// ?1 collection, ?2 topic, ?3 author, ?4 seq
constexpr kj::StringPtr FIND = "SELECT envelope FROM entries WHERE collection = ?1 AND topic = ?2"
                               " AND author = ?3 AND seq = ?4"_kj;
// ?1 collection
constexpr kj::StringPtr ALL = "SELECT time, hash, author, seq FROM entries WHERE collection = ?1"
                              " ORDER BY time, hash"_kj;

}  // namespace hearth::storage::entries
