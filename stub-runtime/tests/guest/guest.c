// A small guest with the engine's exports, for the stub's own tests: it keeps a counter and a large table in its
// heap, so that images differ from the base, and uses host calls of every kind of parameter.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define IMPORT(name) __attribute__((import_module("edge"), import_name(#name))) int name
#define EXPORT(name) __attribute__((export_name(#name))) name

IMPORT(stdio_write)(int handle, const char *buf, int len);
IMPORT(stdio_kind)(int handle);
IMPORT(program_args)(char *buf, int cap);
IMPORT(env_get)(const char *name, int len, char *buf, int cap);
IMPORT(random_fill)(char *buf, int len);
IMPORT(wait)(int64_t timeout, void *events, int cap);
IMPORT(file_open)(const char *path, int len, int flags, int mode);
IMPORT(file_read)(int file, char *buf, int len, int64_t position);
__attribute__((import_module("edge"), import_name("clock_monotonic"))) int64_t clock_monotonic(void);
__attribute__((import_module("edge"), import_name("program_exit"))) void program_exit(int code);

static uint32_t *table;
static uint32_t table_length;
static char *package;
static int package_length;
static int started;

// Memory whose pages are of every kind: mapped or compressed in the base image, the app's over either.
#define BALLAST_PAGES 64
static unsigned char ballast[BALLAST_PAGES * 4096] __attribute__((aligned(65536)));
static const int loaded_pages[] = {3, 9, 10, 20};

static unsigned char pattern(uint32_t at) { return (unsigned char)((at * 2654435761u) >> 21); }

static int is_loaded(uint32_t at) {
  if (at % 4096 != 7) return 0;
  for (unsigned i = 0; i < sizeof loaded_pages / sizeof *loaded_pages; i++)
    if (at / 4096 == (uint32_t)loaded_pages[i]) return 1;
  return 0;
}

char *EXPORT(edge_ballast)(void) { return (char *)ballast; }

static void print(const char *text) { stdio_write(1, text, (int)strlen(text)); }

static void print_number(uint64_t number) {
  char digits[24];
  int at = sizeof digits;
  do digits[--at] = (char)('0' + number % 10); while (number /= 10);
  stdio_write(1, digits + at, (int)sizeof digits - at);
}

static void fill(uint32_t length, uint32_t seed) {
  table = realloc(table, length * sizeof *table);
  for (uint32_t i = table_length; i < length; i++) table[i] = i * 2654435761u + seed;
  table_length = length;
}

static uint32_t sum(void) {
  uint32_t total = 0;
  for (uint32_t i = 0; i < table_length; i++) total += table[i];
  return total;
}

int EXPORT(edge_bootstrap)(void) {
  for (uint32_t i = 0; i < sizeof ballast; i++) ballast[i] = pattern(i);
  fill(100000, 1);
  return 0;
}
char *EXPORT(edge_alloc)(int bytes) { return malloc((size_t)bytes); }

int EXPORT(edge_load)(char *bytes, int length) {
  package = bytes;
  package_length = length;
  for (uint32_t i = 0; i < sizeof ballast; i++) if (is_loaded(i)) ballast[i] ^= 0x55;
  fill(400000, 2);
  return 0;
}

