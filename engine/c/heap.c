/* The guest's heap: what is laid over the C library's allocator with wasm-ld's --wrap, for the sake of snapshots
   (docs/decisions/placed-heap.md).

   Until the snapshot is taken QuickJS asks here for each block, small ones too, and freed memory is cleared: a snapshot
   holds what is alive and zero pages, not the remains of parsing.

   While Node's library is started, and then an app, blocks that stay alive are placed: those that a boot touches again
   lie together, as it brings pages, and without this the few bytes it needs lie in most of them. Start-up is
   deterministic, so a block is known by the number of its allocation: one start is recorded, what comes after is
   watched, and the next start is given the plan. A plan that does not fit costs pages and nothing else. */
#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void __real_free(void *block);
void *__real_realloc(void *block, size_t size);
size_t __real_malloc_usable_size(void *block);
void *__real_sbrk(intptr_t bytes);

/* build.rs defines the numbers EDGE_HEAP_*, which the plan's writer shares. */

/* A block made while the program is started: the word before it is how many bytes were asked for, times 8. Of blocks of
   the C library's own it is a chunk's head, whose bit 1 is set while it is in use (dlmalloc's CINUSE_BIT). So it does
   not depend on where a block lies how large it is said to be, and QuickJS, which uses what is to spare, allocates
   alike in all runs. */
#define HEAD_SHIFT 3
#define HEAD_MASK 7

/* A wasm page. */
enum { CHUNK_BYTES = 64 * 1024 };

/* Whether a snapshot may still be taken. */
static bool is_starting = true;

/* An allocation, or with a size of 0 a free. */
struct row {
    uint32_t block;
    uint32_t size;
};

static struct {
    struct row *rows;
    /* For an audit: a number for each row of the place of the app that made it. */
    uint32_t *sites;
    uint32_t rows_max;
    uint32_t count;
} record;

void edge_note_sites(void);
uint32_t edge_running_site(void);

/* Bytes of each class of blocks, one after the other in an arena; for each allocation its class, 0 for none. */
struct plan {
    uint32_t allocations;
    uint32_t class_bytes[EDGE_HEAP_CLASSES];
    uint8_t classes[];
};

static struct {
    struct plan *plan;
    uint32_t count;
    unsigned char *next[EDGE_HEAP_CLASSES];
    unsigned char *end[EDGE_HEAP_CLASSES];
} placing;

/* One for Node's library, one for the app. */
static struct {
    const unsigned char *start;
    const unsigned char *end;
} arenas[2];

/* No block that is in use begins above. */
static const unsigned char *highest;

static void reach(const void *block)
{
    if ((const unsigned char *)block > highest)
        highest = block;
}

__attribute__((export_name("edge_heap_record"))) void edge_heap_record(void)
{
    record.count = 0;
    record.rows_max = 1 << 16;
    record.rows = __real_malloc(record.rows_max * sizeof(struct row));
    reach(record.rows);
}

/* Notes from now on, too, which place of the app makes each block (audit.c). */
__attribute__((export_name("edge_heap_record_sites"))) void edge_heap_record_sites(void)
{
    edge_note_sites();
    record.sites = __real_calloc(record.rows_max, sizeof(uint32_t));
    reach(record.sites);
}

/* Where the numbers of those places are. */
__attribute__((export_name("edge_heap_sites"))) uint32_t *edge_heap_sites(void)
{
    return record.sites;
}

/* Ends the recording; where the rows are, NULL if there was no room for them. They stay there: who records takes
   another image than that. */
__attribute__((export_name("edge_heap_recorded"))) struct row *edge_heap_recorded(void)
{
    struct row *rows = record.rows;
    record.rows = NULL;
    return rows;
}

/* How many rows those are. */
__attribute__((export_name("edge_heap_rows"))) uint32_t edge_heap_rows(void)
{
    return record.count;
}

