/* Until the snapshot is taken, freed memory is cleared, so that a snapshot holds what is alive and zero pages, not the
   remains of parsing. Linked over the C library's `free` and `realloc` with wasm-ld's --wrap. */
#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

void __real_free(void *block);
void *__real_realloc(void *block, size_t size);

static bool clears = true;

/* From here on, `free` only frees: the process that runs the program takes no snapshot. */
void edge_stop_clearing(void)
{
    clears = false;
}

void __wrap_free(void *block)
{
    if (clears && block)
        memset(block, 0, malloc_usable_size(block));
    __real_free(block);
}

void *__wrap_realloc(void *block, size_t size)
{
    if (!clears || !block)
        return __real_realloc(block, size);
    size_t old = malloc_usable_size(block);
    if (size && size <= old)
        return block;
    void *moved = malloc(size);
    if (moved) {
        memcpy(moved, block, old < size ? old : size);
        __wrap_free(block);
    }
    return moved;
}
