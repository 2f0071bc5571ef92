#ifndef HEARTH_H
#define HEARTH_H
/* libhearth: Hearth for apps, through the daemon of this device. Plain C, one stable ABI.
 *
 *   hearth_t* h = hearth_open(NULL, error, sizeof error);
 *   hearth_dictate(h, NULL, on_text, NULL, my_state, error, sizeof error);
 *   hearth_close(h);
 *
 * Every function that can fail takes a buffer for one line of text that says what failed and what
 * to do next; it may be NULL. A handle is used by one thread at a time, but for hearth_cancel.
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HEARTH_ABI 1

typedef struct hearth_handle hearth_t;

/* What every call returns: 0, one of these, or an error code of the protocol (1..99). */
enum {
  HEARTH_OK = 0,
  HEARTH_CANCELLED = 100,   /* hearth_cancel was called */
  HEARTH_UNREACHABLE = 101, /* no daemon answers, or it went away */
  HEARTH_FAILED = 102,      /* the job ended without success; the error text says why */
  HEARTH_USAGE = 103        /* an argument is not valid */
};

struct hearth_text {
  uint64_t seq;      /* 1, 2, 3 ... without gaps or repeats */
  const char* text;  /* UTF-8, NUL-terminated; valid during the call */
  uint64_t pts_us;   /* media time at which the words ended, microseconds from the start */
  double latency_ms; /* from the end of the speech to this delivery; below 0: unknown */
};

struct hearth_event {
  int64_t at_ms;       /* Unix time, milliseconds */
  const char* kind;    /* placed, started, first-frame, lost, failed, waiting, resumed, ended */
  const char* stage;   /* or "" */
  const char* device;  /* or "" */
  const char* message; /* one line for people */
};

/* Text that has been returned from is committed: it is never delivered again. Return 0 to go on,
 * anything else to cancel. */
typedef int (*hearth_on_text)(void* user, const struct hearth_text* text);
typedef void (*hearth_on_event)(void* user, const struct hearth_event* event);

struct hearth_dictation {
  size_t size;          /* sizeof(struct hearth_dictation) */
  const char* from;     /* device whose microphone listens; NULL: this one */
  const char* wav_path; /* a recording played in real time in its place; NULL: the microphone */
};

struct hearth_status {
  size_t size;        /* sizeof(struct hearth_status), set by the caller */
  char name[64];      /* of this device */
  uint32_t devices;   /* active in the circle */
  uint32_t reachable; /* of them, now, this one included */
  uint32_t jobs;      /* running here */
};

/* Connects to the daemon whose home is `home` (NULL: the platform's). NULL when none answers. */
hearth_t* hearth_open(const char* home, char* error, size_t error_size);

/* Dictates until the source ends or the job is cancelled. The callbacks come on this thread. */
int hearth_dictate(hearth_t* h, const struct hearth_dictation* options, hearth_on_text on_text,
    hearth_on_event on_event, void* user, char* error, size_t error_size);

int hearth_get_status(hearth_t* h, struct hearth_status* out, char* error, size_t error_size);

/* Documents, which all devices of the circle write, also offline. In JSON, content that JSON has not
 * stands as an object with one key when it is set, and when it is read "typed": {"$text": "..."},
 * {"$counter": 3}, {"$set": [...]}, {"$bytes": "base64"}. `path`: a JSON Pointer (RFC 6901), "" for the
 * whole document. A change is on this device's disk when its call returns HEARTH_OK. */

/* What is there, and in which version of the document. "" : nothing is. Valid during the call. Return 0
 * to go on, anything else to end a watch. */
typedef int (*hearth_on_json)(void* user, const char* json, const char* version);

struct hearth_doc_reading {
  size_t size;         /* sizeof(struct hearth_doc_reading) */
  const char* version; /* as one was told before; NULL: as it is now */
  int typed;           /* content that JSON has not told apart */
};

/* Calls `on_json` once. `options` may be NULL. */
int hearth_doc_get(hearth_t* h, const char* name, const char* path,
    const struct hearth_doc_reading* options, hearth_on_json on_json, void* user, char* error,
    size_t error_size);

/* What is at the path becomes that, by the fewest changes. */
int hearth_doc_set(hearth_t* h, const char* name, const char* path, const char* json, char* error,
    size_t error_size);

int hearth_doc_remove(
    hearth_t* h, const char* name, const char* path, char* error, size_t error_size);

/* In a text: `erased` characters (code points) from `at` on go, and `typed` (UTF-8; it may be NULL)
 * comes there. */
int hearth_doc_edit(hearth_t* h, const char* name, const char* path, uint32_t at, uint32_t erased,
    const char* typed, char* error, size_t error_size);

/* To a counter. */
int hearth_doc_add(
    hearth_t* h, const char* name, const char* path, int64_t count, char* error, size_t error_size);

/* A value into a set, or out of it. */
int hearth_doc_include(hearth_t* h, const char* name, const char* path, const char* json,
    int included, char* error, size_t error_size);

/* An element of a list, to another place in it. */
int hearth_doc_move(
    hearth_t* h, const char* name, const char* path, uint32_t to, char* error, size_t error_size);

/* Takes back the newest change of this device that stands, or makes the newest again that was taken
 * back. HEARTH_FAILED where there is none. */
int hearth_doc_undo(hearth_t* h, const char* name, char* error, size_t error_size);
int hearth_doc_redo(hearth_t* h, const char* name, char* error, size_t error_size);

/* Calls `on_json` now, and again whenever something else is there, until it says so or the call is
 * cancelled. */
int hearth_doc_watch(hearth_t* h, const char* name, const char* path, hearth_on_json on_json,
    void* user, char* error, size_t error_size);

