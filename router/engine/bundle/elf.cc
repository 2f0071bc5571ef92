#include "router/engine/bundle/elf.h"

#include <cstring>
#include <elf.h>

namespace hearth::engine {

namespace {

#if defined(__x86_64__)
constexpr Elf64_Half THIS_MACHINE = EM_X86_64;
#elif defined(__aarch64__)
constexpr Elf64_Half THIS_MACHINE = EM_AARCH64;
#endif

template <typename T>
Result<T> readStruct(ReadAt& readAt, uint64_t offset) {
  T value;
  auto room = kj::arrayPtr(reinterpret_cast<kj::byte*>(&value), sizeof(value));
  if (readAt(offset, room) != room.size()) return no(Errc::BAD_FORMAT, "a truncated ELF file");
  return value;
}

Result<Elf64_Ehdr> readHeader(ReadAt& readAt) {
  auto header = readStruct<Elf64_Ehdr>(readAt, 0);
  if (!header) return header;
  if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64 ||
      header->e_ident[EI_DATA] != ELFDATA2LSB || header->e_machine != THIS_MACHINE ||
      header->e_phentsize != sizeof(Elf64_Phdr)) {
    return no(Errc::BAD_FORMAT, "no ELF file for this machine");
  }
  if (header->e_phnum > ElfFacts::HEADERS_MAX) {
    return no(Errc::LIMIT_EXCEEDED, "an ELF file with too many program headers");
  }
  return header;
}

// The zero-terminated text at `offset`.
Result<std::string> readName(ReadAt& readAt, uint64_t offset) {
  char room[ElfFacts::NAME_BYTES_MAX + 1];
  auto have = readAt(offset, kj::arrayPtr(reinterpret_cast<kj::byte*>(room), sizeof(room)));
  auto end = static_cast<const char*>(memchr(room, 0, have));
  if (end == nullptr) return no(Errc::BAD_FORMAT, "a name in an ELF file does not end");
  return std::string(room, static_cast<size_t>(end - room));
}

// Where in the file the byte at virtual address `address` lies.
kj::Maybe<uint64_t> fileOffset(const std::vector<Elf64_Phdr>& headers, uint64_t address) {
  for (auto& header: headers) {
    if (header.p_type == PT_LOAD && address >= header.p_vaddr &&
        address - header.p_vaddr < header.p_filesz) {
      return header.p_offset + (address - header.p_vaddr);
    }
  }
  return nullptr;
}

Result<std::vector<std::string>> readNeeded(
    ReadAt& readAt, const std::vector<Elf64_Phdr>& headers, const Elf64_Phdr& dynamic) {
  if (dynamic.p_filesz > ElfFacts::DYNAMIC_BYTES_MAX) {
    return no(Errc::LIMIT_EXCEEDED, "an ELF file with a dynamic section over the limit");
  }
  std::vector<uint64_t> names;  // offsets into the string table
  uint64_t strings = 0;
  for (uint64_t at = 0; at + sizeof(Elf64_Dyn) <= dynamic.p_filesz; at += sizeof(Elf64_Dyn)) {
    auto entry = readStruct<Elf64_Dyn>(readAt, dynamic.p_offset + at);
    if (!entry) return no(entry.error());
    if (entry->d_tag == DT_NULL) break;
    if (entry->d_tag == DT_STRTAB) strings = entry->d_un.d_ptr;
    if (entry->d_tag == DT_NEEDED) names.push_back(entry->d_un.d_val);
  }
  if (names.size() > ElfFacts::NEEDED_MAX) {
    return no(Errc::LIMIT_EXCEEDED, "an ELF file that needs too many libraries");
  }
  std::vector<std::string> needed;
  KJ_IF_MAYBE(base, fileOffset(headers, strings)) {
    for (auto name: names) {
      auto text = readName(readAt, *base + name);
      if (!text) return no(text.error());
      needed.push_back(kj::mv(*text));
    }
    return needed;
  }
  if (names.empty()) return needed;
  return no(Errc::BAD_FORMAT, "an ELF file whose names are nowhere");
}

}  // namespace

Result<ElfFacts> readElf(ReadAt& readAt) {
  auto header = readHeader(readAt);
  if (!header) return no(header.error());
  std::vector<Elf64_Phdr> headers;
  for (size_t i = 0; i < header->e_phnum; ++i) {
    auto program = readStruct<Elf64_Phdr>(readAt, header->e_phoff + i * sizeof(Elf64_Phdr));
    if (!program) return no(program.error());
    headers.push_back(*program);
  }
  ElfFacts facts;
  for (auto& program: headers) {
    if (program.p_type == PT_INTERP) {
      auto loader = readName(readAt, program.p_offset);
      if (!loader) return no(loader.error());
      facts.loader = kj::mv(*loader);
    } else if (program.p_type == PT_DYNAMIC) {
      auto needed = readNeeded(readAt, headers, program);
      if (!needed) return no(needed.error());
      facts.needed = kj::mv(*needed);
    }
  }
  return facts;
}

}  // namespace hearth::engine
