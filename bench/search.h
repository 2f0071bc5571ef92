#pragma once
// hearth-bench search: finding things among many small documents, in a database on this machine's disk as a device has
// it, through its storage thread.

#include <nlohmann/json.hpp>

namespace hearth::bench {

struct SearchOptions {
  uint32_t documents = 100'000;
  uint32_t queries = 2'000;
};

// {"ok": whether every query found the document that its words were taken from, or so many that it need not, and the words
//  lie in no file of the database, "documents", "text_mib": of all, "index_s": until all were on disk, "index_cpu_s",
//  "disk_mib": of that on disk, "p50_ms", "p95_ms", "p99_ms", "most_ms": of a query with its snippets, the same of the CPU
//  that it takes under "cpu" {}, and of each kind of query under "kinds" {one_rare, one, one_common, two, three, phrase, prefix, without}, "rss_delta_mib": above what the
//  process held with the texts alone}. Texts and queries are drawn by a fixed seed; words are as frequent as they are in
// a language (Zipf's law over 50,000 words).
nlohmann::json measureSearch(const SearchOptions& options);

}  // namespace hearth::bench
