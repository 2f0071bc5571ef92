#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "internal.h"

enum { BODY_ROOM_MIN = 64 << 10, HEAD_BYTES_MAX = 1024 };

static uint8_t* body_room;
static size_t body_room_size;

void pipe_give_up(const char* why) {
  fprintf(stderr, "plugin host: %s\n", why);
  _exit(3);
}

bool pipe_is_there(void) {
  struct stat what;
  return fstat(ENGINE_CONTROL_FD, &what) == 0 && S_ISSOCK(what.st_mode);
}

// False at the end of the stream before the first byte; an end in mid-message gives up.
static bool read_fully(uint8_t* into, size_t size) {
  for (size_t have = 0; have < size;) {
    ssize_t n = read(ENGINE_CONTROL_FD, into + have, size - have);
    if (n > 0) {
      have += (size_t)n;
    } else if (n == 0 && have == 0) {
      return false;
    } else if (n == 0 || errno != EINTR) {
      pipe_give_up("the daemon has gone in mid-message");
    }
  }
  return true;
}

static void make_room(size_t size) {
  if (size <= body_room_size) return;
  size_t want = size < BODY_ROOM_MIN ? BODY_ROOM_MIN : size;
  free(body_room);
  body_room = malloc(want);
  if (body_room == NULL) pipe_give_up("no memory for a message");
  body_room_size = want;
}

bool pipe_read(message* out) {
  uint8_t header[ENGINE_HEADER_BYTES];
  if (!read_fully(header, sizeof header)) return false;
  reader in = {header, sizeof header, false};
  out->size = (size_t)read_little(&in, 4);
  out->type = (uint8_t)read_little(&in, 1);
  out->job_id = read_little(&in, 8);
  if (out->size > ENGINE_BODY_BYTES_MAX) pipe_give_up("a message over the limit");
  make_room(out->size);
  if (out->size > 0 && !read_fully(body_room, out->size)) {
    pipe_give_up("the daemon has gone in mid-message");
  }
  out->body = body_room;
  return true;
}

static void write_fully(struct iovec* parts, int count) {
  while (count > 0) {
    ssize_t n = writev(ENGINE_CONTROL_FD, parts, count);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) pipe_give_up("the daemon has gone");
    for (; count > 0 && (size_t)n >= parts->iov_len; ++parts, --count) n -= (ssize_t)parts->iov_len;
    if (count > 0) {
      parts->iov_base = (uint8_t*)parts->iov_base + n;
      parts->iov_len -= (size_t)n;
    }
  }
}

void pipe_write(uint8_t type, uint64_t job_id, const uint8_t* head, size_t head_size,
    const uint8_t* tail, size_t tail_size) {
  uint8_t room[ENGINE_HEADER_BYTES + HEAD_BYTES_MAX];
  if (head_size > HEAD_BYTES_MAX) pipe_give_up("a head over the limit");
  writer out = {room};
  write_little(&out, head_size + tail_size, 4);
  write_little(&out, type, 1);
  write_little(&out, job_id, 8);
  write_bytes(&out, head, head_size);
  struct iovec parts[2] = {
      {room, ENGINE_HEADER_BYTES + head_size},
      {(void*)(uintptr_t)tail, tail_size},
  };
  write_fully(parts, 2);
}

uint64_t read_little(reader* in, size_t width) {
  const uint8_t* source = read_bytes(in, width);
  uint64_t value = 0;
  for (size_t i = 0; source != NULL && i < width; ++i) value |= (uint64_t)source[i] << (8 * i);
  return value;
}

const uint8_t* read_bytes(reader* in, size_t count) {
  if (in->bad || count > in->left) {
    in->bad = true;
    return NULL;
  }
  const uint8_t* taken = in->at;
  in->at += count;
  in->left -= count;
  return taken;
}

void write_little(writer* out, uint64_t value, size_t width) {
  for (size_t i = 0; i < width; ++i) *out->at++ = (uint8_t)(value >> (8 * i));
}

void write_bytes(writer* out, const uint8_t* bytes, size_t count) {
  if (count > 0) memcpy(out->at, bytes, count);
  out->at += count;
}
