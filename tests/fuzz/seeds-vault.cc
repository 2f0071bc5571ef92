// Seeds of what members and VAULTs say to each other, and of shelves in the log.

#include "storage/vault/manifest.h"
#include "storage/vault/messages.h"
#include "tests/fuzz/seeds.h"

namespace hearth::fuzz {

using namespace storage;

void vaults(const Corpus& corpus) {
  VaultShelfName shelf;
  shelf.writer.bytes[0] = 1;
  shelf.collection.bytes[0] = 2;
  VaultItem item{.bytes = 700};
  item.name.bytes[0] = 3;
  item.hash.bytes[0] = 4;
  auto later = item;
  later.name.bytes[0] = 5;
  auto ask = [&](const char* name, vault::Question question) {
    corpus.add(name, 0, encode(question));
  };
  ask("which", vault::Which{1, shelf.collection, {item.name, later.name}});
  ask("put", vault::Put{2, shelf.collection, item.name, 700, zeros(20)});
  ask("more", vault::More{2, zeros(20)});
  ask("drop", vault::Drop{3, shelf.collection, {item.name}});
  ask("read", vault::Read{4, shelf, item.name, 100, 200});
  ask("root", vault::Root{5, shelf});
  ask("list", vault::List{6, shelf, item.name});
  ask("give-up", vault::GiveUp{2});
  auto answer = [&](const char* name, vault::Answer answer) {
    corpus.add(name, 1, encode(answer));
  };
  answer("done", vault::Done{1});
  answer("not", vault::Not{2, Errc::QUOTA_EXCEEDED});
  answer("these", vault::These{3, {vault::Whose::NOBODYS, vault::Whose::ANOTHERS}});
  answer("piece", vault::Piece{4, zeros(20)});
  answer("is", vault::Is{5, 2, item.hash});
  answer("listed", vault::Listed{6, {item, later}});
  ShelfChange change{shelf.writer, shelf.collection, 1, item.hash, {{{}, item}}, {later.name}};
  corpus.add("shelf", 2, change.encode());
}

}  // namespace hearth::fuzz
