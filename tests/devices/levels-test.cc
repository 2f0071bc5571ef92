#include "devices/node/levels.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>

namespace hearth::devices {
namespace {

TEST_CASE("a level says how far below full scale the sound is, and silence is the lowest") {
  auto tone = [](double amplitude) {
    auto samples = kj::heapArray<int16_t>(Levels::SAMPLES_EACH);
    for (size_t i = 0; i < samples.size(); ++i)
      samples[i] = static_cast<int16_t>(amplitude * std::sin(static_cast<double>(i) / 5));
    return levelOf(samples);
  };
  REQUIRE(tone(32'767) == 3);  // a sine's power is half of its peak's
  REQUIRE(tone(3'277) == 23);
  REQUIRE(tone(0) == SILENCE_DB);
  REQUIRE(levelOf(nullptr) == SILENCE_DB);
  const int16_t quietest[] = {1, 0, 0, 0}, loudest[] = {INT16_MIN, INT16_MIN};
  REQUIRE(levelOf(quietest) == SILENCE_DB);
  REQUIRE(levelOf(loudest) == 0);
}

}  // namespace
}  // namespace hearth::devices
