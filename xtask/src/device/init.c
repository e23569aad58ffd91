/* What comes between Debian's kernel and the app, because the kernel's network driver is a module and an app loads none:
 * modules, an address, then the app takes this process over and is number 1. Nothing is mounted.
 *
 * With LOG set the app writes into a pipe, as a service does, and another process copies that to the console.
 *
 * A second process stays. When a line comes from the console it leaves an orphan to process 1, says whether it was
 * taken, and sends process 1 a SIGTERM. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#define APP "/app"
#define TRIES 1000
#define PAUSE_US 10000

static void load(const char *path) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0 || syscall(SYS_finit_module, file, "", 0)) printf("device: %s: %m\n", path);
  close(file);
}

/* Debian's drivers answer a moment after they were loaded. */
static void up(const char *name, const char *address, const char *mask) {
  struct ifreq request = {0};
  struct sockaddr_in *in = (struct sockaddr_in *)&request.ifr_addr;
  int socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), failed = 1;
  strcpy(request.ifr_name, name);
  in->sin_family = AF_INET;
  for (int i = 0; i < TRIES && failed; i++) {
    in->sin_addr.s_addr = inet_addr(address);
    failed = ioctl(socket_, SIOCSIFADDR, &request);
    if (failed) usleep(PAUSE_US);
  }
  in->sin_addr.s_addr = inet_addr(mask);
  if (failed || ioctl(socket_, SIOCSIFNETMASK, &request)) printf("device: %s: %m\n", name);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (ioctl(socket_, SIOCSIFFLAGS, &request)) printf("device: %s: %m\n", name);
  close(socket_);
}

/* A grandchild whose parent ends before it does. */
static pid_t orphan(void) {
  int ends[2];
  pid_t number = -1;
  if (pipe(ends)) return -1;
  pid_t parent = fork();
  if (!parent) {
    pid_t child = fork();
    if (!child) {
      while (getppid() != 1) usleep(PAUSE_US);
      _exit(0);
    }
    _exit(write(ends[1], &child, sizeof child) != sizeof child);
  }
  if (read(ends[0], &number, sizeof number) != sizeof number) number = -1;
  waitpid(parent, NULL, 0);
  return number;
}

static void watch(void) {
  char line[16];
  if (read(0, line, sizeof line) <= 0) _exit(1);
  pid_t left = orphan();
  int there = 1;
  for (int i = 0; i < TRIES && there; i++) {
    usleep(PAUSE_US);
    there = kill(left, 0) == 0;
  }
  struct sysinfo memory = {0};
  sysinfo(&memory);
  printf("device: %lu of %lu KiB of memory are free\n", (unsigned long)(memory.freeram * (unsigned long long)memory.mem_unit >> 10),
         (unsigned long)(memory.totalram * (unsigned long long)memory.mem_unit >> 10));
  printf("device: the orphan %s\n", left > 0 && !there ? "was taken" : "is still there");
  kill(1, SIGTERM);
  _exit(0);
}

static void log_to_console(void) {
  int ends[2];
  char text[4096];
  ssize_t length;
  if (pipe(ends)) return;
  if (fork()) {
    dup2(ends[1], 1);
    dup2(ends[1], 2);
    close(ends[0]);
    close(ends[1]);
    return;
  }
  close(ends[1]);
  while ((length = read(ends[0], text, sizeof text)) > 0) write(1, text, length);
  _exit(0);
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  load("/virtio_mmio.ko");
  load("/failover.ko");
  load("/net_failover.ko");
  load("/virtio_net.ko");
  up("lo", "127.0.0.1", "255.0.0.0");
  up("eth0", "10.0.2.15", "255.255.255.0");
  if (!fork()) watch();
  puts("device: the app starts");
  if (getenv("LOG")) log_to_console();
  execl(APP, APP, (char *)NULL);
  printf("device: " APP ": %m\n");
  return 1;
}
