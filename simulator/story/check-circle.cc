#include "simulator/story/check-circle.h"

#include <algorithm>
#include <map>
#include <set>

namespace hearth::sim {

namespace {

bool canCall(Run& run, const Device& from, const Device& to) {
  return std::ranges::any_of(run.world.terrain.attachments(to.index()), [&](auto network) {
    auto ip = Terrain::addressIn(network, to.index());
    return run.world.terrain.passes(from.index(), ip, Terrain::Packet::CALL);
  });
}

}  // namespace

Violations convergence(Run& run) {
  Violations found;
  auto epochOf = [](auto& circle) {
    return circle.state().epoch.map([](auto& e) { return e.id; }).orDefault(EpochId());
  };
  for (auto& circle: circles(run)) {
    auto all = membersOf(circle);
    for (auto& one: all) {
      auto& mine = one.node.circle();
      auto& theirs = all.front().node.circle();
      auto heads = mine.log().heads(), others = theirs.log().heads();
      std::ranges::sort(heads);
      std::ranges::sort(others);
      if (mine.log().size() != theirs.log().size() || heads != others ||
          epochOf(mine) != epochOf(theirs)) {
        found.push_back({now(run), one.device.index(), "convergence",
            one.device.called() + " has " + std::to_string(mine.log().size()) + " ops, " +
                all.front().device.called() + " has " + std::to_string(theirs.log().size())});
      }
    }
  }
  return found;
}

Violations epochsFit(Run& run) {
  Violations found;
  for (auto& circle: circles(run)) {
    auto all = membersOf(circle);
    bool admin = std::ranges::any_of(
        all, [](auto& one) { return one.node.circle().ownRole() == crypto::Role::ADMIN; });
    for (auto& one: all) {
      if (admin && one.node.circle().state().epochDue())
        found.push_back({now(run), one.device.index(), "epoch",
            one.device.called() + " has an epoch whose holders are not the members"});
    }
  }
  return found;
}

Violations linked(Run& run) {
  Violations found;
  auto complain = [&](const Device& about, const char* checker, std::string what) {
    found.push_back({now(run), about.index(), checker, about.called() + what});
  };
  for (auto& circle: circles(run)) {
    auto all = membersOf(circle);
    for (auto& one: all) {
      auto views = one.node.devices();
      for (auto& other: all) {
        if (one.device.index() == other.device.index()) continue;
        if (!canCall(run, one.device, other.device)) continue;
        auto id = KJ_ASSERT_NONNULL(other.device.id());
        auto view = std::ranges::find_if(views, [&](auto& view) { return view.id == id; });
        if (view == views.end() || !view->reachable) {
          complain(one.device, "links", " has no link to " + other.device.called());
        } else if (view->facts == nullptr) {
          complain(one.device, "facts", " does not know what " + other.device.called() + " can do");
        }
      }
    }
  }
  return found;
}

Violations acknowledged(Run& run) {
  Violations found;
  if (run.effects.contains("restore") || run.effects.contains("bit-rot")) return found;
  for (auto& circle: circles(run)) {
    auto all = membersOf(circle);
    for (auto& told: run.people.acknowledgements()) {
      auto& author = run.world.device(told.by);
      if (run.isDestroyed(author) || run.circleOf(author) != run.circleOf(circle.front().device))
        continue;
      for (auto& one: all) {
        auto known = one.node.circle().state().find(told.target);
        bool holds =
            known.map([&](auto& member) { return told.isRemoval ? !member.isActive() : true; })
                .orDefault(false);
        if (!holds)
          found.push_back({now(run), one.device.index(), "durability",
              one.device.called() + " does not know that a device was " +
                  (told.isRemoval ? "removed" : "added")});
      }
    }
  }
  return found;
}

Violations nobodyForgetsInVain(Run& run) {
  Violations found;
  if (run.effects.contains("restore") || run.effects.contains("bit-rot")) return found;
  for (auto& circle: circles(run)) {
    for (auto& one: circle) {
      if (one.node.circle().hasForgotten())
        found.push_back({now(run), one.device.index(), "rollback",
            one.device.called() + " takes itself for an older copy, and is none"});
    }
  }
  return found;
}

Violations removedIsOut(Run& run) {
  Violations found;
  for (auto& circle: circles(run)) {
    auto inside = membersOf(circle);
    if (inside.empty()) continue;
    for (auto& one: circle) {
      if (!isRemoved(circle, one.device)) continue;
      auto complain = [&](std::string what) {
        found.push_back({now(run), one.device.index(), "removal", one.device.called() + what});
      };
      KJ_IF_MAYBE(epoch, inside.front().node.circle().state().epoch) {
        if (one.node.circle().log().has(epoch->id))
          complain(" holds an epoch made after its removal");
      }
      for (auto& member: inside) {
        auto id = KJ_ASSERT_NONNULL(one.device.id());
        for (auto& view: member.node.devices()) {
          if (view.id == id && view.reachable) complain(" is linked to " + member.device.called());
        }
      }
    }
  }
  return found;
}

Violations removedIsLeft(Run& run) {
  Violations found;
  for (auto& told: run.people.acknowledgements()) {
    if (told.stillLinked)
      found.push_back({told.at, told.by, "removal",
          run.world.device(told.by).called() + " has kept its link to a device that it removed"});
  }
  for (auto& d: run.people.dictations()) {
    if (d->sinkKnewItIsOut && !d->refused)
      found.push_back({d->begunAt, d->sink, "removal", "a device that is out has begun a job"});
  }
  return found;
}

Violations vaultsAreBlind(Run& run) {
  Violations found;
  for (auto& circle: circles(run)) {
    for (auto& one: circle) {
      bool isVault = one.node.circle().ownRole() == crypto::Role::VAULT;
      if (isVault && one.node.circle().epochKeys().secretsHeld() > 0)
        found.push_back({now(run), one.device.index(), "vault",
            one.device.called() + " holds the secret of an epoch"});
    }
  }
  return found;
}

Violations circlesApart(Run& run) {
  Violations found;
  std::map<DeviceId, const std::string*> circleOf;
  for (DeviceIndex i = 0; i < run.world.deviceCount(); ++i) {
    auto& device = run.world.device(i);
    KJ_IF_MAYBE(id, device.id()) circleOf[*id] = &run.circleOf(device);
  }
  for (auto& circle: circles(run)) {
    for (auto& one: circle) {
      for (auto& view: one.node.devices()) {
        auto known = circleOf.find(view.id);
        if (known != circleOf.end() && *known->second != run.circleOf(one.device))
          found.push_back({now(run), one.device.index(), "apart",
              one.device.called() + " counts a device of another circle among its own"});
      }
    }
  }
  return found;
}

Violations strangersStayOut(Run& run) {
  constexpr uint32_t TRIES_MAX = 3;
  Violations found;
  for (auto& guessing: run.people.guessings()) {
    if (guessing.taken > TRIES_MAX)
      found.push_back({now(run), guessing.at, "pairing",
          "a new device listened to " + std::to_string(guessing.taken) + " codes"});
  }
  if (run.effects.contains("paired-with-wrong-code"))
    found.push_back({now(run), -1, "pairing", "a wrong code was accepted"});
  if (run.effects.contains("replay-answered"))
    found.push_back({now(run), -1, "replay", "a call that was made before was answered again"});
  if (auto repeats = run.world.eavesdropper.repeats(); repeats > 0)
    found.push_back({now(run), -1, "nonces",
        std::to_string(repeats) + " records were sealed with a nonce that was used before"});
  return found;
}

}  // namespace hearth::sim
