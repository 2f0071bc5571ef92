#include "bindings/local/invitation.h"

#include "bindings/local/views.h"

#include <arpa/inet.h>

namespace hearth::local {

namespace {

constexpr size_t CODE_BYTES_MAX = 256;

// "HOST:PORT" of a place that a QR code names.
std::string textOf(const crypto::QrHint& hint) {
  char host[INET6_ADDRSTRLEN];
  bool isV4 = hint.address.size() == 4;
  inet_ntop(isV4 ? AF_INET : AF_INET6, hint.address.begin(), host, sizeof(host));
  auto text = std::string(host);
  return (isV4 ? text : "[" + text + "]") + ":" + std::to_string(hint.port);
}

Result<Invitation> readQrInvitation(kj::StringPtr code, std::vector<std::string> addresses) {
  auto offer = crypto::readQr(code);
  if (!offer) return no(offer.error());
  if (addresses.empty()) {
    for (auto& hint: offer->hints) addresses.push_back(textOf(hint));
  }
  return Invitation{crypto::QrProof{offer->commitment, kj::mv(offer->secret)}, kj::mv(addresses)};
}

}  // namespace

Result<Invitation> readInvitation(kj::StringPtr code, kj::StringPtr address) {
  if (code.size() > CODE_BYTES_MAX)
    return no(Errc::BAD_FORMAT, "too long for a code: six words, or what a QR code says");
  std::vector<std::string> addresses;
  if (address.size() > 0) addresses.emplace_back(address.cStr());
  if (code.startsWith("HEARTH")) return readQrInvitation(code, kj::mv(addresses));
  if (addresses.empty())
    return no(Errc::BAD_FORMAT, "say where the new device waits: --at HOST:PORT, as it shows");
  if (code.size() == 0) return Invitation{crypto::SasComparison(), kj::mv(addresses)};
  auto words = crypto::PairingCode::parse(code.asBytes());
  if (!words)
    return no(Errc::BAD_FORMAT, "the code is six words: type them as the new device shows them");
  return Invitation{kj::mv(*words), kj::mv(addresses)};
}

kj::Promise<bool> AppPerson::compare(const crypto::Sas& sas) {
  auto request = app.compareRequest();
  auto pictures = sas.pictures();
  auto out = request.initPictures(static_cast<kj::uint>(pictures.size()));
  for (kj::uint i = 0; i < pictures.size(); ++i) {
    out[i].setName(pictures[i].name);
    out[i].setCodePoint(pictures[i].codePoint);
  }
  request.setDigits(sas.digits());
  auto answer = co_await request.send();
  co_return answer.getSame();
}

kj::Promise<bool> AppPerson::confirm(const devices::DeviceView& device) {
  auto request = app.confirmRequest();
  write(device, request.initDevice());
  auto answer = co_await request.send();
  co_return answer.getYes();
}

void AppPerson::waits(const devices::PendingView& pending) {
  auto request = app.waitsRequest();
  write(pending, request.initPending());
  // An app that does not listen loses nothing by it.
  telling = request.send().ignoreResult().eagerlyEvaluate([](kj::Exception&&) {});
}

}  // namespace hearth::local
