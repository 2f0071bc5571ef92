#pragma once
// What storage/folder/file-tree.h promises, held to every implementation: one folder, and what a test does with it in
// short.

#include "tests/devices/folders/sites.h"

#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>

namespace hearth::storage {

using Everything = std::map<std::string, std::string>;

inline kj::ArrayPtr<const kj::byte> bytesOf(const std::string& text) {
  return kj::arrayPtr(reinterpret_cast<const kj::byte*>(text.data()), text.size());
}

template <typename Readable>
std::string readAll(Readable& from) {
  std::string all;
  kj::byte buffer[7];  // not of one piece
  while (auto size = from.read(all.size(), buffer).value())
    all.append(reinterpret_cast<char*>(buffer), size);
  return all;
}

inline const FileAttributes PLAIN{0644, 1'600'000'000'123'456'700, {}};

// One folder, and what a test does with it in short.
template <typename Site>
struct Folder: Site {
  FileTree* operator->() { return this->tree.get(); }

  FileStamp stampOf(std::string_view at) { return this->tree->state(path(at)).value().stamp; }
  void stage(const std::string& name, const std::string& text) {
    auto staged = this->tree->stage(name).value();
    REQUIRE(staged->write(0, bytesOf(text)));
    REQUIRE(staged->finish(text.size(), PLAIN));
  }
  std::string kept(std::string_view at) { return readAll(*this->tree->openKept(path(at)).value()); }
  Everything everything() { return this->owner.everything(); }
};

template <typename T>
TreeError errorOf(const TreeResult<T>& result) {
  REQUIRE_FALSE(result.has_value());
  return result.error();
}

#define ON_EVERY_DISK(name) TEMPLATE_TEST_CASE(name, "", InMemory, OnLinux, OnOldLinux)

}  // namespace hearth::storage
