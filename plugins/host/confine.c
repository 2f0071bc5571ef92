#define _GNU_SOURCE  // O_TMPFILE, CLONE_THREAD
#include "router/engine/sandbox/closed-calls.h"

#include <sys/auxv.h>
#include <unistd.h>

#include "internal.h"

bool confine(void) {
  // A program with an interpreter is a dynamic one. A static one runs under the final list already,
  // which has no seccomp(2) in it.
  if (getauxval(AT_BASE) == 0) return true;
  struct sock_filter code[CLOSED_FILTER_MAX];
  struct sock_fprog program = {(unsigned short)closed_filter(CLOSED_SERVING, code), code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
  // All threads at once: load() may have started some.
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}
