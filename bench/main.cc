// hearth-bench: figures measured on this machine, in this run (DESIGN §12). One source file per WHAT.

#include "apps/hearth-sim/shelf.h"
#include "bench/blobs.h"
#include "bench/connect.h"
#include "bench/constant-time.h"
#include "bench/flood.h"
#include "bench/folder.h"
#include "bench/lanes.h"
#include "bench/link.h"
#include "bench/map.h"
#include "bench/membership.h"
#include "bench/recon.h"
#include "bench/search.h"
#include "bench/sim.h"
#include "bench/stream.h"
#include "bench/trace.h"

#include <kj/debug.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>

namespace {

using namespace hearth;
using nlohmann::json;

// For people: one figure a line.
void show(const std::string& name, const json& value) {
  if (!value.is_object()) {
    std::cout << name << " " << value << "\n";
    return;
  }
  for (auto& [key, inner]: value.items()) show(name.empty() ? key : name + "." + key, inner);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Measures. --json: one object, as the last line.");
  app.require_subcommand(1);
  bool asJson = false;
  std::function<json()> measure;
  auto what = [&](const char* name, const char* help, std::function<json()> how) {
    auto* command = app.add_subcommand(name, help);
    command->add_flag("--json", asJson, "one object, as the last line");
    command->callback([&measure, how]() { measure = how; });
    return command;
  };
  bench::BlobsOptions blobsOptions;
  auto* blobs = what("blobs", "cutting and hashing blobs, and what changes of one leave to be sent",
      [&]() { return bench::measureBlobs(blobsOptions); });
  blobs->add_option("--mib", blobsOptions.mib, "of the blob")->check(CLI::Range(16, 16'384));
  blobs->add_option("--rounds", blobsOptions.rounds, "by turns; medians count")
      ->check(CLI::Range(1, 101));
  bench::ConnectOptions connectOptions;
  auto* connect = what("connect", "what it costs until two devices have authenticated each other",
      [&]() { return bench::measureConnect(connectOptions); });
  connect->add_option("--handshakes", connectOptions.handshakes, "of each kind")
      ->check(CLI::Range(10, 1'000'000));
  bench::ConstantTimeOptions constantTimeOptions;
  auto* constantTime =
      what("constant-time", "whether comparing secrets takes a time that tells of them",
          [&]() { return bench::measureConstantTime(constantTimeOptions); });
  constantTime->add_option("--timings", constantTimeOptions.timings, "of each comparison")
      ->check(CLI::Range(10'000, 100'000'000));
  bench::MapOptions mapOptions;
  auto* map = what("map", "keys that two real daemons set apart from each other, and their merge",
      [&]() { return bench::measureMap(mapOptions); });
  map->add_option("--sets", mapOptions.sets, "on each")->check(CLI::Range(1, 1'000'000));
  map->add_option("--calls", mapOptions.calls, "by which each sets its keys")
      ->check(CLI::Range(1, 10'000));
  bench::MembershipOptions membershipOptions;
  auto* membership = what("membership", "a log of ops, resolved from nothing",
      [&]() { return bench::measureMembership(membershipOptions); });
  membership->add_option("--ops", membershipOptions.ops, "in the log")
      ->check(CLI::Range(10, 16'000));
  bench::LinkOptions linkOptions;
  auto* link = what("link", "small messages over an encrypted link, beside raw TCP",
      [&]() { return bench::measureLink(linkOptions); });
  link->add_option("--round-trips", linkOptions.roundTrips, "of each round")
      ->check(CLI::Range(100, 10'000'000));
  link->add_option("--messages", linkOptions.messages, "of each round, 64 in flight")
      ->check(CLI::Range(1'000, 100'000'000));
  link->add_option("--rounds", linkOptions.rounds, "by turns; the median counts")
      ->check(CLI::Range(1, 101));
  bench::StreamOptions streamOptions;
  auto* stream = what("stream", "bytes by the gigabyte over a link, beside raw TCP and TLS 1.3",
      [&]() { return bench::measureStream(streamOptions); });
  stream->add_flag("--udp", streamOptions.udp, "the link over datagrams");
  stream->add_option("--gb", streamOptions.gb, "of each round")->check(CLI::Range(0.01, 100.0));
  stream->add_option("--rounds", streamOptions.rounds, "by turns; the median counts")
      ->check(CLI::Range(1, 101));
  bench::LanesOptions lanesOptions;
  auto* lanes = what("lanes", "live frames while bulk saturates their link",
      [&]() { return bench::measureLanes(lanesOptions); });
  lanes->add_option("--seconds", lanesOptions.seconds, "of each kind in a round")
      ->check(CLI::Range(0.1, 600.0));
  lanes->add_option("--rounds", lanesOptions.rounds, "idle and loaded by turns")
      ->check(CLI::Range(1, 101));
  bench::FloodOptions floodOptions;
  auto* flood =
      what("flood", "strangers who call by UDP from spoofed addresses, and an honest device",
          [&]() { return bench::measureFlood(floodOptions); });
  flood->add_option("--seconds", floodOptions.seconds, "that it lasts")
      ->check(CLI::Range(1.0, 86'400.0));
  flood->add_option("--rate", floodOptions.rate, "calls a second")->check(CLI::Range(1, 1'000'000));
  bench::FolderOptions folderOptions;
  auto* folder = what("folder", "a directory that two real daemons keep the same",
      [&]() { return bench::measureFolder(folderOptions); });
  folder->add_option("--mib", folderOptions.mib, "of the large file")->check(CLI::Range(2, 16'384));
  folder->add_option("--files", folderOptions.files, "of 4 KiB")->check(CLI::Range(1, 1'000'000));
  folder->add_option("--many", folderOptions.many, "of 512 bytes, in a folder of their own")
      ->check(CLI::Range(1, 10'000'000));
  folder->add_option("--changes", folderOptions.changes, "of a file of 100 bytes")
      ->check(CLI::Range(1, 100'000));
  folder->add_option("--idle-s", folderOptions.idleS, "for which idle daemons are watched")
      ->check(CLI::Range(0.1, 3'600.0));
  folder->add_option("--only", folderOptions.only, "parts that are measured; all, if left out")
      ->check(CLI::IsMember(bench::FOLDER_PARTS));
  bench::ReconOptions reconOptions;
  auto* recon = what("recon", "finding what each of two devices lacks of many operations",
      [&]() { return bench::measureRecon(reconOptions); });
  recon->add_option("--operations", reconOptions.operations, "that both have")
      ->check(CLI::Range(1'000, 100'000'000));
  recon->add_option("--differing", reconOptions.differing, "that one of them has")
      ->check(CLI::Range(0, 1'000'000));
  recon->add_option("--rounds", reconOptions.rounds, "with other names each; medians count")
      ->check(CLI::Range(1, 101));
  bench::SearchOptions searchOptions;
  auto* search = what("search", "finding things among many small documents",
      [&]() { return bench::measureSearch(searchOptions); });
  search->add_option("--documents", searchOptions.documents, "that there are")
      ->check(CLI::Range(100, 10'000'000));
  search->add_option("--queries", searchOptions.queries, "that are asked")
      ->check(CLI::Range(8, 1'000'000));
  bench::TraceOptions traceOptions;
  auto* trace = what("trace", "real editing, with its whole history kept",
      [&]() { return bench::measureTrace(traceOptions); });
  trace->add_option("FILE", traceOptions.file, "an editing trace")
      ->required()
      ->check(CLI::ExistingFile);
  trace->add_option("--rounds", traceOptions.rounds, "each in a process of its own; medians count")
      ->check(CLI::Range(1, 101));
  bench::SimOptions options;
  auto* sim = what("sim", "how fast simulated time passes, and how many devices fit",
      [&]() { return bench::measureSim(options); });
  sim->add_option("--seed", options.seed, "of every world");
  sim->add_option("--days", options.days, "of the week that are lived")
      ->check(CLI::Range(0.01, 7.0));
  sim->add_option("--devices", options.devices, "of the crowd")->check(CLI::Range(2, 2'000));
  sim->add_option("--crowd-hours", options.crowdHours, "that the crowd lives")
      ->check(CLI::Range(0.1, 24.0));
  sim->add_option("--data", options.data, "directory with profiles, networks and scenarios")
      ->check(CLI::ExistingDirectory);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  try {
    auto result = measure();
    if (asJson) {
      std::cout << result << std::endl;
    } else {
      show("", result);
    }
    return 0;
  } catch (const cli::Complaint& e) {
    std::cerr << "hearth-bench: " << e.line << "\n";
  } catch (const kj::Exception& e) {
    std::cerr << "hearth-bench: " << kj::str(e).cStr() << "\n";
  }
  return 1;
}
