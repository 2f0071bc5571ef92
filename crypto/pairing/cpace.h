#pragma once
// CPace on ristretto255 with SHA-512, initiator/responder setting (draft-irtf-cfrg-cpace): two sides
// that share a short password agree on a strong secret, and an attacker in the middle learns only
// whether one guess was right.
//
//   g = map(SHA-512(gen_str(PRS, CI, sid)))     A: Ya = ya * g  ->  <-  B: Yb = yb * g
//   K = own scalar * peer's point               ISK = SHA-512(sid, K, Ya, ADa, Yb, ADb)

#include "core/base/ids.h"
#include "crypto/primitives/bytes.h"
#include "crypto/primitives/secret.h"

namespace hearth::crypto {

struct Cpace {
  using Point = Id<struct CpacePointTag, 32>;
  using Scalar = Key<struct CpaceScalarTag, 32>;
  using Shared = Key<struct CpaceSharedTag, 32>;  // K
  using Isk = Key<struct CpaceIskTag, 64>;

  // What both sides know beforehand; all borrowed.
  struct Setting {
    Bytes prs;       // the password
    Bytes ci;        // channel identifier
    Bytes sid;       // session identifier
    Bytes ada, adb;  // associated data of the initiator and of the responder
  };

  static constexpr size_t PASSWORD_BYTES_MAX = 256;

  static Scalar drawScalar(Entropy& entropy);

  // Contains the password. Requires prs.size() <= PASSWORD_BYTES_MAX.
  static Secret generatorString(const Setting& setting);
  static Point generator(Bytes generatorString);

  // Requires a scalar of drawScalar (or a vector's): zero is a bug.
  static Point multiply(const Scalar& scalar, const Point& generator);

  // Errors: SMALL_ORDER for a point that is badly encoded or the identity: abort, count a try.
  static Result<Shared> agree(const Scalar& own, const Point& peer);

  static Isk isk(
      const Setting& setting, const Shared& shared, const Point& initiator, const Point& responder);
};

}  // namespace hearth::crypto
