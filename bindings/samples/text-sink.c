/* The smallest app: prints dictated text as it is recognised. Plain C over libhearth.
 *
 *   text-sink [--home DIR] [--from DEVICE] [--wav FILE] [--json]
 *
 * With --json one object a line: {"event":…} for what happens to the job, {"text":…} for text. */
#include "bindings/c/hearth.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static hearth_t* handle;
static int asJson;

static void onSignal(int signal) {
  (void)signal;
  hearth_cancel(handle);
}

static void printJsonString(const char* text) {
  putchar('"');
  for (const char* c = text; *c != '\0'; ++c) {
    if (*c == '"' || *c == '\\')
      printf("\\%c", *c);
    else if ((unsigned char)*c < 0x20)
      printf("\\u%04x", (unsigned)*c);
    else
      putchar(*c);
  }
  putchar('"');
}

static int onText(void* user, const struct hearth_text* text) {
  (void)user;
  if (asJson) {
    printf("{\"seq\":%llu,\"latency_ms\":%.1f,\"text\":", (unsigned long long)text->seq,
        text->latency_ms);
    printJsonString(text->text);
    puts("}");
  } else {
    printf("%s ", text->text);
  }
  fflush(stdout);
  return 0;
}

static void onEvent(void* user, const struct hearth_event* event) {
  (void)user;
  if (!asJson) return;
  printf("{\"event\":\"%s\",\"at_ms\":%lld,\"stage\":", event->kind, (long long)event->at_ms);
  printJsonString(event->stage);
  printf(",\"device\":");
  printJsonString(event->device);
  printf(",\"message\":");
  printJsonString(event->message);
  puts("}");
  fflush(stdout);
}

int main(int argc, char** argv) {
  const char* home = NULL;
  struct hearth_dictation options = {sizeof(options), NULL, NULL};
  for (int i = 1; i < argc; ++i) {
    int more = i + 1 < argc;
    if (strcmp(argv[i], "--json") == 0)
      asJson = 1;
    else if (more && strcmp(argv[i], "--home") == 0)
      home = argv[++i];
    else if (more && strcmp(argv[i], "--from") == 0)
      options.from = argv[++i];
    else if (more && strcmp(argv[i], "--wav") == 0)
      options.wav_path = argv[++i];
    else {
      fprintf(stderr, "usage: text-sink [--home DIR] [--from DEVICE] [--wav FILE] [--json]\n");
      return 2;
    }
  }
  char error[256] = "";
  handle = hearth_open(home, error, sizeof(error));
  if (handle == NULL) {
    fprintf(stderr, "text-sink: %s\n", error);
    return 4;
  }
  signal(SIGINT, &onSignal);
  signal(SIGTERM, &onSignal);
  int code = hearth_dictate(handle, &options, &onText, &onEvent, NULL, error, sizeof(error));
  if (!asJson) putchar('\n');
  if (code != HEARTH_OK && code != HEARTH_CANCELLED) fprintf(stderr, "text-sink: %s\n", error);
  hearth_close(handle);
  return code == HEARTH_OK || code == HEARTH_CANCELLED ? 0 : 1;
}
