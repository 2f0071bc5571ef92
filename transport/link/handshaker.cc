#include "transport/link/handshaker.h"

#include <kj/debug.h>

namespace hearth::transport {

namespace {

using crypto::Alert;
using crypto::RecordType;

kj::Promise<Result<Record>> readSoon(HandshakeTools& tools, Carrier& carrier) {
  return tools.timer.timeoutAfter(
      HandshakeTools::BETWEEN_RECORDS_MAX, carrier.read(crypto::UNAUTHENTICATED_BYTES_MAX));
}

Error meaningOf(Alert alert) {
  switch (alert) {
    case Alert::EPOCH_UNKNOWN:
      return {Errc::EPOCH_UNKNOWN, "the peer has another epoch"};
    case Alert::BUSY:
      return {Errc::BUSY, "the peer is busy"};
    case Alert::UNKNOWN_PEER:
      return {Errc::UNKNOWN_PEER, "the peer does not know this device"};
    default:
      return {Errc::BAD_VERSION, "the peer does not speak to this device"};
  }
}

Error unexpected(const Record& record) {
  if (record.type == RecordType::ALERT) {
    auto alert = crypto::readAlert(record.body);
    if (alert) return meaningOf(*alert);
  }
  return {Errc::BAD_FORMAT, "a record that no handshake has here"};
}

kj::Promise<Result<Handshake>> initiateUnhurried(
    HandshakeTools tools, Carrier& carrier, DeviceId peer, uint32_t index, bool resync) {
  auto machine = co_await beginCall(tools, peer, index, resync);
  if (!machine) co_return no(machine.error());
  co_await carrier.write(machine->initRecord());
  auto reply = co_await readSoon(tools, carrier);
  for (int i = 0; i < HandshakeTools::COOKIES_MAX; ++i) {
    if (!reply || reply->type != RecordType::COOKIE) break;
    auto cookie = machine->takeCookie(reply->body);
    if (!cookie) co_return no(cookie.error());
    co_await carrier.write(machine->initRecord());
    reply = co_await readSoon(tools, carrier);
  }
  if (!reply) co_return no(reply.error());
  if (reply->type != RecordType::HS_RESP) co_return no(unexpected(*reply));
  auto session = machine->finish(reply->body);
  if (!session) co_return no(session.error());
  co_return Handshake{kj::mv(*session)};
}

// The caller's HS_INIT, once the gate lets it through.
kj::Promise<Result<Record>> readInit(
    HandshakeTools& tools, Gate& gate, Gate::Place& place, Carrier& carrier) {
  auto keys = crypto::GateKeys::forLink(crypto::publicOf(tools.circle.self().x));
  auto source = carrier.source();
  for (int cookies = 0; cookies <= HandshakeTools::COOKIES_MAX; ++cookies) {
    auto record = co_await readSoon(tools, carrier);
    if (!record) co_return no(record.error());
    if (record->type == RecordType::PAIR_HELLO) {
      co_await tools.circle.answerRecovery(carrier, kj::mv(record->body), tools.guard);
      co_return no(Errc::PAIRING_CLOSED, "a caller that wanted no link");
    }
    if (record->type != RecordType::HS_INIT) co_return no(unexpected(*record));
    auto init = crypto::readHsInit(record->body);
    if (!init) co_return no(init.error());
    auto judgement = gate.judge(keys, *init, source, tools.timer.now());
    if (judgement.verdict == Gate::Verdict::DROP) break;
    place.spoke();
    if (judgement.verdict == Gate::Verdict::WORK) co_return kj::mv(*record);
    co_await carrier.write(kj::mv(judgement.reply));
  }
  co_return no(Errc::BUSY, "a caller that does not know this device, or calls too often");
}

kj::Promise<Result<Handshake>> respondUnhurried(
    HandshakeTools tools, Gate& gate, Gate::Place& place, Carrier& carrier, uint32_t index) {
  auto record = co_await readInit(tools, gate, place, carrier);
  if (!record) co_return no(record.error());
  auto call = openCall(tools, record->body);
  if (!call) {
    auto code = call.error().code;
    if (code == Errc::EPOCH_UNKNOWN) co_await carrier.write(writeAlert(Alert::EPOCH_UNKNOWN));
    if (code == Errc::UNKNOWN_PEER) co_await carrier.write(writeAlert(Alert::UNKNOWN_PEER));
    co_return no(call.error());
  }
  co_await call->accept(tools.circle);
  auto answer = call->answer(index);
  if (!answer) co_return no(answer.error());
  co_await carrier.write(kj::mv(answer->record));
  co_return Handshake{kj::mv(answer->session), call->stranger};
}

}  // namespace

kj::Promise<Result<Handshake>> initiate(
    HandshakeTools tools, Carrier& carrier, DeviceId peer, uint32_t index, bool resync) {
  return tools.timer.timeoutAfter(
      HandshakeTools::AUTHENTICATE_WITHIN, initiateUnhurried(tools, carrier, peer, index, resync));
}

kj::Promise<Result<Handshake>> respond(
    HandshakeTools tools, Gate& gate, Gate::Place& place, Carrier& carrier, uint32_t index) {
  return tools.timer.timeoutAfter(
      HandshakeTools::AUTHENTICATE_WITHIN, respondUnhurried(tools, gate, place, carrier, index));
}

}  // namespace hearth::transport