/* The names of all documents. */
typedef int (*hearth_on_name)(void* user, const char* name);
int hearth_doc_list(
    hearth_t* h, hearth_on_name on_name, void* user, char* error, size_t error_size);

struct hearth_doc_change {
  const char*
      version; /* as the document was behind it: hearth_doc_get reads it, hearth_doc_diff compares it */
  const char* device;    /* name of its author */
  const char* device_id; /* and id */
  int64_t time_ms;       /* since 1970, by the author's clock */
  uint32_t operations;
};

/* Valid during the call. Return 0 to go on, anything else to end the list. */
typedef int (*hearth_on_change)(void* user, const struct hearth_doc_change* change);

/* Who changed it when, newest first; `most` of them, 0: all. */
int hearth_doc_history(hearth_t* h, const char* name, uint32_t most, hearth_on_change on_change,
    void* user, char* error, size_t error_size);

struct hearth_doc_piece {
  const char* json;      /* what its author wrote: of a text a piece of it */
  const char* device;    /* name of the author */
  const char* device_id; /* and id */
  int64_t time_ms;       /* since 1970, by the author's clock */
};

/* Valid during the call. Return 0 to go on, anything else to end the list. */
typedef int (*hearth_on_piece)(void* user, const struct hearth_doc_piece* piece);

/* Who wrote what is there, in its order. */
int hearth_doc_who(hearth_t* h, const char* name, const char* path, hearth_on_piece on_piece,
    void* user, char* error, size_t error_size);

/* From one version to another (NULL: as it is now): calls `on_json` once with a JSON Patch (RFC 6902). */
int hearth_doc_diff(hearth_t* h, const char* name, const char* from, const char* to,
    hearth_on_json on_json, void* user, char* error, size_t error_size);

/* Who is at a document just now, on all devices that can be reached, and what they say: cursors,
 * selections, "is typing". JSON of at most 4096 bytes, kept nowhere, gone with whoever said it. */

struct hearth_there {
  const char* device;    /* its name */
  const char* device_id; /* and id */
  const char* json;      /* what somebody there says of themselves */
  int own;               /* on this device */
};

/* Valid during the call. Return 0 to go on, anything else to end hearth_doc_attend. */
typedef int (*hearth_on_present)(void* user, const struct hearth_there* there, size_t count);
typedef int (*hearth_on_said)(
    void* user, const char* device, const char* device_id, const char* json);

/* Calls `on_present` once. */
int hearth_doc_present(hearth_t* h, const char* name, hearth_on_present on_present, void* user,
    char* error, size_t error_size);

/* Is there, with `json` (NULL: null), until a callback says so or the call is cancelled. `on_present`:
 * who is there, now and whenever that changes. `on_said`: what others say to all; it may be NULL. */
int hearth_doc_attend(hearth_t* h, const char* name, const char* json, hearth_on_present on_present,
    hearth_on_said on_said, void* user, char* error, size_t error_size);

/* Says something else of the app, while hearth_doc_attend runs on this handle: from any thread, or a
 * callback. What is no JSON ends that call with an error. */
int hearth_doc_become(hearth_t* h, const char* json, char* error, size_t error_size);

/* To whoever is there now, on the other devices. */
int hearth_doc_say(hearth_t* h, const char* name, const char* json, char* error, size_t error_size);

/* The clipboard that all devices share. What is copied lives for a while, and then is gone on all of
 * them. At most 4 MiB; what is larger belongs into a blob. */

struct hearth_clip {
  const char* id;      /* for hearth_clip_paste, as long as it is there */
  const char* type;    /* MIME type */
  const void* bytes;   /* by hearth_clip_paste alone; else NULL */
  size_t size;         /* how many there are */
  const char* preview; /* one line of a text that is no secret, or "" */
  int secret;
  uint64_t left_ms;   /* 0: it has no lifetime */
  const char* device; /* where it was copied */
  const char* device_id;
};

/* The newest first. Valid during the call. Return 0 to go on, anything else to end a watch. */
typedef int (*hearth_on_clips)(void* user, const struct hearth_clip* clips, size_t count);

struct hearth_copying {
  size_t size;      /* sizeof(struct hearth_copying) */
  const char* type; /* NULL: text/plain */
  int64_t
      lifetime_ms; /* 0: the usual one; below 0: until it is cleared or newer ones take its room */
  int secret;
};

/* On this device's disk when it returns HEARTH_OK. `options` may be NULL. */
int hearth_clip_copy(hearth_t* h, const void* bytes, size_t size,
    const struct hearth_copying* options, char* error, size_t error_size);

/* Calls `on_clips` once with one entry: the newest, or that with the id (NULL: the newest).
 * HEARTH_FAILED where there is none. */
int hearth_clip_paste(hearth_t* h, const char* id, hearth_on_clips on_clips, void* user,
    char* error, size_t error_size);

/* Calls `on_clips` once. */
int hearth_clip_list(
    hearth_t* h, hearth_on_clips on_clips, void* user, char* error, size_t error_size);

/* All of it is gone, here and, as soon as they hear of it, on the other devices. */
int hearth_clip_clear(hearth_t* h, char* error, size_t error_size);

/* Calls `on_clips` now, and again whenever something else is there, until it says so or the call is
 * cancelled. */
int hearth_clip_watch(
    hearth_t* h, hearth_on_clips on_clips, void* user, char* error, size_t error_size);

/* Ends the dictation or the watch that runs on this handle. From any thread, a callback or a signal handler. */
void hearth_cancel(hearth_t* h);

void hearth_close(hearth_t* h);

#ifdef __cplusplus
}
#endif
#endif
