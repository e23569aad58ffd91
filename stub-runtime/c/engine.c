/* The engine's one instance and what the loader asks of it. Included after wasm2c's output, whose static functions
 * and tables it uses, and after what xtask wrote of edge_table. */

Z_engine_instance_t edge_instance;

/* No data segments, no start function: memory comes from the image, this is everything else. */
void edge_engine_prepare(uint32_t pages, uint32_t max_pages, uint32_t stack_pointer) {
  edge_instance.w2c_memory.data = EDGE_AT(0);
  edge_instance.w2c_memory.pages = pages;
  edge_instance.w2c_memory.max_pages = max_pages;
  edge_instance.w2c_memory.size = (uint64_t)pages << 16;
  edge_instance.w2c_T0 = edge_t0;
  edge_instance.w2c___stack_pointer = stack_pointer;
}

uint32_t edge_engine_alloc(uint32_t bytes) { return Z_engineZ_edge_alloc(&edge_instance, bytes); }
uint32_t edge_engine_load(uint32_t pointer, uint32_t length) { return Z_engineZ_edge_load(&edge_instance, pointer, length); }
uint32_t edge_engine_run(void) { return Z_engineZ_edge_run(&edge_instance); }
