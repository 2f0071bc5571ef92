// Gives every frame back, with a cut behind it; "crash" as a payload is taken at its word.
#include <stdlib.h>
#include <string.h>

#include "hearth-plugin.h"

static struct {
  hearth_job* job;
  char task[16];
} instance;

static void* echo_open(hearth_job* job, const char* task, const char* params, const uint8_t* state,
    size_t state_size) {
  (void)params, (void)state;
  if (state_size > 8) return NULL;
  instance.job = job;
  strncpy(instance.task, task, sizeof instance.task - 1);
  return &instance;
}

static int echo_process(void* self, const hearth_frame* in) {
  (void)self;
  if (in->size == 5 && memcmp(in->data, "crash", 5) == 0) abort();
  if (in->size == 6 && memcmp(in->data, "refuse", 6) == 0) return HEARTH_BAD_FORMAT;
  hearth_frame out = *in;
  out.port = 0;
  hearth_cut cut = {&in->seq, 1, (const uint8_t*)"state", 5};
  return hearth_emit(instance.job, &out, &cut);
}

static void echo_close(void* self) { (void)self; }

int main(void) {
  hearth_plugin plugin = {NAME, NULL, echo_open, echo_process, echo_close};
  return hearth_plugin_main(&plugin);
}
