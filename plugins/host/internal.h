#pragma once
// What the parts of the host stub share: the pipe (bytes and messages on descriptor 3), the job in
// hand, and the second filter.

#include "router/engine/protocol/numbers.h"

#include <stdbool.h>

#include "hearth-plugin.h"

// One message from the daemon. `body` is borrowed until the next pipe_read().
typedef struct {
  uint8_t type;
  uint64_t job_id;
  const uint8_t* body;
  size_t size;
} message;

// Ends the process when the bytes are no message or memory is short. False: the daemon has closed.
bool pipe_read(message* out);

// Sends one message: `head` (<= 1 KiB), then `tail`, as its body. Ends the process when the daemon
// has gone.
void pipe_write(uint8_t type, uint64_t job_id, const uint8_t* head, size_t head_size,
    const uint8_t* tail, size_t tail_size);

// Whether descriptor 3 is a socket at all.
bool pipe_is_there(void);

// Says why on the log and ends the process: the daemon has broken the protocol, or gone.
_Noreturn void pipe_give_up(const char* why);

// A reader with bounds: the first read that does not fit makes it bad, later ones yield zeros.
typedef struct {
  const uint8_t* at;
  size_t left;
  bool bad;
} reader;

uint64_t read_little(reader* in, size_t width);
const uint8_t* read_bytes(reader* in, size_t count);  // null when they do not fit

// Appends integers to a small buffer whose room the caller has seen to.
typedef struct {
  uint8_t* at;
} writer;

void write_little(writer* out, uint64_t value, size_t width);
void write_bytes(writer* out, const uint8_t* bytes, size_t count);

// The job that is open. Everything here is this process's own view of docs/PROTOCOL.md.
struct hearth_job {
  uint64_t id;  // 0: none, the process is idle
  uint8_t inputs;
  uint64_t next_in[HEARTH_INPUTS_MAX];
  uint64_t next_out;
  bool processing;  // hearth_emit is allowed
  bool ended;       // END has been sent
  bool failed;      // FAILED has been sent: input is dropped until CLOSE
  void* self;       // the plugin's, null when its open() refused
};

void job_open(struct hearth_job* job, const hearth_plugin* plugin, const message* in);
void job_frame(struct hearth_job* job, const hearth_plugin* plugin, const message* in);
void job_close(struct hearth_job* job, const hearth_plugin* plugin);

// FAILED with a code; `text` is a literal.
void send_failed(uint64_t job_id, int errc, const char* text);

// Installs the second filter in a dynamic program (a static one has had it from the start). False
// when the kernel refuses.
bool confine(void);
