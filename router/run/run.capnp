@0xb0b8f2f6f2c0a3d1;
# How a job's coordinator leases stages to other devices (docs/PROTOCOL.md, "Jobs"). Spoken over
# the control lane; the frames themselves go over lane streams between the stages' devices.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("hearth::router::rpc");
$Cxx.allowCancellation;
# A stage whose coordinator is gone must go too, though a call of ended() is under way.

interface StageHost {
  start @0 (order :StageOrder, watch :StageWatch) -> (stage :RunningStage);
  # Reserves what the stage needs and starts it. Throws OVERLOADED when the device has no room,
  # FAILED with one line when it has no such plugin, sensor or sink.
}

interface RunningStage {
  # The coordinator's hold on a stage. Dropped, or not renewed within the lease: the stage stops.

  renew @0 () -> ();
  rewire @1 (input :Input) -> ();
  # The producer of this input is elsewhere now: go on from there.
  ended @2 () -> (code :UInt16, because :Text);
  # Returns when the stage is over: code 0 at the end of the stream, else an Errc.
}

interface StageWatch {
  report @0 (what :Moment, atMs :Int64) -> ();
  # atMs: Unix time on the stage's device.
}

enum Moment {
  started @0;     # the plugin is open; a source: the media time 0
  firstFrame @1;  # the first frame was accepted by the plugin
}

struct StageOrder {
  job @0 :Data;            # 16 bytes
  stage @1 :UInt8;
  attempt @2 :UInt32;
  kind @3 :Kind;
  task @4 :Text;
  params @5 :Text;         # JSON, as in the workload
  plugin @6 :Data;         # measurement, 32 bytes; empty unless kind is plugin
  inputs @7 :List(Input);  # by input port
  outputs @8 :List(Output);
  leaseMs @9 :UInt32;

  enum Kind { source @0; plugin @1; sink @2; }
}

struct Input {
  edge @0 :UInt8;
  device @1 :Data;         # 32 bytes, where the producer runs
  stage @2 :UInt8;         # the producer
  attempt @3 :UInt32;      # of the producer
}

struct Output {
  edge @0 :UInt8;
  port @1 :UInt8;          # the stage's output port that feeds this edge
}
