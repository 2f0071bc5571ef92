#pragma once
// The numbers of the engine protocol (docs/PROTOCOL.md, "Engine protocol"), in plain C: the daemon's
// side (router/engine/protocol/message.h) and the plugin's (plugins/host) share them.

enum {
  ENGINE_ABI = 1,
  ENGINE_HEADER_BYTES = 4 + 1 + 8,   // u32 length | u8 type | u64 job_id
  ENGINE_BODY_BYTES_MAX = 16 << 20,  // what `length` may say
  ENGINE_UNCONSUMED_MAX = 32,        // input frames sent and not yet answered by CONSUMED
  ENGINE_INPUTS_MAX = 8,             // input ports of a task
  ENGINE_STATE_BYTES_MAX = 64,       // of a cut
  ENGINE_NAME_BYTES_MAX = 64,        // of a plugin or a task
  ENGINE_PARAMS_BYTES_MAX = 0xffff,  // of the JSON of a job
  ENGINE_REASON_BYTES_MAX = 200,     // of FAILED's text
  ENGINE_OUT_PORTS = 1,              // tasks have one output port in ABI 1

  // daemon -> plugin
  ENGINE_OPEN = 1,
  ENGINE_FRAME = 2,
  ENGINE_CLOSE = 3,
  ENGINE_PING = 4,

  // plugin -> daemon
  ENGINE_READY = 64,
  ENGINE_OPENED = 65,
  ENGINE_OUT = 66,
  ENGINE_CLOSED = 67,
  ENGINE_FAILED = 68,
  ENGINE_PONG = 69,
  ENGINE_CONSUMED = 70,

  // flags of a frame, as on a job's edges
  ENGINE_FLAG_END = 1,
  ENGINE_FLAG_SEGMENT_END = 2,
  ENGINE_FLAG_CONTINUES = 4,
  ENGINE_FLAG_UNFINISHED = 8,
  ENGINE_FLAGS_ALL = 15,

  // the plugin's descriptors
  ENGINE_CONTROL_FD = 3,
  ENGINE_PROGRAM_FD = 4,
  ENGINE_MODELS_FD = 6,
};
