#pragma once
// One device of a world: what outlives its processes (disk, clock, battery, network stack), and the
// process that runs on it now.
//
//            powerOn                start (has a circle)
//   OFF ───────────────▶ ON ────────────────────────────▶ ON with a daemon
//    ▲  losePower, empty  │ ▲                               │ kill, stop
//    └────────────────────┘ └───────────────────────────────┘        sleep / wake: beside all this

#include "simulator/fleet/daemon.h"
#include "simulator/fleet/power.h"
#include "simulator/fleet/sim-counter.h"
#include "simulator/world/history.h"

namespace hearth::sim {

// What devices share of their world.
struct DeviceSurroundings {
  uint64_t seed;
  WorldTime& time;
  WireParts& wire;
  History& history;
  kj::TaskSet& tasks;
  bool& dying;  // a process is being killed: what it logs now it would not have logged
};

class Device final: public NetworkHost, private Trace, private devices::OutlookSource {
 public:
  Device(DeviceSurroundings around, DeviceIndex number, std::string name, const Profile& profile,
      const kj::ReadableDirectory& plugins);
  ~Device() noexcept(false);
  KJ_DISALLOW_COPY_AND_MOVE(Device);

  // Life.
  void powerOn();    // and starts the daemon when there is a circle
  void losePower();  // at this moment: what was not synced may be lost or torn
  void kill();       // kill -9 of the daemon
  void start();      // the daemon, if the device is on and none runs
  void stop();       // in good order
  // From now on somebody else has it in hand (false-admin.h), until it is killed and started.
  kj::Promise<void> fallIntoFalseHands();
  void sleep();  // the lid is shut, or the system suspends the app
  void wake();
  void put(std::vector<NetworkIndex> networks);    // walks to where these are
  void mayVisit(NetworkIndex network);             // its address there is told to others
  void takeDatagrams() { takesDatagrams = true; }  // its daemons answer by UDP as well
  void plug(bool mains);
  void setLevel(double share);  // of the battery
  void meter(bool isMetered);   // its network; as often as that is said, it is to be taken back

  // Nobody has unlocked the device since it booted: a process that starts now gets no key and exits.
  // One that runs keeps what it has.
  void lockKeys();
  void unlockKeys();  // and starts the daemon, as its service manager does

  // Somebody speaks: whoever listens from now on hears it, whatever becomes of the daemon. Requires a
  // kind of device that has a microphone.
  void hear(devices::Recording recording);

  // hearth init; hearth join --code. Both need a device that is on and has no circle. They end with
  // their process: init throws then.
  kj::Promise<void> init();
  kj::Promise<Result<void>> join(kj::Function<void(kj::String)> shown);

  // What somebody asks of the process that runs now. Fails as DISCONNECTED if that ends first.
  template <typename T>
  kj::Promise<T> whileItRuns(kj::Promise<T> errand) {
    return errands.wrap(kj::mv(errand));
  }

  const std::string& called() const { return name; }
  const Profile& kind() const { return profile; }
  bool runs() const { return daemon.get() != nullptr; }
  bool inCircle() const { return hasCircle; }
  kj::Maybe<devices::Node&> node();
  // An app of this device calls its daemon. Throws DISCONNECTED when none answers.
  kj::Own<kj::AsyncIoStream> connectApp();
  kj::Maybe<const DeviceId&> id() const { return deviceId; }
  std::string address(NetworkIndex network) const;
  Daemon& process() { return *daemon; }

  DeviceTime time;
  SimDisk disk;
  SimFolders folders;
  Power power;
  EngineFaults engineFaults;
  std::map<std::string, std::string> backup;  // of the disk, if somebody made one
  bool hasAes = true;                         // of the machine that the disk is in
  kj::Maybe<SimCounter> chip;                 // the same
  uint32_t starts = 0;
  bool refusesToStart = false;  // the newest start failed
  std::string whyNotStarted;
  uint32_t startsWhileLocked = 0;
  // Initiation counters that this device has accepted, by caller, as far as links came of them.
  std::map<DeviceId, std::set<uint64_t>> acceptedFrom;

  DeviceIndex index() const override { return number; }
  bool isOn() const override { return on; }
  bool isAwake() const override { return !time.isSuspended(); }
  bool isDying() const override { return around.dying; }
  kj::Promise<void> awake() override { return time.awake(); }
  NetworkStack& network() { return stack; }

  // Called with each trace event.
  kj::Function<void(kj::StringPtr name, kj::StringPtr fields)> onTrace = [](kj::StringPtr,
                                                                             kj::StringPtr) {};

 private:
  DeviceSurroundings around;
  DeviceIndex number;
  std::string name;
  const Profile& profile;
  const kj::ReadableDirectory& plugins;
  SeededEntropy entropy;
  NetworkStack stack;
  bool on = false;
  uint32_t meters = 0;
  bool hasCircle = false;
  bool keysLocked = false;
  bool takesDatagrams = false;
  kj::Maybe<int> percentNoted;  // of the battery, in the history
  std::vector<NetworkIndex> place, visits;
  kj::Maybe<DeviceId> deviceId;
  kj::Maybe<devices::Recording> spoken;
  kj::Own<Daemon> daemon;
  kj::Canceler errands;
  kj::Promise<void> starting = nullptr;
  kj::Promise<void> draining = nullptr;

  void event(kj::StringPtr name, std::initializer_list<TraceField> fields) override;
  void note(const char* kind, std::string text);
  void noteBattery();
  void noteBatteryIfChanged();
  void noteCounters();
  kj::Own<Daemon> makeDaemon();
  devices::Recording heard() const;
  void endErrands();
  void killDaemon();
  void startFailed(kj::StringPtr why);
  void stopSoon();
  void applyPlace();
  kj::Promise<void> watchBattery();
  kj::Promise<devices::Outlook> look() override;
};

}  // namespace hearth::sim