// Writes to pages of every kind, the kernel's writes too, and then looks at every byte: what was there stays, what
// comes later does not undo what was written before.
static void check_ballast(void) {
  static const uint32_t written[] = {5 * 4096 + 100, 3 * 4096 + 100, 12 * 4096 + 100, 9 * 4096 + 100};
  static const struct { uint32_t at; int length; } filled[] = {{30 * 4096 - 50, 100}, {8 * 4096 - 50, 100}, {40 * 4096, 3 * 4096}};
  for (unsigned i = 0; i < 4; i++) ballast[written[i]] = (unsigned char)~pattern(written[i]);
  for (unsigned i = 0; i < 3; i++) {
    if (random_fill((char *)ballast + filled[i].at, filled[i].length) != filled[i].length) print("not filled\n");
    unsigned same = 0;
    for (int j = 0; j < filled[i].length; j++) same += ballast[filled[i].at + (uint32_t)j] == pattern(filled[i].at + (uint32_t)j);
    if (same > (unsigned)filled[i].length / 8) print("filled with the same\n");
  }
  for (uint32_t step = 0; step < sizeof ballast; step++) {
    uint32_t at = step % 2 ? sizeof ballast - step : step, skip = 0;
    unsigned char expected = (unsigned char)(pattern(at) ^ (is_loaded(at) ? 0x55 : 0));
    for (unsigned i = 0; i < 4; i++) if (at == written[i]) expected = (unsigned char)~pattern(at);
    for (unsigned i = 0; i < 3; i++) skip |= at - filled[i].at < (uint32_t)filled[i].length;
    if (!skip && ballast[at] != expected) { print("ballast wrong at "); print_number(at); print("\n"); return; }
  }
  print("ballast right\n");
}

int EXPORT(edge_start)(int64_t stop_at) {
  (void)stop_at;
  started = 1;
  print("started\n");
  fill(1000000, 3);
  return 1;
}

// Without a frame on the shadow stack, so that only the native stack grows.
static int (*volatile operation)(int);
static __attribute__((noinline)) int deeper(int depth) { return depth == 0 ? 0 : 1 + operation(depth - 1); }

// What to do is the first argument; without one the sum is printed, which touches the whole table.
int EXPORT(edge_run)(void) {
  static char buffer[65536];
  operation = deeper;
  int length = program_args(buffer, sizeof buffer);
  const char *command = buffer + strlen(buffer) + 1;
  if (command >= buffer + length) {
    if (!started) edge_start(-1);
    print("sum ");
    print_number(sum());
    print("\n");
    return 0;
  }
  if (!strcmp(command, "hello")) { print("hello\n"); return 0; }
  if (!strcmp(command, "ballast")) { check_ballast(); return 0; }
  if (!strcmp(command, "exit")) { program_exit(7); }
  if (!strcmp(command, "trap")) { __builtin_trap(); }
  if (!strcmp(command, "outside")) { return *(volatile int *)0xfffffff0u; }
  if (!strcmp(command, "recurse")) { return deeper(100000000) & 1; }
  if (!strcmp(command, "deep")) { print_number((uint64_t)deeper(500000)); print("\n"); return 0; }
  if (!strcmp(command, "pointer")) { return random_fill((char *)0xfffffff0u, 64); }
  if (!strcmp(command, "indirect")) { operation = (int (*)(int))(intptr_t)3; return ((int (*)(int, int, int))operation)(1, 2, 3); }
  if (!strcmp(command, "grow")) { fill(20000000, 4); print_number(sum()); print("\n"); return 0; }
  if (!strcmp(command, "fill")) {
    // The kernel writes into cold memory of the table.
    int got = random_fill((char *)(table + table_length / 2), 100000);
    print(got == 100000 ? "filled\n" : "not filled\n");
    return 0;
  }
  if (!strcmp(command, "write-cold")) { return stdio_write(1, (char *)table, 65536 * 2) == 65536 * 2 ? 0 : 1; }
  if (!strcmp(command, "package")) { stdio_write(1, package, package_length); return 0; }
  if (!strcmp(command, "env")) {
    int got = env_get("HOME", 4, buffer, sizeof buffer);
    if (got < 0) { print("unset\n"); return 0; }
    stdio_write(1, buffer, got);
    return 0;
  }
  if (!strcmp(command, "read")) {
    int file = file_open("/etc/hostname", 13, 0, 0);
    if (file < 0) { print("refused "); print_number((uint64_t)-file); print("\n"); return 1; }
    stdio_write(1, buffer, file_read(file, buffer, sizeof buffer, -1));
    return 0;
  }
  if (!strcmp(command, "wait")) {
    int64_t before = clock_monotonic();
    int events = wait(20000000, buffer, 10);
    print(events == 0 && clock_monotonic() - before >= 20000000 ? "waited\n" : "woken\n");
    return 0;
  }
  print("unknown command\n");
  return 2;
}
