#include "bench/constant-time.h"

#include "core/entropy/entropy.h"
#include "crypto/handshake/cookies.h"
#include "crypto/pairing/sas.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace hearth::bench {

namespace {

using namespace hearth::crypto;
using nlohmann::json;

// Welch's t over two classes, in one pass.
class Welch {
 public:
  void add(bool second, double value) {
    auto& c = classes[second];
    ++c.count;
    auto delta = value - c.mean;
    c.mean += delta / c.count;
    c.squares += delta * (value - c.mean);
  }
  double t() const {
    auto& [a, b] = classes;
    auto spread = a.squares / (a.count - 1) / a.count + b.squares / (b.count - 1) / b.count;
    return spread > 0 ? (a.mean - b.mean) / std::sqrt(spread) : 0;
  }

 private:
  struct Class {
    double count = 0, mean = 0, squares = 0;
  };
  Class classes[2];
};

// `compare` is timed on `shown` of two classes, equal to the secret and not, drawn by a coin. What an
// interrupt has made long is left out: the slowest twentieth, of both classes by one measure.
template <size_t N, typename Compare>
double tOf(uint32_t timings, Bytes secret, Compare&& compare) {
  constexpr double KEPT = 0.95;
  SystemEntropy entropy;
  kj::byte shown[N];
  std::vector<std::pair<bool, uint64_t>> taken;
  taken.reserve(timings);
  kj::byte coins[64];
  for (uint32_t i = 0; i < timings; ++i) {
    if (i % sizeof(coins) == 0) entropy.fill(coins);
    bool equal = (coins[i % sizeof(coins)] & 1) != 0;
    // Both classes write the same bytes to the same place: only their values differ.
    for (size_t at = 0; at < N; ++at)
      shown[at] = secret[at] ^ static_cast<kj::byte>(equal ? 0 : 0xa5);
    auto before = __builtin_readcyclecounter();
    bool outcome = compare(kj::arrayPtr(shown, N));
    auto after = __builtin_readcyclecounter();
    if (outcome != equal) return INFINITY;  // it compares nothing
    taken.emplace_back(equal, after - before);
  }
  auto times = taken;
  auto limit = times.begin() + static_cast<ptrdiff_t>(KEPT * static_cast<double>(times.size()));
  std::ranges::nth_element(times, limit, {}, [](auto& entry) { return entry.second; });
  Welch welch;
  for (auto& [equal, cycles]: taken) {
    if (cycles <= limit->second) welch.add(equal, static_cast<double>(cycles));
  }
  return welch.t();
}

// Ends at the first difference.
bool hasty(Bytes a, Bytes b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (static_cast<volatile const kj::byte*>(a.begin())[i] != b[i]) return false;
  }
  return true;
}

}  // namespace

json measureConstantTime(const ConstantTimeOptions& options) {
  SystemEntropy entropy;
  auto mac = entropy.draw<Mac16>();
  auto token = Key<struct TokenTag, 32>::draw(entropy);
  auto commit = sasCommit(entropy.draw<PairContribution>());

  // mac2 under the right cookie, as a record carries it.
  auto gate = GateKeys::forPairing(entropy.draw<Digest>());
  auto cookie = cookieFor(CookieSecret::draw(entropy), {});
  auto record = writeHsInit(gate, 3, 1, "noise"_kj.asBytes(), cookie);
  auto init = readHsInit(record.slice(RECORD_HEADER_BYTES, record.size())).value();
  auto mac2 = init.mac2;

  auto count = options.timings;
  auto plainly = [](Bytes secret) {
    return [secret](Bytes shown) { return equalSecrets(secret, shown); };
  };
  json t = {{"mac", tOf<Mac16::SIZE>(count, mac.asBytes(), plainly(mac.asBytes()))},
      {"token", tOf<32>(count, token.reveal(), plainly(token.reveal()))},
      {"commit", tOf<Digest::SIZE>(count, commit.asBytes(), plainly(commit.asBytes()))},
      {"cookie", tOf<Mac16::SIZE>(count, mac2.asBytes(), [&](Bytes shown) {
         memcpy(init.mac2.bytes, shown.begin(), shown.size());
         return mac2Holds(cookie, init);
       })}};
  double greatest = 0;
  for (auto& value: t) greatest = std::max(greatest, std::abs(value.get<double>()));
  auto planted =
      tOf<32>(count, token.reveal(), [&](Bytes shown) { return hasty(token.reveal(), shown); });
  return {{"timings", count}, {"t", t}, {"t_max", greatest}, {"planted", planted}};
}

}  // namespace hearth::bench
