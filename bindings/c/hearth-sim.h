#ifndef HEARTH_SIM_H
#define HEARTH_SIM_H
/* Tests of apps against a simulated fleet: whole devices, with the shipping Hearth on each, live in
 * this process under a virtual clock. The app's own code runs unchanged: it gets a handle of hearth.h
 * that belongs to a device of the world. Equal seeds give equal worlds. Link hearth-simulator.
 *
 *   hearth_world_t* world = hearth_world_open("home.toml", 7, error, sizeof error);
 *   hearth_t* h = hearth_world_connect(world, "laptop", error, sizeof error);
 *   hearth_world_say(world, "laptop", 0, 40, 8, error, sizeof error);
 *   hearth_world_start(world, my_app, my_state, error, sizeof error);   // it calls hearth_dictate(h)
 *   hearth_world_run(world, 5000, error, sizeof error);
 *   hearth_world_do(world, "kill", "laptop", NULL, error, sizeof error);
 *   while (hearth_world_apps(world) > 0) hearth_world_run(world, 1000, error, sizeof error);
 *   hearth_world_check(world, on_line, NULL, error, sizeof error);      // what was violated
 *   hearth_world_close(world);
 *
 * Time. It passes in hearth_world_run and while a call of hearth.h waits, and at no other time: what
 * an app computes takes none. A day of an idle fleet takes some seconds.
 *
 * Calls that block. On the thread that opened the world, they let the world run until they are
 * answered. In an app that was started with hearth_world_start, they let the world and the other apps
 * run: each app has a thread of its own, and only one of all these threads runs at any moment, in an
 * order that the seed decides. Callbacks come on the thread that made the call, as hearth.h says. In a
 * callback a call that would block is refused with HEARTH_USAGE; hearth_cancel, hearth_world_do,
 * hearth_world_say and hearth_world_start are not.
 * A call that is not over after an hour of the world's time ends with HEARTH_FAILED
 * (hearth_world_limit). When the daemon of the device is killed or stopped, a call ends with
 * HEARTH_UNREACHABLE, and the same handle is good again when the daemon is back.
 *
 * Threads. A world belongs to the thread that opened it, and to its apps; others are refused with
 * HEARTH_USAGE, but for hearth_cancel, which is heard within 20 ms of the world's time. A thread has
 * one world at a time, and while it is open no other hearth_open can be used there.
 *
 * Errors are told as in hearth.h: a code, and one line that may be asked for.
 */

#include "bindings/c/hearth.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hearth_world hearth_world_t;

enum {
  HEARTH_WORLD_APPS_MAX = 64,           /* that run at once */
  HEARTH_WORLD_WORDS_MAX = 2000,        /* of one speech */
  HEARTH_WORLD_SENTENCE_WORDS_MAX = 20, /* of one sentence */
  HEARTH_WORLD_WORD_LAST = 29999,       /* the number of the last word there is */
  HEARTH_WORLD_NOTE_BYTES_MAX = 4096    /* of one note */
};
#define HEARTH_WORLD_MS_MAX INT64_C(34560000000) /* 400 days: of one run, one limit, one fault */

/* Opens a world from a scenario (docs/SIMULATOR.md): a file, or its text. Its devices have been
 * switched on and paired, and its story begins: its steps and storms come as time passes. NULL when
 * the scenario has a mistake. */
hearth_world_t* hearth_world_open(const char* path, uint64_t seed, char* error, size_t error_size);
hearth_world_t* hearth_world_open_text(
    const char* toml, uint64_t seed, char* error, size_t error_size);

/* A handle as of hearth_open, for an app on `device`. NULL when its daemon does not answer. Close it
 * with hearth_close, before or after the world. */
hearth_t* hearth_world_connect(
    hearth_world_t* world, const char* device, char* error, size_t error_size);

/* Lets `ms` of the world's time pass. In an app: it sleeps for so long. HEARTH_UNREACHABLE in an app
 * when the world is being closed: the app shall return. */
int hearth_world_run(hearth_world_t* world, int64_t ms, char* error, size_t error_size);

/* Milliseconds of the world's time since the story began; below 0 on a foreign thread. */
int64_t hearth_world_now(hearth_world_t* world);

/* Starts app(user) in the world, beside whatever else runs there, as soon as time passes. It may use
 * any handle that no other app uses meanwhile. */
int hearth_world_start(
    hearth_world_t* world, void (*app)(void* user), void* user, char* error, size_t error_size);

/* How many have been started and have not returned. */
size_t hearth_world_apps(hearth_world_t* world);

/* Somebody speaks to the microphone of `device`: who begins to listen from now on hears `words` words,
 * number `first` and those after it, in sentences of `sentence_words`, three words a second. They
 * arrive as "w40 w41 w42 ...": there is no more to the language of a world. */
int hearth_world_say(hearth_world_t* world, const char* device, uint32_t first, uint32_t words,
    uint32_t sentence_words, char* error, size_t error_size);

/* What else a step of a scenario can say; each verb makes of it what docs/SIMULATOR.md says. */
struct hearth_world_deed {
  size_t size;          /* sizeof(struct hearth_world_deed) */
  const char* other;    /* another device, or NULL */
  const char* networks; /* names, separated by commas, or NULL */
  int64_t for_ms;       /* how long it lasts; 0: until something else ends it */
  double amount, second;
};

/* Something happens, as soon as time passes: "kill", "stop", "sleep", "cut", "disk-full", "move", ... `more`
 * may be NULL, and so may `device` where the verb needs none. */
int hearth_world_do(hearth_world_t* world, const char* what, const char* device,
    const struct hearth_world_deed* more, char* error, size_t error_size);

/* Puts a result of the app's into the fingerprint, and into what the world remembers. */
int hearth_world_note(hearth_world_t* world, const char* text, char* error, size_t error_size);

/* How long a call of hearth.h may take, in the world's time. */
int hearth_world_limit(hearth_world_t* world, int64_t ms, char* error, size_t error_size);

/* Ends the story: all faults end, devices that are off come back, the scenario's `heals` passes. Then
 * everything that must hold in any world is looked at. HEARTH_OK, or HEARTH_FAILED with the first
 * violation as the error; `on_line` (it may be NULL) is given each. Asked again, it says the same
 * again. Only on the thread that opened the world. An app that still dictates is a violation. */
typedef void (*hearth_world_on_line)(void* user, const char* line);
int hearth_world_check(hearth_world_t* world, hearth_world_on_line on_line, void* user, char* error,
    size_t error_size);

/* Everything that has happened so far, folded into one number: all that went over the wire and to
 * apps, what disks hold, all notes. Equal for equal seeds and apps that behave equally. 0 on a foreign
 * thread. */
uint64_t hearth_world_fingerprint(hearth_world_t* world);

/* Ends the world. Calls that apps wait in, and all that they make from then on, end with
 * HEARTH_UNREACHABLE until they have returned; an app that has made a thousand such calls and still
 * does not return is never given the processor again. Handles stay valid, and reach nobody any more.
 * In an app or a callback it does nothing. */
void hearth_world_close(hearth_world_t* world);

#ifdef __cplusplus
}
#endif
#endif
