/* The C library's imports from WASI, answered inside the guest: everything that differs between processes goes through
   the one table of host calls (`edgepack_format::host_calls`), so that a sealed run sees it. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define IMPORT(name) __attribute__((import_module("edge"), import_name(#name)))

IMPORT(clock_realtime) int64_t edge_clock_realtime(void);
IMPORT(clock_monotonic) int64_t edge_clock_monotonic(void);
IMPORT(stdio_write) int32_t edge_stdio_write(int32_t handle, const uint8_t *bytes, size_t length);
IMPORT(program_exit) void edge_program_exit(int32_t code);
IMPORT(timezone_offset) int32_t edge_timezone_offset(int64_t seconds);

enum { SUCCESS = 0, BADF = 8, NOSYS = 52, CLOCK_REALTIME_ID = 0 };

struct vector { const uint8_t *bytes; size_t length; };

int32_t __imported_wasi_snapshot_preview1_clock_time_get(int32_t clock, int64_t precision, int32_t out)
{
    (void)precision;
    int64_t now = clock == CLOCK_REALTIME_ID ? edge_clock_realtime() : edge_clock_monotonic();
    memcpy((void *)(uintptr_t)out, &now, sizeof now);
    return SUCCESS;
}

/* Panics and assertions; JavaScript's streams do not come this way. */
int32_t __imported_wasi_snapshot_preview1_fd_write(int32_t fd, int32_t vectors, int32_t count, int32_t out)
{
    const struct vector *vector = (const struct vector *)(uintptr_t)vectors;
    size_t total = 0;
    if (fd != 1 && fd != 2)
        return BADF;
    for (int32_t i = 0; i < count; i++) {
        edge_stdio_write(fd, vector[i].bytes, vector[i].length);
        total += vector[i].length;
    }
    memcpy((void *)(uintptr_t)out, &total, sizeof total);
    return SUCCESS;
}

/* Seeds of Rust's hash maps. They are keyed by the engine's own types only, never by input, and a seed in a snapshot
   would be the same in every process anyway. Randomness for programs is the host call `random_fill`. */
int32_t __imported_wasi_snapshot_preview1_random_get(int32_t out, int32_t length)
{
    memset((void *)(uintptr_t)out, 0x5e, (size_t)length);
    return SUCCESS;
}

int32_t __imported_wasi_snapshot_preview1_environ_sizes_get(int32_t count, int32_t bytes)
{
    memset((void *)(uintptr_t)count, 0, 4);
    memset((void *)(uintptr_t)bytes, 0, 4);
    return SUCCESS;
}

int32_t __imported_wasi_snapshot_preview1_environ_get(int32_t names, int32_t bytes)
{
    (void)names;
    (void)bytes;
    return SUCCESS;
}

int32_t __imported_wasi_snapshot_preview1_fd_close(int32_t fd)
{
    (void)fd;
    return BADF;
}

int32_t __imported_wasi_snapshot_preview1_fd_fdstat_get(int32_t fd, int32_t out)
{
    (void)fd;
    (void)out;
    return BADF;
}

int32_t __imported_wasi_snapshot_preview1_fd_seek(int32_t fd, int64_t offset, int32_t whence, int32_t out)
{
    (void)fd;
    (void)offset;
    (void)whence;
    (void)out;
    return BADF;
}

_Noreturn void __imported_wasi_snapshot_preview1_proc_exit(int32_t code)
{
    edge_program_exit(code);
    __builtin_trap();
}
