#include "bindings/local/home.h"

#include "crypto/primitives/hash.h"

#include <kj/debug.h>
#include <kj/encoding.h>

#include <cstdlib>

namespace hearth::local {

namespace {
// sun_path holds 108 bytes with its NUL; the limit leaves room for a temporary name beside it.
constexpr size_t SOCKET_PATH_MAX = 100;

kj::Maybe<kj::StringPtr> environment(const char* name) {
  const char* value = getenv(name);
  if (value == nullptr || value[0] == '\0') return nullptr;
  return kj::StringPtr(value);
}
}  // namespace

kj::String defaultHome() {
  KJ_IF_MAYBE(home, environment("HEARTH_HOME")) return kj::str(*home);
  KJ_IF_MAYBE(data, environment("XDG_DATA_HOME")) return kj::str(*data, "/hearth");
  KJ_IF_MAYBE(user, environment("HOME")) return kj::str(*user, "/.local/share/hearth");
  KJ_FAIL_REQUIRE("neither HEARTH_HOME nor HOME is set: pass --home DIR");
}

kj::String socketPath(kj::StringPtr home) {
  auto inHome = kj::str(home, "/run/hearthd.sock");
  if (inHome.size() <= SOCKET_PATH_MAX) return inHome;
  auto hash = crypto::hash("hearth/home/v1", {home.asBytes()});
  auto runtime = environment("XDG_RUNTIME_DIR").orDefault("/tmp"_kj);
  return kj::str(runtime, "/hearth/", kj::encodeHex(hash.asBytes().slice(0, 8)), ".sock");
}

}  // namespace hearth::local
