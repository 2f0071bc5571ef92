#include "bindings/local/blobs.h"

#include "bindings/local/refuse.h"
#include "crypto/identity/display.h"

#include <kj/debug.h>
#include <kj/encoding.h>

#include <deque>

namespace hearth::local {

namespace {

using Has = devices::BlobNames::Has;
using View = devices::Blobs::View;

constexpr size_t PIECE_BYTES = 1 << 20;
constexpr size_t UNDER_WAY_MAX = 4;  // pieces, for one blob
constexpr kj::Duration TELL_EVERY = 200 * kj::MILLISECONDS;

template <typename T>
T orRefuse(Result<T> result) {
  if (!result) refuse(result.error());
  if constexpr (!std::is_void_v<T>) return kj::mv(*result);
}

bool hasIt(Has has) { return has == Has::COPY || has == Has::KEPT || has == Has::WAS_KEPT; }

void write(devices::Node& node, const View& view, NamedBlob::Builder out) {
  out.setName(view.name.c_str());
  out.setId(kj::encodeHex(view.ref.contentId().asBytes()));
  out.setBytes(view.ref.top.length);
  out.setHere(view.isHere);
  out.setPinned(view.isPinned);
  out.setReceivedBytes(
      view.received.map([](auto bytes) { return static_cast<int64_t>(bytes); }).orDefault(-1));
  std::vector<std::pair<DeviceId, Has>> holders;
  for (auto& [device, has]: view.holders)
    if (hasIt(has) && node.circle().isActive(device)) holders.emplace_back(device, has);
  auto list = out.initHolders(static_cast<kj::uint>(holders.size()));
  for (kj::uint i = 0; i < holders.size(); ++i) {
    list[i].setDevice(node.nameOf(holders[i].first).c_str());
    list[i].setDeviceId(crypto::display(holders[i].first));
    list[i].setKeeps(holders[i].second == Has::KEPT);
  }
}

class BlobPutServer final: public BlobPut::Server {
 public:
  BlobPutServer(kj::Own<NodeWhileThere> node, devices::Blobs::PutNumber number, std::string name)
      : node(kj::mv(node)),
        number(number),
        name(kj::mv(name)) {}
  ~BlobPutServer() noexcept(false) {
    // A node that is gone has taken it along.
    KJ_IF_MAYBE(there, node->node) there->data().blobs().giveUp(number);
  }

  kj::Promise<void> add(AddContext context) override {
    auto bytes = context.getParams().getBytes();
    if (bytes.size() > PIECE_BYTES) refuse("LimitExceeded: a blob comes in pieces of 1 MiB");
    if (underWay >= UNDER_WAY_MAX || isBusy) refuse("Busy: wait until a piece is taken");
    ++underWay;
    auto done = turn.addBranch()
                    .then([this, copy = kj::heapArray<kj::byte>(bytes)]() mutable {
                      return put().add(kj::mv(copy));
                    })
                    .then([](Result<void> added) { orRefuse(kj::mv(added)); })
                    .attach(kj::defer([this]() { --underWay; }))
                    .fork();
    turn = done.addBranch().fork();
    return done.addBranch();
  }

  kj::Promise<void> cut(CutContext context) override {
    OneAtATime alone(isBusy, underWay);
    if (isCut) refuse("BadFormat: a blob is cut once");
    isCut = true;
    auto again = co_await put().cut();
    if (again) orRefuse(co_await blobs().makeRoomFor(put()));
    context.getResults().setAgain(again);
  }

  kj::Promise<void> finish(FinishContext context) override {
    OneAtATime alone(isBusy, underWay);
    if (!isCut) refuse("BadFormat: a blob is cut before it is finished");
    orRefuse(co_await blobs().finish(put(), name));
    auto view = orRefuse(co_await blobs().find(name));
    write(node->there(), view, context.getResults().initBlob());
  }

 private:
  kj::Own<NodeWhileThere> node;
  devices::Blobs::PutNumber number;
  std::string name;
  bool isBusy = false, isCut = false;
  size_t underWay = 0;  // pieces
  kj::ForkedPromise<void> turn =
      kj::Promise<void>(kj::READY_NOW).fork();  // each behind the one before

  struct OneAtATime {
    bool& isBusy;
    OneAtATime(bool& isBusy, size_t underWay): isBusy(isBusy) {
      if (isBusy || underWay > 0) refuse("Busy: wait until all pieces are taken");
      isBusy = true;
    }
    ~OneAtATime() { isBusy = false; }
  };

  devices::Blobs& blobs() { return node->there().data().blobs(); }
  devices::BlobPut& put() { return blobs().put(number); }
};

class BlobsServer final: public Blobs::Server {
 public:
  explicit BlobsServer(kj::Own<NodeWhileThere> node): node(kj::mv(node)) {}