/* Without room for an arena nothing is placed. */
__attribute__((export_name("edge_heap_place"))) void edge_heap_place(struct plan *plan)
{
    size_t bytes = 0;
    unsigned number = arenas[0].start ? 1 : 0;
    for (unsigned class = 0; class < EDGE_HEAP_CLASSES; class++)
        bytes += plan->class_bytes[class];
    unsigned char *at = arenas[number].start ? NULL : aligned_alloc(EDGE_HEAP_PAGE_BYTES, bytes);
    if (at) {
        memset(at, 0, bytes);
        arenas[number].start = at;
        arenas[number].end = at + bytes;
    }
    for (unsigned class = 0; class < EDGE_HEAP_CLASSES; class++) {
        placing.next[class] = at;
        placing.end[class] = at ? at += plan->class_bytes[class] : NULL;
    }
    placing.count = 0;
    placing.plan = plan;
}

/* Ends the placing, and frees the plan; how many allocations there were. */
__attribute__((export_name("edge_heap_placed"))) uint32_t edge_heap_placed(void)
{
    struct plan *plan = placing.plan;
    placing.plan = NULL;
    free(plan);
    return placing.count;
}

/* Behind the last block the C library keeps the end of its room, and before it the head of what is free. */
enum { ALLOCATOR_HEAD_BYTES = 16, ALLOCATOR_END_BYTES = 128 };

/* Takes all room between blocks, so that what is allocated from now on lies together behind them, on pages that nobody
   stored anything in, and not wherever start-up has left a hole. Nothing is written to the holes but their heads; what
   is behind the last block is cleared of the heads of blocks that were there. */
void edge_close_holes(void)
{
    unsigned char *free_from = NULL;
    for (size_t bytes = 64 * 1024; bytes >= 8; bytes /= 2) {
        while ((free_from = __real_malloc(bytes)) && free_from < highest)
            ;
        __real_free(free_from);
    }
    unsigned char *end = (unsigned char *)(__builtin_wasm_memory_size(0) * CHUNK_BYTES) - ALLOCATOR_END_BYTES;
    if (free_from && free_from + ALLOCATOR_HEAD_BYTES < end)
        memset(free_from + ALLOCATOR_HEAD_BYTES, 0, end - free_from - ALLOCATOR_HEAD_BYTES);
}

/* Start-up that wants more memory than a build gives ends there: this asks the host, which answers nobody at build time
   and is of no interest afterwards. */
__attribute__((import_module("edge"), import_name("memory_budget"))) int32_t edge_memory_budget(int32_t chunks);

void *__wrap_sbrk(intptr_t bytes)
{
    size_t chunks = __builtin_wasm_memory_size(0) + (size_t)bytes / CHUNK_BYTES;
    if (is_starting && chunks > EDGE_START_UP_CHUNKS_MAX)
        edge_memory_budget(chunks);
    return __real_sbrk(bytes);
}

/* From here on blocks are pooled and freed memory stays as it is: the process that runs the program takes no
   snapshot. */
void edge_end_start_up(void)
{
    is_starting = false;
}

/* Whether QuickJS serves small blocks from pools of its own; stands in its allocator, put there by build.rs. */
bool edge_pools_blocks(void)
{
    return !is_starting;
}

/* Without room for more the recording is given up. */
static bool have_more_rows(void)
{
    record.rows_max *= 2;
    struct row *rows = __real_realloc(record.rows, record.rows_max * sizeof(struct row));
    uint32_t *sites = record.sites ? __real_realloc(record.sites, record.rows_max * sizeof(uint32_t)) : NULL;
    bool has_room = rows && (sites || !record.sites);
    if (!has_room)
        __real_free(rows ? rows : record.rows);
    record.rows = has_room ? rows : NULL;
    record.sites = sites;
    reach(rows);
    reach(sites);
    return has_room;
}

