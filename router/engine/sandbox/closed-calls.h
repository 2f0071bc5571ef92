#pragma once
// The closed lists of system calls (SECURITY.md §8.2 step 9, §8.2a) as one table, and the BPF program
// made from it. Plain C: the launcher installs the first filter with it, the plugin's host stub the
// second. Everything that is not named ends the process.

#include "router/engine/protocol/numbers.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

typedef enum {
  CLOSED_STATIC_START,   // a static program, from its first instruction on: step 9
  CLOSED_DYNAMIC_START,  // a dynamic program while it loads: step 9 and what loading needs
  CLOSED_SERVING,        // a dynamic program from READY on: step 9 without execveat
} closed_phase;

// X(call) for each call that is allowed whatever its arguments, the frequent ones first.
#if defined(__x86_64__)
#define CLOSED_ARCH AUDIT_ARCH_X86_64
#define CLOSED_CALLS_OF_ARCH(X) X(poll) X(readlink) X(access) X(arch_prctl)
#define CLOSED_ANSWERED_OF_ARCH(X) X(stat, ENOENT) X(lstat, ENOENT)
#elif defined(__aarch64__)
#define CLOSED_ARCH AUDIT_ARCH_AARCH64
#define CLOSED_CALLS_OF_ARCH(X)
#define CLOSED_ANSWERED_OF_ARCH(X)
#else
#error "the sandbox knows x86-64 and arm64"
#endif
// clang-format off
#define CLOSED_CALLS(X)                                                                        \
  X(read) X(write) X(futex) X(clock_gettime) X(readv) X(writev) X(pread64)                     \
  X(mmap) X(munmap) X(mprotect) X(mremap) X(madvise) X(brk)                                    \
  X(close) X(fstat) X(newfstatat) X(lseek)                                                     \
  X(rt_sigaction) X(rt_sigprocmask) X(rt_sigreturn) X(sigaltstack) X(exit) X(exit_group)       \
  X(clock_nanosleep) X(nanosleep) X(getrandom) X(set_tid_address) X(set_robust_list) X(rseq)   \
  X(prlimit64) X(gettid) X(getpid) X(tgkill) X(sched_yield) X(sched_getaffinity) X(ppoll)      \
  X(uname) CLOSED_CALLS_OF_ARCH(X)

// X(call) added while a dynamic program loads.
#define CLOSED_CALLS_LOADING(X) X(readlinkat) X(getdents64) X(seccomp)

// X(call, errno): calls that do nothing but answer, so that ordinary library code takes its other
// path instead of dying: stdio asking for a terminal, a profiler asking for usage (docs/adr/0032).
#define CLOSED_CALLS_ANSWERED(X)                                                               \
  X(openat, ENOENT) X(clone3, ENOSYS) X(ioctl, ENOTTY) X(fcntl, EPERM) X(prctl, EPERM)         \
  X(getrusage, ENOSYS) X(sysinfo, ENOSYS) X(statx, ENOSYS) X(getcwd, ENOENT)                   \
  X(sched_setaffinity, EPERM) CLOSED_ANSWERED_OF_ARCH(X)
// clang-format on

enum { CLOSED_FILTER_MAX = 192 };  // instructions; the longest of the three takes about 150

#define CLOSED_LOAD(field)                                                                         \
  (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define CLOSED_RETURN(value) (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, (value))
#define CLOSED_SKIP_UNLESS(value, count)                                                           \
  (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (count))

// Writes the program for `phase` and gives its length in instructions.
static inline size_t closed_filter(closed_phase phase, struct sock_filter out[CLOSED_FILTER_MAX]) {
  // The low half of an argument; the flags looked at here are 32 bit wide in the kernel as well.
  const uint32_t arg0 = offsetof(struct seccomp_data, args[0]);
  const uint32_t arg2 = offsetof(struct seccomp_data, args[2]);
  const uint32_t writing = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY);
  size_t n = 0;
#define CLOSED_ADD(...) out[n++] = __VA_ARGS__
#define CLOSED_ALLOW(call)                                                                         \
  CLOSED_ADD(CLOSED_SKIP_UNLESS(__NR_##call, 1));                                                  \
  CLOSED_ADD(CLOSED_RETURN(SECCOMP_RET_ALLOW));
#define CLOSED_ANSWER(call, error)                                                                 \
  CLOSED_ADD(CLOSED_SKIP_UNLESS(__NR_##call, 1));                                                  \
  CLOSED_ADD(CLOSED_RETURN(SECCOMP_RET_ERRNO | (error)));
// Allows `call` when (argument & mask) == value; else goes on behind with `call` still to be judged.
#define CLOSED_ALLOW_IF(call, offset, mask, value)                                                 \
  CLOSED_ADD(CLOSED_SKIP_UNLESS(__NR_##call, 5));                                                  \
  CLOSED_ADD((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset)));                    \
  CLOSED_ADD((struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (mask)));                     \
  CLOSED_ADD(CLOSED_SKIP_UNLESS((value), 1));                                                      \
  CLOSED_ADD(CLOSED_RETURN(SECCOMP_RET_ALLOW));                                                    \
  CLOSED_ADD(CLOSED_LOAD(nr));

  CLOSED_ADD(CLOSED_LOAD(arch));
  CLOSED_ADD((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CLOSED_ARCH, 1, 0));
  CLOSED_ADD(CLOSED_RETURN(SECCOMP_RET_KILL_PROCESS));
  CLOSED_ADD(CLOSED_LOAD(nr));
  CLOSED_CALLS(CLOSED_ALLOW)
  CLOSED_ALLOW_IF(clone, arg0, CLONE_THREAD, CLONE_THREAD)
  if (phase != CLOSED_SERVING) {
    CLOSED_ALLOW_IF(execveat, arg0, 0xffffffff, ENGINE_PROGRAM_FD)
  }
  if (phase == CLOSED_DYNAMIC_START) {
    CLOSED_CALLS_LOADING(CLOSED_ALLOW)
    CLOSED_ALLOW_IF(openat, arg2, writing, O_RDONLY)
    CLOSED_ALLOW_IF(prctl, arg0, 0xffffffff, PR_SET_NO_NEW_PRIVS)
  }
  CLOSED_CALLS_ANSWERED(CLOSED_ANSWER)
  CLOSED_ADD(CLOSED_RETURN(SECCOMP_RET_KILL_PROCESS));
#undef CLOSED_ADD
#undef CLOSED_ALLOW
#undef CLOSED_ANSWER
#undef CLOSED_ALLOW_IF
  return n;
}