  kj::Promise<void> list(ListContext context) override {
    auto views = co_await (co_await ready())->list();
    auto out = context.getResults().initBlobs(static_cast<kj::uint>(views.size()));
    for (kj::uint i = 0; i < views.size(); ++i) write(node->there(), views[i], out[i]);
  }

  kj::Promise<void> put(PutContext context) override {
    auto& blobs = *co_await ready();
    std::string name = context.getParams().getName().cStr();
    orRefuse(blobs.mayName(name));
    auto number = orRefuse(blobs.beginToPut());
    context.getResults().setPut(kj::heap<BlobPutServer>(kj::addRef(*node), number, kj::mv(name)));
  }

  kj::Promise<void> get(GetContext context) override {
    auto params = context.getParams();
    auto view = co_await found(params.getBlob());
    auto sink = params.getSink();
    auto length = view.ref.top.length;
    auto begin = params.getBegin();
    auto end = params.getEnd() == 0 ? length : params.getEnd();
    if (begin > end || end > length) refuse("BadFormat: the blob has not so many bytes");
    bool isWhole = begin == 0 && end == length;
    if (isWhole && !view.isHere) co_await fetched(view, sink, false);
    bool isFromHere = isWhole || view.isHere;
    std::deque<kj::Promise<void>> writing;
    for (auto at = begin; at < end;) {
      auto size = static_cast<size_t>(kj::min(end - at, PIECE_BYTES));
      auto& blobs = *co_await ready();
      auto bytes = orRefuse(isFromHere ? co_await blobs.read(view.ref, at, size)
                                       : co_await blobs.readFromOthers(view.ref, at, size));
      auto request = sink.writeRequest();
      request.setBytes(bytes);
      writing.push_back(request.send().ignoreResult().eagerlyEvaluate(nullptr));
      if (writing.size() >= UNDER_WAY_MAX) {
        co_await kj::mv(writing.front());
        writing.pop_front();
      }
      at += size;
    }
    for (auto& piece: writing) co_await kj::mv(piece);
    write(node->there(), view, context.getResults().initBlob());
  }

  kj::Promise<void> pin(PinContext context) override {
    auto params = context.getParams();
    auto view = co_await found(params.getBlob());
    co_await fetched(view, params.getSink(), true);
    co_await answer(view, context.getResults().initBlob());
  }

  kj::Promise<void> unpin(UnpinContext context) override {
    auto view = co_await found(context.getParams().getBlob());
    orRefuse(co_await (co_await ready())->unpin(view.ref));
    co_await answer(view, context.getResults().initBlob());
  }

  kj::Promise<void> remove(RemoveContext context) override {
    auto name = std::string(context.getParams().getName().cStr());
    orRefuse(co_await (co_await ready())->remove(name));
  }

  kj::Promise<void> find(FindContext context) override {
    auto view = co_await found(context.getParams().getBlob());
    write(node->there(), view, context.getResults().initBlob());
  }

  kj::Promise<void> usage(UsageContext context) override {
    auto& blobs = *co_await ready();
    auto used = co_await blobs.usage();
    context.getResults().setUsedBytes(used.bytes);
    context.getResults().setEvictableBytes(used.evictable);
    context.getResults().setRoomBytes(blobs.room());
  }

 private:
  kj::Own<NodeWhileThere> node;

  kj::Promise<devices::Blobs*> ready() {
    co_await node->there().data().ready();
    co_await node->there().data().blobs().ready();
    co_return &node->there().data().blobs();
  }
  kj::Promise<View> found(kj::StringPtr blob) {
    std::string wanted = blob.cStr();
    auto& blobs = *co_await ready();
    co_return orRefuse(co_await blobs.find(wanted));
  }

  kj::Promise<void> answer(const View& view, NamedBlob::Builder out) {
    auto now = co_await found(view.name.c_str());
    write(node->there(), now, out);
  }

  // Tells how far it is until it is here.
  kj::Promise<void> fetched(const View& view, BlobSink::Client sink, bool toKeep) {
    auto& blobs = *co_await ready();
    auto done = toKeep ? blobs.pin(view.ref) : blobs.fetch(view.ref);
    orRefuse(co_await done.exclusiveJoin(tell(view, sink)));
  }
  kj::Promise<Result<void>> tell(const View& view, BlobSink::Client sink) {
    for (;;) {
      co_await (co_await ready())->pause(TELL_EVERY);
      auto& blobs = *co_await ready();
      KJ_IF_MAYBE(bytes, blobs.received(view.ref)) {
        auto request = sink.progressRequest();
        request.setDone(*bytes);
        request.setTotal(view.ref.top.length);
        co_await request.send().ignoreResult();
      }
    }
  }
};

}  // namespace

Blobs::Client newBlobs(kj::Own<NodeWhileThere> node) { return kj::heap<BlobsServer>(kj::mv(node)); }

}  // namespace hearth::local
