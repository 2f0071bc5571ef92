// Breaks the engine protocol in the way that the task's name says. Speaks on descriptor 3 itself,
// since the host stub would not let it.
#include "router/engine/protocol/numbers.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint8_t room[1 << 20];

static void put(uint8_t type, uint64_t job, const void* body, uint32_t size) {
  memcpy(room, &size, 4);  // both sides are little-endian
  room[4] = type;
  memcpy(room + 5, &job, 8);
  memcpy(room + ENGINE_HEADER_BYTES, body, size);
  for (size_t done = 0, all = ENGINE_HEADER_BYTES + size; done < all;) {
    ssize_t n = write(ENGINE_CONTROL_FD, room + done, all - done);
    if (n <= 0) _exit(0);
    done += (size_t)n;
  }
}

static void get_fully(void* into, size_t size) {
  for (size_t have = 0; have < size;) {
    ssize_t n = read(ENGINE_CONTROL_FD, (uint8_t*)into + have, size - have);
    if (n <= 0) _exit(0);
    have += (size_t)n;
  }
}

static void put_out(uint64_t job, uint64_t seq, uint32_t size) {
  static uint8_t body[1 << 19];
  memset(body, 0, sizeof body);
  memcpy(body + 2, &seq, 8);
  memcpy(body + 19, &size, 4);
  put(ENGINE_OUT, job, body, 23 + size);
}

static void sleep_for_ever(void) {
  struct timespec hour = {3600, 0};
  for (;;) nanosleep(&hour, NULL);
}

static void misbehave(const char* task, uint64_t job) {
  if (strcmp(task, "hang") == 0) sleep_for_ever();
  if (strcmp(task, "leave") == 0) _exit(7);
  if (strcmp(task, "spin") == 0) {
    for (volatile uint64_t i = 0;; ++i) {}
  }
  if (strcmp(task, "babble") == 0) {
    memset(room, 'x', sizeof room);
    for (;;) {
      if (write(ENGINE_CONTROL_FD, room, sizeof room) <= 0) _exit(0);
    }
  }
  put(ENGINE_OPENED, job, "", 0);
  if (strcmp(task, "wrong-job") == 0) put_out(job + 1, 1, 0);
  if (strcmp(task, "wrong-number") == 0) put_out(job, 2, 0);
  if (strcmp(task, "over-quota") == 0) put_out(job, 1, 300 << 10);  // plugin.toml allows 256 KiB
  if (strcmp(task, "unknown-type") == 0) put(99, job, "", 0);
  if (strcmp(task, "consumed-unsent") == 0) put(ENGINE_CONSUMED, job, "\0\1\0\0\0\0\0\0", 9);
  if (strcmp(task, "cut-unsent") == 0) {
    // port, flags, seq 1, pts, hasCut, one input: up to 5, no state, no bytes
    uint8_t body[] = {0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 5, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0};
    put(ENGINE_OUT, job, body, sizeof body);
  }
  if (strcmp(task, "flood-log") == 0) {
    for (int i = 0; i < 4096; ++i) fprintf(stderr, "line %d of a plugin that talks too much\n", i);
    put_out(job, 1, 0);
  }
  sleep_for_ever();
}

int main(void) {
  if (strcmp(NAME, "mute") == 0) sleep_for_ever();
  const uint8_t ready[] = {1, 0, 5, 'r', 'o', 'g', 'u', 'e'};
  put(ENGINE_READY, 0, ready, sizeof ready);
  uint8_t header[ENGINE_HEADER_BYTES];
  get_fully(header, sizeof header);
  uint32_t size;
  uint64_t job;
  memcpy(&size, header, 4);
  memcpy(&job, header + 5, 8);
  uint8_t body[512];
  if (size > sizeof body) return 1;
  get_fully(body, size);
  char task[64] = {0};
  memcpy(task, body + 1, body[0] < 63 ? body[0] : 63);
  misbehave(task, job);
  return 0;
}
