/* What wasm2c's output needs of a runtime, for one engine with one memory at a fixed address. The names are wasm2c's. */
#ifndef WASM_RT_H_
#define WASM_RT_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define wasm_rt_memcpy __builtin_memcpy
#define wasm_rt_unreachable __builtin_unreachable

/* Accesses are not checked: see EDGE_ADDRESS. The loader's handler tells a trap from a cold page. */
#define WASM_RT_MEMCHECK_SIGNAL_HANDLER 1
/* The stack is the kernel's: its guard ends too deep a recursion. */
#define WASM_RT_USE_STACK_DEPTH_COUNT 0

/* EDGE_MEMORY_BASE, EDGE_MEMORY_BYTES_MAX and EDGE_GUARD_BYTES come from the target's `Layout`. */
#define EDGE_AT(addr) ((uint8_t*)(uintptr_t)(EDGE_MEMORY_BASE + (addr)))

#if UINTPTR_MAX > UINT32_MAX
/* Any address plus any offset ends in what is reserved. */
typedef uint64_t edge_address_t;
#define EDGE_ADDRESS(address, offset) ((uint64_t)(address) + (offset))
#else
/* The address is masked, once for all accesses by it; then an offset smaller than the guard cannot leave what is
 * reserved. Larger offsets are those of static data, mostly to constant addresses. */
typedef uint32_t edge_address_t;
#define EDGE_MASKED(address) ((uint32_t)(address) & (EDGE_MEMORY_BYTES_MAX - 1))
#define EDGE_IS_SMALL(offset) ((offset) <= EDGE_GUARD_BYTES - 16u)
#define EDGE_ADDRESS(address, offset) \
  (EDGE_IS_SMALL(offset) ? EDGE_MASKED(address) + (offset) : EDGE_MASKED((address) + (offset)))
#endif

typedef enum {
  WASM_RT_TRAP_NONE,
  WASM_RT_TRAP_OOB,
  WASM_RT_TRAP_INT_OVERFLOW,
  WASM_RT_TRAP_DIV_BY_ZERO,
  WASM_RT_TRAP_INVALID_CONVERSION,
  WASM_RT_TRAP_UNREACHABLE,
  WASM_RT_TRAP_CALL_INDIRECT,
  WASM_RT_TRAP_UNCAUGHT_EXCEPTION,
  WASM_RT_TRAP_EXHAUSTION,
} wasm_rt_trap_t;

typedef enum { WASM_RT_I32, WASM_RT_I64, WASM_RT_F32, WASM_RT_F64, WASM_RT_FUNCREF, WASM_RT_EXTERNREF } wasm_rt_type_t;

typedef void (*wasm_rt_function_ptr_t)(void);

typedef struct {
  uint32_t func_type;
  wasm_rt_function_ptr_t func;
  void* module_instance;
} wasm_rt_funcref_t;

static const wasm_rt_funcref_t wasm_rt_funcref_null_value = {0, NULL, NULL};

typedef void* wasm_rt_externref_t;
static const wasm_rt_externref_t wasm_rt_externref_null_value = NULL;

typedef struct {
  uint8_t* data;
  uint32_t pages, max_pages;
  /* 64 bits, unlike wasm2c's own: 4 GiB is a size too. */
  uint64_t size;
} wasm_rt_memory_t;

typedef struct {
  wasm_rt_funcref_t* data;
  uint32_t max_size;
  uint32_t size;
} wasm_rt_funcref_table_t;

typedef struct {
  wasm_rt_externref_t* data;
  uint32_t max_size;
  uint32_t size;
} wasm_rt_externref_table_t;

/* Implemented by the loader. */
__attribute__((noreturn)) void wasm_rt_trap(wasm_rt_trap_t);
uint32_t edge_memory_grow(uint32_t pages, uint32_t delta, uint32_t max_pages);

static inline uint32_t wasm_rt_grow_memory(wasm_rt_memory_t* memory, uint32_t delta) {
  uint32_t pages = memory->pages;
  if (edge_memory_grow(pages, delta, memory->max_pages) == UINT32_MAX) return UINT32_MAX;
  memory->pages = pages + delta;
  memory->size = (uint64_t)memory->pages << 16;
  return pages;
}

#endif
