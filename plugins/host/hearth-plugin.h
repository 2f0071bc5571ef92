#pragma once
// What a plugin is written against: a plain C17 header and one static library, hearth-plugin-host.
//
// A plugin fills a `hearth_plugin` with four functions and returns hearth_plugin_main(&it) from its
// main. The library speaks to the daemon (docs/PROTOCOL.md, "Engine protocol"), closes the sandbox
// behind load(), and calls the four functions from one thread:
//
//     load() ── once ──▶ idle ──open()──▶ process() process() ... ──close()──▶ idle ──▶ ...
//
// One job at a time; between jobs the process stays warm with its models loaded. docs/PLUGINS.md is
// the tutorial.

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Answers of load(), process() and hearth_emit(): 0, or one of Hearth's error codes
// (docs/PROTOCOL.md). These are the ones a plugin has use for.
enum {
  HEARTH_OK = 0,
  HEARTH_BAD_FORMAT = 1,         // input or parameters that cannot be understood
  HEARTH_BAD_VERSION = 2,        // a model file of another version
  HEARTH_BAD_LENGTH = 3,         // an input of a size that cannot be
  HEARTH_LIMIT_EXCEEDED = 22,    // more than the plugin is able to hold
  HEARTH_QUOTA_EXCEEDED = 29,    // memory is not to be had
  HEARTH_INTEGRITY_FAILED = 30,  // a model file is missing or damaged
};

// Flags of a frame.
enum {
  HEARTH_END = 1,          // end of the stream; no payload; nothing follows on this port
  HEARTH_SEGMENT_END = 2,  // last frame of a segment (an utterance, a sentence, a page)
  HEARTH_CONTINUES = 4,    // this segment goes on where a forced cut left it, not at a pause
  HEARTH_UNFINISHED = 8,   // with SEGMENT_END: cut by force, the next segment continues this one
};

enum {
  HEARTH_STATE_BYTES_MAX = 64,                  // of a cut
  HEARTH_INPUTS_MAX = 8,                        // input ports of a task
  HEARTH_PAYLOAD_BYTES_MAX = (16 << 20) - 256,  // of a frame; plugin.toml may allow less
};

// One frame, on its way in or out. `data` is borrowed: until process() returns on the way in, until
// hearth_emit() returns on the way out.
//
// Payloads: audio/pcm is signed 16 bit little-endian at 16 kHz, mono; text is UTF-8.
typedef struct {
  uint8_t port;         // index into the task's ports in plugin.toml; 0 on the way out
  uint8_t flags;        // HEARTH_END | HEARTH_SEGMENT_END | HEARTH_CONTINUES | HEARTH_UNFINISHED
  uint64_t seq;         // 1, 2, 3 ... on each port; ignored on the way out: the library numbers
  uint64_t pts_us;      // media time at the frame's end, in microseconds from the stream's start
  const uint8_t* data;  // `size` bytes; may be null when size is 0
  size_t size;
} hearth_frame;

// A place where the job can be cut in two: "an instance opened with this state and fed from
// in_upto[i] + 1 on each input port goes on exactly as I would; its first output frame is the one
// after the frame that carries this cut". From the last cut that its consumers have committed, a
// job is begun again elsewhere when this device is lost: so cut often, at least at every
// HEARTH_SEGMENT_END, and never claim what is not true: the same input from the same cut must give
// the same frames, byte for byte and number for number.
typedef struct {
  const uint64_t* in_upto;  // `inputs` numbers: the last input frame that will not be needed again
  uint8_t inputs;           // as many as the task has input ports
  const uint8_t* state;     // opaque, at most HEARTH_STATE_BYTES_MAX bytes
  size_t state_size;
} hearth_cut;

// The job in hand; lives from open() to close().
typedef struct hearth_job hearth_job;

typedef struct {
  // As in plugin.toml.
  const char* name;

  // Called once, before the sandbox closes for good: open and read models here, by their paths in
  // the bundle seen from the root ("/models/x.onnx"). Later no file can be opened. Make here too
  // whatever allocates lazily, load libraries, start threads. May be null.
  // Answers 0 or an error code; the process then ends and the daemon reports the code.
  int (*load)(void);

  // A job begins. `task` is one of plugin.toml's; `params_json` is a JSON object, "{}" when there
  // are none. `state` is empty for a new job, else the state of one of this plugin's own cuts: it
  // comes from another device, so check it like any input.
  // Answers the `self` of the other two functions, or null when task, parameters or state are
  // refused; the job then fails with HEARTH_BAD_FORMAT.
  void* (*open)(hearth_job* job, const char* task, const char* params_json, const uint8_t* state,
      size_t state_size);

  // One input frame. May call hearth_emit any number of times, and has to take END like any other:
  // answer with what is left, then with an END frame of its own that carries a cut.
  // An error code other than 0 fails the job (the process lives on); the input is hostile, so
  // anything may be refused.
  int (*process)(void* self, const hearth_frame* in);

  // The job is over, finished or not. Frees `self`. Called for every open() that did not answer
  // null.
  void (*close)(void* self);
} hearth_plugin;

// Sends one output frame of `job`, from within process(). Blocks while the daemon is busy.
// With `cut` the frame is also a place to cut; an empty frame (size 0, flags 0) with a cut is
// progress without a result, silence for example.
//
// Errors: HEARTH_BAD_LENGTH for a payload or state past its maximum or a cut with another number of
// inputs; HEARTH_BAD_FORMAT for a port other than 0, END with a payload, or anything after END.
// Nothing has been sent then.
int hearth_emit(hearth_job* job, const hearth_frame* out, const hearth_cut* cut);

// The whole main loop: returns the exit status of the process, 0 when the daemon has closed the
// connection. A process that was not started by a Hearth daemon has no connection; it then says so
// and returns 2.
int hearth_plugin_main(const hearth_plugin* plugin);

#ifdef __cplusplus
}
#endif
