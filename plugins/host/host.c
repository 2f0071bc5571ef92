#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

static void send_ready(const char* name) {
  uint8_t head[2 + 1 + ENGINE_NAME_BYTES_MAX];
  size_t length = strnlen(name, ENGINE_NAME_BYTES_MAX);
  writer out = {head};
  write_little(&out, ENGINE_ABI, 2);
  write_little(&out, length, 1);
  write_bytes(&out, (const uint8_t*)name, length);
  pipe_write(ENGINE_READY, 0, head, (size_t)(out.at - head), NULL, 0);
}

static int serve(const hearth_plugin* plugin) {
  static struct hearth_job job;
  message in;
  while (pipe_read(&in)) {
    if (in.type == ENGINE_PING && in.job_id == 0) {
      pipe_write(ENGINE_PONG, 0, NULL, 0, NULL, 0);
    } else if (in.type == ENGINE_OPEN && job.id == 0 && in.job_id != 0) {
      job_open(&job, plugin, &in);
    } else if (in.type == ENGINE_FRAME && job.id != 0 && in.job_id == job.id) {
      job_frame(&job, plugin, &in);
    } else if (in.type == ENGINE_CLOSE && job.id != 0 && in.job_id == job.id) {
      job_close(&job, plugin);
    } else {
      pipe_give_up("a message out of turn");
    }
  }
  return 0;
}

int hearth_plugin_main(const hearth_plugin* plugin) {
  // stdio must not ask its descriptors what they are: that call is not on the closed list.
  static char standard_output[BUFSIZ];
  setvbuf(stdout, standard_output, _IOFBF, sizeof standard_output);
  if (!pipe_is_there()) {
    fprintf(stderr, "%s is a plugin of Hearth (ABI %d): hearthd starts it. See docs/PLUGINS.md.\n",
        plugin->name, ENGINE_ABI);
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  int errc = plugin->load != NULL ? plugin->load() : 0;
  if (errc != 0) {
    send_failed(0, errc, "the plugin cannot load");
    return 1;
  }
  if (!confine()) {
    send_failed(0, 28, "the second filter is refused");  // SandboxUnavailable
    return 1;
  }
  send_ready(plugin->name);
  return serve(plugin);
}
