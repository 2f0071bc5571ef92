#pragma once
// What the circle's owner allows on its devices (SECURITY.md §9.1): the plaintext of a PolicySet op, which
// members alone can read.
//
//   u8 1 | u8 level for public, personal, health, secret (4 * u8) | u8 bitmap of labels that accept A2-gpu |
//   u16 stale_days | list16<b[32] plugin measurement> | list16<b[32] signer ed_pk> |
//   list16<b[32] signer, var8 name, u16 major, minor, patch: minimum> | list16<b[32] daemon_hash> |
//   list16<b[32] profile_hash> | u32 memory_mib, cpu_s, wall_s | u16 descriptors, threads | u32 output_kib |
//   u16 jobs_per_minute | list16<b[32] device_id, u8 label ceiling> | u8 broker on |
//   list16<u8 1 https, var8 host, u16 port, var16 path prefix, u8 methods>
//
// Lists are ascending and distinct.

#include "crypto/membership/epoch-keys.h"

namespace hearth::crypto {

enum class Label : uint8_t { PUBLIC = 0, PERSONAL = 1, HEALTH = 2, SECRET = 3 };
constexpr size_t LABELS = 4;
// What a device has to prove (SECURITY.md §7.1).
enum class Assurance : uint8_t { A0 = 0, A1 = 1, A2 = 2, A3 = 3, A4 = 4 };

// Caps of SECURITY.md §8.4, which are also the greatest that a policy may say.
struct QuotaCaps {
  uint32_t memoryMib = 65'536, cpuS = 3'600, wallS = 3'600;
  uint16_t descriptors = 64, threads = 64;
  uint32_t outputKib = 262'144;
  uint16_t jobsPerMinute = 6'000;

  auto operator<=>(const QuotaCaps&) const = default;
};

struct Policy {
  static constexpr size_t BYTES_MAX = 65'536 - 72;  // of what an op seals
  static constexpr size_t LIST_MAX = 1'024;         // items of one
  static constexpr uint16_t STALE_DAYS_MIN = 1, STALE_DAYS_MAX = 30;

  struct PluginMinimum {
    Digest signer;
    std::string name;
    uint16_t major = 0, minor = 0, patch = 0;
    auto operator<=>(const PluginMinimum&) const = default;
  };
  struct Ceiling {
    DeviceId device;
    Label label = Label::SECRET;
    auto operator<=>(const Ceiling&) const = default;
  };
  struct Egress {
    std::string host;
    uint16_t port = 443;
    std::string pathPrefix;
    uint8_t methods = 0;
    auto operator<=>(const Egress&) const = default;
  };

  // By label. SECURITY.md §9.1 says what holds where nobody has set anything.
  Assurance levels[LABELS] = {Assurance::A0, Assurance::A1, Assurance::A2, Assurance::A2};
  uint8_t gpuLabels = 0;  // bit of a label: it may go to the weaker profile A2-gpu
  uint16_t staleDays = 7;
  std::vector<Digest> plugins, signers;  // measurements; Ed25519 keys
  std::vector<PluginMinimum> minimums;
  std::vector<Digest> daemons, profiles;
  QuotaCaps caps;
  std::vector<Ceiling> ceilings;
  bool broker = false;
  std::vector<Egress> egress;

  Buffer encode() const;
  // Errors: BAD_LENGTH, BAD_VERSION; BAD_FORMAT, also for a level, a label or a cap that there is not, and
  // for lists that are not ascending.
  static Result<Policy> decode(Bytes plain);

  bool operator==(const Policy&) const = default;
};

// A PolicySet before it is sealed, as admins agree to it: zeros stand for epoch, nonce and tag.
PolicySetPayload inTheClear(uint64_t version, Bytes plain);
// The plaintext in it. Errors: BAD_FORMAT when it is no such payload.
Result<Bytes> clearTextOf(const PolicySetPayload& payload);

// The policy in force; none where nobody has set one. Errors: EPOCH_UNKNOWN, DECRYPT_FAILED and those of
// decode() where it cannot be read here.
Result<kj::Maybe<Policy>> policyIn(const MembershipLog& log, const EpochKeys& epochs);

}  // namespace hearth::crypto
