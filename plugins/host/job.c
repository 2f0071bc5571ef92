#include <string.h>

#include "internal.h"

void send_failed(uint64_t job_id, int errc, const char* text) {
  uint8_t head[2 + 1 + ENGINE_REASON_BYTES_MAX];
  size_t length = strnlen(text, ENGINE_REASON_BYTES_MAX);
  writer out = {head};
  write_little(&out, (uint64_t)errc, 2);
  write_little(&out, length, 1);
  write_bytes(&out, (const uint8_t*)text, length);
  pipe_write(ENGINE_FAILED, job_id, head, (size_t)(out.at - head), NULL, 0);
}

static void fail(struct hearth_job* job, int errc, const char* text) {
  job->failed = true;
  send_failed(job->id, errc, text);
}

// Copies `size` bytes behind a length of `width` bytes into `into` and ends them with a zero.
static void read_text(reader* in, size_t width, char* into, size_t most) {
  size_t size = (size_t)read_little(in, width);
  if (size > most) in->bad = true;
  const uint8_t* bytes = read_bytes(in, size);
  if (bytes == NULL) size = 0;
  if (size > 0) memcpy(into, bytes, size);
  into[size] = 0;
}

void job_open(struct hearth_job* job, const hearth_plugin* plugin, const message* message) {
  static char task[ENGINE_NAME_BYTES_MAX + 1];
  static char params[ENGINE_PARAMS_BYTES_MAX + 1];
  reader in = {message->body, message->size, false};
  *job = (struct hearth_job){.id = message->job_id};
  read_text(&in, 1, task, ENGINE_NAME_BYTES_MAX);
  read_text(&in, 2, params, ENGINE_PARAMS_BYTES_MAX);
  job->inputs = (uint8_t)read_little(&in, 1);
  job->next_out = read_little(&in, 8);
  if (read_little(&in, 1) != job->inputs || job->inputs > HEARTH_INPUTS_MAX) in.bad = true;
  for (size_t i = 0; !in.bad && i < job->inputs; ++i) job->next_in[i] = read_little(&in, 8);
  size_t state_size = (size_t)read_little(&in, 1);
  const uint8_t* state = read_bytes(&in, state_size);
  if (in.bad || in.left > 0 || state_size > HEARTH_STATE_BYTES_MAX)
    pipe_give_up("a malformed OPEN");

  job->self = plugin->open(job, task, params, state, state_size);
  if (job->self == NULL) {
    fail(job, HEARTH_BAD_FORMAT, "the task, its parameters or its state are refused");
  } else {
    pipe_write(ENGINE_OPENED, job->id, NULL, 0, NULL, 0);
  }
}

static void send_consumed(const struct hearth_job* job, const hearth_frame* frame) {
  uint8_t head[1 + 8];
  writer out = {head};
  write_little(&out, frame->port, 1);
  write_little(&out, frame->seq, 8);
  pipe_write(ENGINE_CONSUMED, job->id, head, sizeof head, NULL, 0);
}

void job_frame(struct hearth_job* job, const hearth_plugin* plugin, const message* message) {
  reader in = {message->body, message->size, false};
  hearth_frame frame = {0};
  frame.port = (uint8_t)read_little(&in, 1);
  frame.flags = (uint8_t)read_little(&in, 1);
  frame.seq = read_little(&in, 8);
  frame.pts_us = read_little(&in, 8);
  frame.size = (size_t)read_little(&in, 4);
  frame.data = read_bytes(&in, frame.size);
  if (in.bad || in.left > 0 || frame.port >= job->inputs || frame.seq != job->next_in[frame.port]) {
    pipe_give_up("a malformed FRAME");
  }
  ++job->next_in[frame.port];
  if (job->failed) return;

  job->processing = true;
  int errc = plugin->process(job->self, &frame);
  job->processing = false;
  if (errc != 0) {
    fail(job, errc, "the plugin refuses its input");
  } else {
    send_consumed(job, &frame);
  }
}

void job_close(struct hearth_job* job, const hearth_plugin* plugin) {
  uint64_t id = job->id;
  if (job->self != NULL && plugin->close != NULL) plugin->close(job->self);
  *job = (struct hearth_job){0};
  pipe_write(ENGINE_CLOSED, id, NULL, 0, NULL, 0);
}

static int check_emit(
    const struct hearth_job* job, const hearth_frame* out, const hearth_cut* cut) {
  if (!job->processing || job->ended) return HEARTH_BAD_FORMAT;
  if (out->port >= ENGINE_OUT_PORTS || (out->flags & ~ENGINE_FLAGS_ALL)) return HEARTH_BAD_FORMAT;
  if ((out->flags & HEARTH_END) && out->size > 0) return HEARTH_BAD_FORMAT;
  if (out->size > HEARTH_PAYLOAD_BYTES_MAX) return HEARTH_BAD_LENGTH;
  if (cut == NULL) return 0;
  if (cut->inputs != job->inputs || cut->state_size > HEARTH_STATE_BYTES_MAX) {
    return HEARTH_BAD_LENGTH;
  }
  for (size_t i = 0; i < cut->inputs; ++i) {
    if (cut->in_upto[i] >= job->next_in[i]) return HEARTH_BAD_FORMAT;
  }
  return 0;
}

int hearth_emit(hearth_job* job, const hearth_frame* out, const hearth_cut* cut) {
  int errc = check_emit(job, out, cut);
  if (errc != 0) return errc;
  uint8_t head[32 + 8 * HEARTH_INPUTS_MAX + HEARTH_STATE_BYTES_MAX];
  writer to = {head};
  write_little(&to, out->port, 1);
  write_little(&to, out->flags, 1);
  write_little(&to, job->next_out++, 8);
  write_little(&to, out->pts_us, 8);
  write_little(&to, cut != NULL, 1);
  if (cut != NULL) {
    write_little(&to, cut->inputs, 1);
    for (size_t i = 0; i < cut->inputs; ++i) write_little(&to, cut->in_upto[i], 8);
    write_little(&to, cut->state_size, 1);
    write_bytes(&to, cut->state, cut->state_size);
  }
  write_little(&to, out->size, 4);
  job->ended = (out->flags & HEARTH_END) != 0;
  pipe_write(ENGINE_OUT, job->id, head, (size_t)(to.at - head), out->data, out->size);
  return 0;
}