static void note(void *block, size_t size)
{
    if (!record.rows || !block)
        return;
    if (record.count == record.rows_max && !have_more_rows())
        return;
    if (record.sites)
        record.sites[record.count] = size ? edge_running_site() : 0;
    record.rows[record.count++] = (struct row){ (uint32_t)block, size };
}

static bool is_placed(const void *block)
{
    const unsigned char *at = block;
    return (at >= arenas[0].start && at < arenas[0].end) || (at >= arenas[1].start && at < arenas[1].end);
}

static uint32_t *head(const void *block)
{
    return (uint32_t *)block - 1;
}

static bool is_ours(const void *block)
{
    return (*head(block) & HEAD_MASK) == 0;
}

/* The next allocation's place in the arena; NULL for most. */
static void *placed(size_t size)
{
    struct plan *plan = placing.plan;
    if (!plan)
        return NULL;
    size += !size;
    uint32_t number = placing.count++;
    uint8_t class = number < plan->allocations ? plan->classes[number] : 0;
    if (class == 0 || class >= EDGE_HEAP_CLASSES || !placing.next[class])
        return NULL;
    uintptr_t next = (uintptr_t)placing.next[class] + EDGE_HEAP_HEAD_BYTES + EDGE_HEAP_ALIGN_BYTES - 1;
    unsigned char *start = (unsigned char *)(next & ~(uintptr_t)(EDGE_HEAP_ALIGN_BYTES - 1));
    if (start > placing.end[class] || size > (size_t)(placing.end[class] - start))
        return NULL;
    placing.next[class] = start + size;
    return start;
}

/* A block of ours, zero bytes, there or wherever the C library has room. */
static void *make(void *place, size_t size)
{
    size += !size;
    if (!place && size <= UINT32_MAX >> HEAD_SHIFT) {
        unsigned char *outer = __real_calloc(1, size + EDGE_HEAP_ALIGN_BYTES);
        place = outer ? outer + EDGE_HEAP_ALIGN_BYTES : NULL;
        reach(outer);
    }
    if (place) {
        *head(place) = size << HEAD_SHIFT;
        note(place, size);
    }
    return place;
}

size_t __wrap_malloc_usable_size(void *block)
{
    if (!block)
        return 0;
    return is_ours(block) ? *head(block) >> HEAD_SHIFT : __real_malloc_usable_size(block);
}

void *__wrap_malloc(size_t size)
{
    return is_starting ? make(placed(size), size) : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    size_t bytes;
    if (!is_starting)
        return __real_calloc(count, size);
    return __builtin_mul_overflow(count, size, &bytes) ? NULL : make(placed(bytes), bytes);
}

/* An arena takes nothing back: what is placed there lives as long as the program, with few exceptions. */
void __wrap_free(void *block)
{
    if (!block)
        return;
    note(block, 0);
    size_t size = __wrap_malloc_usable_size(block);
    bool ours = is_ours(block);
    if (is_starting)
        memset(block, 0, size);
    if (!ours) {
        __real_free(block);
    } else if (!is_placed(block)) {
        *head(block) = 0;
        __real_free((unsigned char *)block - EDGE_HEAP_ALIGN_BYTES);
    }
}

/* While the program is started it counts as an allocation whether the block moves or not, in all runs alike; and a block
   that is to be smaller stays as large as it is, wherever it then lies. */
void *__wrap_realloc(void *block, size_t size)
{
    if (!block)
        return __wrap_malloc(size);
    if (!is_starting && !is_ours(block))
        return __real_realloc(block, size);
    size_t old = __wrap_malloc_usable_size(block);
    bool fits = size && size <= old;
    size_t wanted = fits && is_starting ? old : size;
    void *place = is_starting ? placed(wanted) : NULL;
    if (!place && fits) {
        note(block, old);
        return block;
    }
    void *moved = is_starting ? make(place, wanted) : __real_malloc(size);
    if (moved) {
        memcpy(moved, block, old < size ? old : size);
        __wrap_free(block);
    }
    return moved;
}
