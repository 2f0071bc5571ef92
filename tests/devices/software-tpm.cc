#include "tests/devices/software-tpm.h"

#include <kj/debug.h>

#include <arpa/inet.h>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace hearth::devices {

namespace {

sockaddr_in loopback(uint16_t port) {
  return {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

bool isFree(uint16_t port) {
  kj::AutoCloseFd probe(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto address = loopback(port);
  return bind(probe, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
}

bool answers(uint16_t port) {
  kj::AutoCloseFd probe(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto address = loopback(port);
  return connect(probe, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
}

// The control port is the one behind the server's: the TSS expects it there.
uint16_t twoFreePorts() {
  for (uint16_t port = 20'000 + getpid() * 2 % 20'000;; port += 2) {
    if (isFree(port) && isFree(port + 1)) return port;
  }
}

}  // namespace

kj::Maybe<SoftwareTpm> SoftwareTpm::start() {
  if (system("command -v swtpm >/dev/null 2>&1") != 0) return nullptr;
  char folder[] = "/tmp/hearth-swtpm-XXXXXX";
  KJ_REQUIRE(mkdtemp(folder) != nullptr);
  auto port = twoFreePorts();
  auto state = kj::str("dir=", folder);
  auto server = kj::str("type=tcp,port=", port, ",bindaddr=127.0.0.1");
  auto control = kj::str("type=tcp,port=", port + 1, ",bindaddr=127.0.0.1");
  auto process = fork();
  if (process == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execlp("swtpm", "swtpm", "socket", "--tpm2", "--tpmstate", state.cStr(), "--server",
        server.cStr(), "--ctrl", control.cStr(), "--flags", "not-need-init,startup-clear", "--log",
        "level=0", nullptr);
    _exit(127);
  }
  for (int tries = 0; !answers(port + 1); ++tries) {
    KJ_REQUIRE(tries < 500, "swtpm does not come up");
    usleep(10'000);
  }
  return SoftwareTpm(process, folder, kj::str("swtpm:host=127.0.0.1,port=", port).cStr());
}

SoftwareTpm::SoftwareTpm(SoftwareTpm&& other) noexcept
    : process(std::exchange(other.process, -1)),
      folder(kj::mv(other.folder)),
      where(kj::mv(other.where)) {}

SoftwareTpm::~SoftwareTpm() {
  if (process <= 0) return;
  kill(process, SIGKILL);
  waitpid(process, nullptr, 0);
  std::filesystem::remove_all(folder);
}

}  // namespace hearth::devices
