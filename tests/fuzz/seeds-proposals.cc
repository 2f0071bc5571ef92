// Seeds of the target "proposals".

#include "tests/fuzz/questions.h"
#include "tests/fuzz/seeds.h"

namespace hearth::fuzz {

namespace {

// Numbers of the steps in proposals.cc.
enum Step : uint8_t { ASK, HEAR, DECIDE, SIGN, ANSWER, TAKE_BACK, TIME, RESTART, CHANGE };

constexpr uint8_t ASKING = Questions::ASKING;

FlatWriter hears(std::initializer_list<uint8_t> questions) {
  FlatWriter out;
  out.u8(HEAR).u8(ASKING).u8(static_cast<uint8_t>(questions.size()));
  for (auto which: questions) out.u8(which).bytes(undamaged());
  return out;
}

void signs(FlatWriter& out, uint8_t place, uint8_t which, Bytes damage) {
  out.u8(SIGN).u8(place).u8(ASKING).u8(which).bytes(damage);
}

}  // namespace

void proposals(const Corpus& corpus) {
  auto& questions = Questions::get();
  auto& asking = Circle::get().devices[ASKING].id;
  for (uint8_t which = 0; which < questions.payloads.size(); ++which) {
    auto name = std::to_string(which);
    auto bytes = questions.proposal(which, asking).encode();
    corpus.add(("raw-" + name).c_str(), 0, bytes);
    corpus.add(("changed-" + name).c_str(), 1, choice({which, ASKING}, oneByte(90, 1)));
    FlatWriter signedOnce = hears({which});
    signedOnce.u8(DECIDE).u8(0).u8(1);
    signs(signedOnce, 0, which, undamaged());
    signs(signedOnce, 0, which, oneByte(30, 1));
    signedOnce.u8(RESTART).u8(TIME).u16(3 * 24 * 60);
    corpus.add(("signed-" + name).c_str(), 4, signedOnce);
  }
  corpus.add("stored-empty", 2, choice({1, 0, 0}, nullptr));
  corpus.add("stored-honest", 3, undamaged());
  corpus.add("stored-changed", 3, oneByte(2, 1));

  FlatWriter refused = hears({0, 1});
  refused.u8(DECIDE).u8(0).u8(0).u8(DECIDE).u8(1).u8(1);
  signs(refused, 0, 0, undamaged());
  refused.u8(TIME).u16(8 * 24 * 60);
  corpus.add("refused", 4, refused);

  FlatWriter asks;
  asks.u8(ASK).u8(1).u8(0).u8(ASK).u8(2).u8(1).u8(ANSWER).u8(ASKING).u8(0).u8(1);
  asks.u8(ANSWER).u8(ASKING).u8(9).u8(1).u8(RESTART).u8(TAKE_BACK).u8(0).u8(CHANGE).u8(7);
  corpus.add("asks", 4, asks);

  FlatWriter flood;
  for (int i = 0; i < 4; ++i) flood.bytes(hears({0, 1, 2, 3, 4, 5, 6}).asBytes());
  corpus.add("flood", 4, flood);
}

}  // namespace hearth::fuzz
