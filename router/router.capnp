@0xe3a6d2a5c1b04f7d;
# A device's facts as they cross a link (router/place/facts.h has the meaning of each).

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("hearth::router::rpc");

struct DeviceFacts {
  id @0 :Data;
  name @1 :Text;
  deviceClass @2 :Text;
  cores @3 :UInt32;
  memoryBytes @4 :UInt64;
  activeW @5 :Float64;
  battery @6 :Float64;
  txJPerByte @7 :Float64;
  rxJPerByte @8 :Float64;
  queueS @9 :Float64;
  plugins @10 :List(PluginFacts);
  sensors @11 :List(Text);
  addresses @12 :List(Text);
  version @13 :UInt64;
}

struct PluginFacts {
  task @0 :Text;
  name @1 :Text;
  version @2 :Text;
  measurement @3 :Data;
  fixedS @4 :Float64;
  perUnitS @5 :Float64;
  spread @6 :Float64;
  memoryBytes @7 :UInt64;
  warm @8 :Bool;
}
