// Tries to get out of the sandbox in the way that the task's name says, and tells what came of it:
// "denied N" (an errno) or "ALLOWED". A probe that is killed tells nothing.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "hearth-plugin.h"

extern char** environ;

static hearth_job* the_job;
static char the_task[64];

static long open_file(const char* path, int flags) { return open(path, flags); }

static long memory_bomb(void) {
  for (size_t taken = 0; taken < (size_t)1 << 30; taken += 16 << 20) {
    volatile char* more = malloc(16 << 20);  // volatile: else the compiler does without
    if (more == NULL) return -1;
    for (size_t at = 0; at < 16 << 20; at += 4096) more[at] = 1;
  }
  return 0;
}

static long descriptors_beyond(int first) {
  struct stat what;
  for (int fd = first; fd < 1024; ++fd) {
    if (fstat(fd, &what) == 0) return fd;
  }
  errno = EBADF;
  return -1;
}

static long environment_or_arguments(void) {
  errno = ENOENT;
  return environ[0] == NULL ? -1 : 0;
}

static long attempt(const char* task) {
  if (!strcmp(task, "allowed")) return getpid();
  if (!strcmp(task, "tcp4")) return socket(AF_INET, SOCK_STREAM, 0);
  if (!strcmp(task, "udp4")) return socket(AF_INET, SOCK_DGRAM, 0);
  if (!strcmp(task, "tcp6")) return socket(AF_INET6, SOCK_STREAM, 0);
  if (!strcmp(task, "netlink")) return socket(AF_NETLINK, SOCK_RAW, 0);
  if (!strcmp(task, "vsock")) return socket(40, SOCK_STREAM, 0);
  if (!strcmp(task, "unix")) return socket(AF_UNIX, SOCK_STREAM, 0);
  if (!strcmp(task, "connect")) {
    struct sockaddr_un there = {AF_UNIX, "/run/x"};
    return connect(3, (struct sockaddr*)&there, sizeof there);
  }
  if (!strcmp(task, "sendmsg")) {
    struct msghdr nothing = {0};
    return sendmsg(3, &nothing, 0);
  }
  if (!strcmp(task, "passwd")) return open_file("/etc/passwd", O_RDONLY);
  if (!strcmp(task, "proc-mem")) return open_file("/proc/self/mem", O_RDWR);
  if (!strcmp(task, "create")) return open_file("/tmp/x", O_WRONLY | O_CREAT);
  if (!strcmp(task, "own-program")) return open_file("/program", O_RDONLY);
  if (!strcmp(task, "openat2")) return syscall(SYS_openat2, -100, "/", NULL, 0);
  if (!strcmp(task, "memfd")) return syscall(SYS_memfd_create, "x", 0);
  if (!strcmp(task, "io-uring")) return syscall(SYS_io_uring_setup, 1, NULL);
  if (!strcmp(task, "ptrace")) return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
  if (!strcmp(task, "kill-parent")) return kill(getppid(), SIGTERM);
  if (!strcmp(task, "kill-all")) return syscall(SYS_tgkill, 1, 2, SIGKILL);
  if (!strcmp(task, "fork")) return syscall(SYS_fork);
  if (!strcmp(task, "vfork")) return syscall(SYS_vfork);
  if (!strcmp(task, "clone")) return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (!strcmp(task, "clone3")) return syscall(SYS_clone3, NULL, 0);
  if (!strcmp(task, "execve")) return syscall(SYS_execve, "/program", NULL, NULL);
  if (!strcmp(task, "execveat")) return syscall(SYS_execveat, 3, "", NULL, NULL, AT_EMPTY_PATH);
  if (!strcmp(task, "unshare")) return unshare(CLONE_NEWUSER);
  if (!strcmp(task, "mount")) return mount("tmpfs", "/", "tmpfs", 0, NULL);
  if (!strcmp(task, "chroot")) return chroot("/");
  if (!strcmp(task, "dumpable")) return prctl(PR_SET_DUMPABLE, 1);
  if (!strcmp(task, "seccomp")) return syscall(SYS_seccomp, 1, 0, NULL);
  if (!strcmp(task, "bpf")) return syscall(SYS_bpf, 0, NULL, 0);
  if (!strcmp(task, "keyctl")) return syscall(SYS_keyctl, 0, 0, 0, 0, 0);
  if (!strcmp(task, "x32")) return syscall(0x40000000 + SYS_getpid);
  if (!strcmp(task, "memory")) return memory_bomb();
  if (!strcmp(task, "descriptors")) return descriptors_beyond(4);
  if (!strcmp(task, "environment")) return environment_or_arguments();
  abort();
}

static void* probe_open(hearth_job* job, const char* task, const char* params, const uint8_t* state,
    size_t state_size) {
  (void)params, (void)state, (void)state_size;
  the_job = job;
  strncpy(the_task, task, sizeof the_task - 1);
  return &the_job;
}

static int probe_process(void* self, const hearth_frame* in) {
  (void)self, (void)in;
  char text[64];
  errno = 0;
  long answer = attempt(the_task);
  int size = answer < 0 ? snprintf(text, sizeof text, "denied %d", errno)
                        : snprintf(text, sizeof text, "ALLOWED %ld", answer);
  hearth_frame out = {.data = (const uint8_t*)text, .size = (size_t)size};
  return hearth_emit(the_job, &out, NULL);
}

static void probe_close(void* self) { (void)self; }

int main(void) {
  hearth_plugin plugin = {NAME, NULL, probe_open, probe_process, probe_close};
  return hearth_plugin_main(&plugin);
}
