/* An app's own logic against a simulated fleet (docs/SIMULATOR-APPS.md). The app is a note pad on the
 * laptop that writes down what is said to the phone. Its daemon is killed in mid-sentence, and so is
 * the GPU box that recognises the speech: not a word may be missing, none may be there twice.
 *
 *   note-pad-sim [SEED]     exits 0 when the notes are right, twice alike
 */
#include "bindings/c/hearth-sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- The app: what would be shipped. It knows nothing of worlds. ---- */

#define NOTES_MAX 4096

struct note_pad {
  hearth_t* hearth;
  char notes[NOTES_MAX];
};

/* What has been returned from is never delivered again, so it must be kept before. */
static int keep(void* user, const struct hearth_text* text) {
  struct note_pad* pad = user;
  size_t used = strlen(pad->notes);
  int full = used + strlen(text->text) + 2 > NOTES_MAX;
  if (!full) snprintf(pad->notes + used, NOTES_MAX - used, "%s ", text->text);
  return full;
}

/* Writes down what the phone hears. When that was broken off the caller asks people to go on. */
static int take_notes(struct note_pad* pad, char* error, size_t error_size) {
  struct hearth_dictation from_phone = {sizeof from_phone, "phone", NULL};
  return hearth_dictate(pad->hearth, &from_phone, keep, NULL, pad, error, error_size);
}

/* ---- Its test: the fleet, the person who speaks, what goes wrong. ---- */

static const char FLEET[] =
    "title = 'A note pad'\n"
    "[[network]]\n name = 'home'\n kind = 'home-wifi'\n"
    "[[device]]\n name = 'phone'\n profile = 'phone-flagship'\n at = 'home'\n admin = true\n"
    "[[device]]\n name = 'laptop'\n profile = 'laptop'\n at = 'home'\n"
    "[[device]]\n name = 'gpubox'\n profile = 'gpubox'\n at = 'home'\n";

enum { WORDS = 60, SENTENCE = 6 };

struct person {
  hearth_world_t* world;
  struct note_pad pad;
  int interrupted;
  char error[256];
};

static unsigned words_noted(const struct note_pad* pad) {
  unsigned count = 0;
  for (const char* c = pad->notes; *c != '\0'; ++c) count += *c == 'w'; /* each begins with it */
  return count;
}

/* Runs in the world as a program of its own: it may wait. */
static void dictate_all(void* user) {
  struct person* me = user;
  for (unsigned said = 0; said < WORDS; said = words_noted(&me->pad)) {
    /* Goes on after the last word that is on the pad. */
    if (hearth_world_say(me->world, "phone", said, WORDS - said, SENTENCE, me->error,
            sizeof me->error) != HEARTH_OK)
      return;
    if (take_notes(&me->pad, me->error, sizeof me->error) == HEARTH_OK) continue;
    ++me->interrupted;
    if (hearth_world_run(me->world, 1000, NULL, 0) != HEARTH_OK) return; /* a moment's patience */
  }
}

static int are_right(const char* notes) {
  unsigned expected = 0, number = 0;
  for (int length = 0; sscanf(notes, " w%u%n", &number, &length) == 1; notes += length) {
    if (number != expected++) return 0;
  }
  return expected == WORDS;
}

static void show(void* user, const char* line) {
  (void)user;
  fprintf(stderr, "violated: %s\n", line);
}

/* 0: all was well. */
static int live(uint64_t seed, uint64_t* fingerprint) {
  char error[256] = "";
  struct person me = {0};
  hearth_world_t* world = me.world = hearth_world_open_text(FLEET, seed, error, sizeof error);
  if (world != NULL) me.pad.hearth = hearth_world_connect(world, "laptop", error, sizeof error);
  if (me.pad.hearth == NULL) {
    fprintf(stderr, "note-pad-sim: %s\n", error);
    hearth_world_close(world);
    return 1;
  }
  struct hearth_world_deed for_5s = {.size = sizeof for_5s, .for_ms = 5000};
  hearth_world_start(world, dictate_all, &me, NULL, 0);
  hearth_world_run(world, 7000, NULL, 0);
  hearth_world_do(world, "kill", "laptop", &for_5s, NULL, 0);
  hearth_world_run(world, 12000, NULL, 0);
  hearth_world_do(world, "kill", "gpubox", &for_5s, NULL, 0);
  while (hearth_world_apps(world) > 0 && hearth_world_now(world) < 300000)
    hearth_world_run(world, 1000, NULL, 0);

  int right = are_right(me.pad.notes);
  int clean = hearth_world_check(world, show, NULL, NULL, 0) == HEARTH_OK;
  *fingerprint = hearth_world_fingerprint(world);
  printf("%s, broken off %d times, at %lld ms, world %016llx\n%s\n",
      right ? "every word once" : "NOT what was said", me.interrupted,
      (long long)hearth_world_now(world), (unsigned long long)*fingerprint, me.pad.notes);
  if (me.error[0] != '\0') printf("(the last thing the app was told: %s)\n", me.error);
  hearth_close(me.pad.hearth);
  hearth_world_close(world);
  return right && clean && me.interrupted > 0 ? 0 : 1;
}

int main(int argc, char** argv) {
  uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1, first = 0, second = 0;
  if (live(seed, &first) != 0 || live(seed, &second) != 0) return 1;
  if (first == second) return 0;
  fprintf(stderr, "note-pad-sim: one seed, two worlds\n");
  return 1;
}
