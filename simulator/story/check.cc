#include "simulator/story/check.h"

#include "simulator/story/check-circle.h"
#include "simulator/story/check-clipboard.h"
#include "simulator/story/check-files.h"
#include "simulator/story/check-memory.h"

#include <kj/debug.h>

#include <algorithm>
#include <map>
#include <set>

namespace hearth::sim {

namespace {

std::string show(const Dictation& d) {
  return "dictation " + std::to_string(d.number) + ": " + std::to_string(d.heard.size()) + " of " +
      std::to_string(d.said.size()) + " words, " + (d.state.empty() ? "no end" : d.state) + " " +
      d.message;
}

// Every device that should run does.
Violations everybodyIsBack(Run& run) {
  Violations found;
  for (DeviceIndex i = 0; i < run.world.deviceCount(); ++i) {
    auto& device = run.world.device(i);
    if (run.isDestroyed(device) || !device.inCircle() || device.node() != nullptr) continue;
    // A database that rotted or was put back from an old copy may be refused, by name.
    bool excused = run.effects.contains("bit-rot") || run.effects.contains("restore");
    if (!excused)
      found.push_back(
          {now(run), i, "life", device.called() + " does not run: " + device.whyNotStarted});
  }
  return found;
}

// At the sink: what was said, in order, once; all of it when the job says that it is done.
Violations exactlyOnce(Run& run) {
  Violations found;
  for (auto& held: run.people.dictations()) {
    auto& d = *held;
    KJ_IF_MAYBE(at, d.wrongAt) {
      found.push_back({*at, d.sink, "exactly-once",
          show(d) + ": '" + d.wrongWord + "' came where another word was next"});
    } else if (d.state == "done" && d.heard.size() != d.said.size()) {
      found.push_back({d.endedAt, d.sink, "exactly-once", show(d)});
    }
  }
  return found;
}

// Every job comes to an end, and where the scenario says so, to a good one.
Violations jobsEnd(Run& run) {
  Violations found;
  for (auto& held: run.people.dictations()) {
    auto& d = *held;
    if (d.refused || d.appGone) continue;
    if (!d.ended) found.push_back({now(run), d.sink, "liveness", show(d)});
    if (d.ended && run.scenario.expect.allDone && d.state != "done")
      found.push_back({d.endedAt, d.sink, "all-done", show(d)});
    auto within = run.scenario.expect.endsWithin;
    if (within > 0 * kj::SECONDS && d.ended && d.endedAt > d.begunAt + d.speech + within)
      found.push_back({d.endedAt, d.sink, "liveness", show(d) + " ended late"});
  }
  if (run.scenario.expect.allDone) {
    for (auto& d: run.people.dictations()) {
      if (d->refused || d->appGone) found.push_back({now(run), d->sink, "all-done", show(*d)});
    }
  }
  return found;
}

// What a device could do that went away, it cannot do now.
Violations noGhosts(Run& run) {
  Violations found;
  for (auto& circle: circles(run)) {
    for (auto& one: circle) {
      for (auto& view: one.node.devices()) {
        if (!view.reachable && view.facts != nullptr)
          found.push_back({now(run), one.device.index(), "facts",
              one.device.called() + " counts on " + view.name + ", to which it has no link"});
      }
    }
  }
  return found;
}

// No stage runs on a device that was removed some time before, as far as the sink could know.
Violations placedOnMembers(Run& run) {
  constexpr auto KNOWN_AFTER = 2 * kj::SECONDS;
  Violations found;
  for (auto& told: run.people.acknowledgements()) {
    if (!told.isRemoval) continue;
    KJ_IF_MAYBE(device, run.world.find(told.target)) {
      for (auto& d: run.people.dictations()) {
        if (d->sink != told.by) continue;  // others learn of it when they are reached
        for (auto& placed: d->placed) {
          if (placed.device == device->called() && placed.at > told.at + KNOWN_AFTER)
            found.push_back({placed.at, d->sink, "policy",
                "a stage was placed on " + placed.device + ", which had been removed"});
        }
      }
    }
  }
  return found;
}

// Nothing is left over: no job, no queue.
Violations nothingLeft(Run& run) {
  Violations found;
  for (auto& circle: circles(run)) {
    for (auto& one: circle) {
      auto jobs = one.node.work().running();
      if (jobs > 0)
        found.push_back({now(run), one.device.index(), "left-over",
            one.device.called() + " still runs " + std::to_string(jobs) + " jobs"});
    }
  }
  return found;
}

// Traces carry ids and sizes, never a word of what was said, and no key.
Violations tracesAreSilent(Run& run) {
  Violations found;
  std::set<std::string> words;
  for (auto& d: run.people.dictations()) words.insert(d->said.begin(), d->said.end());
  for (auto& event: run.world.history.all()) {
    if (event.kind != "trace" && event.kind != "log") continue;
    size_t begin = 0;
    while (begin < event.text.size()) {
      auto end = event.text.find_first_of(" =,:\"'", begin);
      if (end == std::string::npos) end = event.text.size();
      if (words.contains(event.text.substr(begin, end - begin)))
        found.push_back(
            {event.at, event.device, "silence", "a trace has words of a dictation in it"});
      begin = end + 1;
    }
  }
  return found;
}

// Batteries last as the scenario expects.
Violations energy(Run& run) {
  Violations found;
  auto& expect = run.scenario.expect;
  auto hours = static_cast<double>((now(run) - run.beganAt()) / kj::SECONDS) / 3'600;
  for (DeviceIndex i = 0; i < run.world.deviceCount() && hours > 0; ++i) {
    auto& device = run.world.device(i);
    auto woken = device.power.wakeUps() + device.time.wakes() - run.wakesBefore[i];
    auto wakes = static_cast<double>(woken) / hours;
    auto mwh = (device.power.radioMwh() - run.radioMwhBefore[i]) / hours * 24;
    if (expect.wakesPerHourMax >= 0 && wakes > expect.wakesPerHourMax)
      found.push_back({now(run), i, "energy",
          device.called() + " woke " + std::to_string(wakes) + " times an hour"});
    if (expect.mwhPerDayMax >= 0 && mwh > expect.mwhPerDayMax)
      found.push_back({now(run), i, "energy",
          device.called() + "'s radios took " + std::to_string(mwh) + " mWh a day"});
  }
  return found;
}

// The shipping code logs an error only when something is wrong that it cannot mend; a full or broken
// disk is such a thing.
Violations noErrors(Run& run) {
  Violations found;
  bool excused = run.effects.contains("write-refused") || run.effects.contains("bit-rot");
  for (auto& line: run.world.errors()) {
    if (!excused) found.push_back({now(run), -1, "errors", line});
  }
  return found;
}

// Nobody has held more than there is room for, at any time that was looked at.
Violations bounded(Run& run) { return run.bounds.broken(); }

// Who may have missed its own removal begins no job.
Violations staleWorksForNobody(Run& run) {
  Violations found;
  for (auto& d: run.people.dictations()) {
    if (d->sinkWasStale && !d->refused)
      found.push_back({d->begunAt, d->sink, "stale", show(*d) + " began on a stale device"});
  }
  return found;
}

// What admins ask and answer each other goes to the disk now and then, however much of it comes.
Violations keptNowAndThen(Run& run) {
  constexpr size_t BEGINNINGS = 2;  // of a process, or of other keys, within that time
  Violations found;
  std::map<DeviceIndex, std::vector<kj::TimePoint>> kept;
  for (auto& event: run.world.history.all()) {
    if (event.kind != "trace" || !event.text.starts_with("cosigning.kept")) continue;
    auto& times = kept[static_cast<DeviceIndex>(event.device)];
    times.push_back(event.at);
    if (times.size() < BEGINNINGS + 2) continue;
    auto span = times.back() - times[times.size() - BEGINNINGS - 2];
    if (span < devices::Cosigning::KEPT_EVERY)
      found.push_back({event.at, event.device, "kept", "it writes as often as it is asked"});
  }
  return found;
}

// A fault test first proves that the fault came.
Violations faultsCame(Run& run) {
  Violations found;
  for (auto& effect: run.scenario.expect.came) {
    if (!run.effects.contains(effect))
      found.push_back({now(run), -1, "faults", "'" + effect + "' never came"});
  }
  for (auto& effect: run.scenario.expect.never) {
    if (run.effects.contains(effect))
      found.push_back({now(run), -1, "calm", "'" + effect + "' came, and nothing was wrong"});
  }
  for (auto& [effect, most]: run.scenario.expect.most) {
    auto came = run.effects.find(effect);
    if (came != run.effects.end() && came->second > most)
      found.push_back({now(run), -1, "calm",
          "'" + effect + "' came " + std::to_string(came->second) + " times, of " +
              std::to_string(most) + " at most"});
  }
  return found;
}

// A document is the same on all members that can read, and holds what they were told to be on disk.
Violations documentsAreInStep(Run& run) {
  Violations found;
  auto& pages = run.writers.pages();
  bool putBack = run.effects.contains("restore");  // what its device alone had is gone then
  for (auto& circle: circles(run)) {
    const storage::Tree* first = nullptr;
    for (auto& one: membersOf(circle)) {
      auto tell = [&](std::string text) {
        found.push_back({now(run), one.device.index(), "documents", one.device.called() + text});
      };
      bool reads = one.node.circle().ownRole() != crypto::Role::VAULT;
      if (!reads || run.writers.changes().empty()) continue;
      auto page = pages.find(one.device.index());
      if (page == pages.end()) {
        tell(" could not read its document");
        continue;
      }
      if (first == nullptr) first = &page->second;
      if (*first != page->second) tell(" has another document than the others");
      auto& content = std::get<storage::Tree::Map>(page->second.value);
      for (auto& change: run.writers.changes()) {
        if (change.acknowledged && !putBack &&
            run.circleOf(run.world.device(change.by)) == run.circleOf(one.device) &&
            !content.contains(change.key))
          tell(" lacks " + change.key + ", which was acknowledged");
      }
    }
  }
  return found;
}

}  // namespace

Violations check(Run& run) {
  Violations all;
  for (auto checker: {everybodyIsBack, exactlyOnce, jobsEnd, convergence, epochsFit, linked,
           acknowledged, keptOnDisk, countersAreFresh, noGhosts, nobodyForgetsInVain, removedIsOut,
           removedIsLeft, vaultsAreBlind, circlesApart, strangersStayOut, placedOnMembers,
           nothingLeft, documentsAreInStep, filesAreInStep, clipboardForgets, tracesAreSilent,
           energy, noErrors, bounded, staleWorksForNobody, keptNowAndThen, faultsCame}) {
    auto found = checker(run);
    all.insert(all.end(), found.begin(), found.end());
  }
  return all;
}

}  // namespace hearth::sim
