/* What `edgepack audit` asks of the heap: which place of the app made a block, and what the block is part of. Included
   by engine.c, after QuickJS itself. Nothing here runs but in the engine of an audit. */

/* A place in the app's script: a program counter of a function, and what it stands for. */
struct edge_site {
    JSFunctionBytecode *function;
    uint32_t pc;
    /* As the function says of itself: another one may come to lie where it was. */
    uint32_t own_line;
    uint32_t own_column;
    uint32_t line;
    uint32_t column;
};

enum { EDGE_SITES_MAX = 1 << 16 };

/* A hash table, open addressing; a site's number is its slot. Slot 0 is for what the app did not make. */
static struct edge_site *edge_sites;

__attribute__((export_name("edge_audit_sites"))) struct edge_site *edge_audit_sites(void)
{
    return edge_sites;
}

void edge_note_sites(void)
{
    edge_sites = calloc(EDGE_SITES_MAX, sizeof *edge_sites);
}

static uint32_t edge_site_slot(JSContext *ctx, JSFunctionBytecode *b, uint32_t pc)
{
    uint32_t slot = ((uint32_t)(uintptr_t)b >> 4) * 0x9e3779b1u ^ pc * 0x85ebca6bu;
    for (uint32_t tries = 0; tries < 64; tries++, slot++) {
        slot &= EDGE_SITES_MAX - 1;
        slot += !slot;
        struct edge_site *site = &edge_sites[slot];
        if (!site->function) {
            int column;
            int line = find_line_num(ctx, b, pc, &column);
            *site = (struct edge_site){ b, pc, b->line_num, b->col_num, line, column };
            return slot;
        }
        if (site->function == b && site->pc == pc && site->own_line == (uint32_t)b->line_num
            && site->own_column == (uint32_t)b->col_num)
            return slot;
    }
    return 0;
}

/* The innermost place of the app that is running: its script is what the entry function was compiled from. */
uint32_t edge_running_site(void)
{
    JSContext *ctx = edge_context;
    if (!edge_sites || !ctx)
        return 0;
    for (JSStackFrame *frame = ctx->rt->current_stack_frame; frame; frame = frame->prev_frame) {
        JSObject *p = JS_VALUE_GET_TAG(frame->cur_func) == JS_TAG_OBJECT ? JS_VALUE_GET_OBJ(frame->cur_func) : NULL;
        if (!p || !js_class_has_bytecode(p->class_id))
            continue;
        JSFunctionBytecode *b = p->u.func.function_bytecode;
        if (b->filename != edge_app_file)
            continue;
        /* What has called nothing yet is told by its end: its beginning is the bundler's. */
        uint32_t pc = frame->cur_pc ? frame->cur_pc - b->byte_code_buf - 1 : b->byte_code_len - 1;
        return edge_site_slot(ctx, b, pc);
    }
    return 0;
}

/* A block, and the key of what it is part of: the constructor's object, or the number of a kind; with the highest bit if
   it is not the object itself. */
struct edge_part {
    uint32_t key;
    const void *block;
};

#define EDGE_PART_MORE 0x80000000u

enum { EDGE_PART_CODE = 1, EDGE_PART_VARIABLE, EDGE_PART_KINDS };

static struct {
    struct edge_part *rows;
    uint32_t count;
    uint32_t capacity;
} edge_parts;

static void edge_part(uint32_t key, const void *block)
{
    if (!block)
        return;
    if (edge_parts.count == edge_parts.capacity) {
        uint32_t capacity = edge_parts.capacity ? 2 * edge_parts.capacity : 1 << 14;
        struct edge_part *rows = realloc(edge_parts.rows, capacity * sizeof *rows);
        if (!rows)
            return;
        edge_parts.rows = rows;
        edge_parts.capacity = capacity;
    }
    edge_parts.rows[edge_parts.count++] = (struct edge_part){ key, block };
}

/* The own property of an object, if it is a plain value. */
static JSValueConst edge_plain(JSObject *p, JSAtom atom)
{
    JSProperty *property;
    JSShapeProperty *shape = find_own_property(&property, p, atom);
    return shape && !(shape->flags & JS_PROP_TMASK) ? property->u.value : JS_UNDEFINED;
}

static uint32_t edge_key(JSObject *p)
{
    JSObject *proto = p->shape->proto;
    JSValueConst constructor = proto ? edge_plain(proto, JS_ATOM_constructor) : JS_UNDEFINED;
    return JS_IsObject(constructor) ? (uint32_t)(uintptr_t)JS_VALUE_GET_OBJ(constructor) : EDGE_PART_KINDS;
}

static void edge_map_parts(uint32_t key, JSMapState *map)
{
    struct list_head *el;
    if (!map)
        return;
    key |= EDGE_PART_MORE;
    edge_part(key, map);
    edge_part(key, map->hash_table);
    list_for_each(el, &map->records)
        edge_part(key, list_entry(el, JSMapRecord, link));
}

static void edge_object_parts(JSObject *p)
{
    uint32_t key = edge_key(p);
    edge_part(key, p);
    key |= EDGE_PART_MORE;
    edge_part(key, p->prop);
    switch (p->class_id) {
    case JS_CLASS_ARRAY:
    case JS_CLASS_ARGUMENTS:
        if (p->fast_array)
            edge_part(key, p->u.array.u.values);
        break;
    case JS_CLASS_BYTECODE_FUNCTION:
        edge_part(key, p->u.func.var_refs);
        break;
    case JS_CLASS_ARRAY_BUFFER:
        edge_part(key, p->u.array_buffer);
        edge_part(key, p->u.array_buffer ? p->u.array_buffer->data : NULL);
        break;
    case JS_CLASS_MAP:
    case JS_CLASS_SET:
    case JS_CLASS_WEAKMAP:
    case JS_CLASS_WEAKSET:
        edge_map_parts(key, p->u.map_state);
        break;
    default:
        if (is_typed_array(p->class_id))
            edge_part(key, p->u.typed_array);
    }
}

static void edge_parts_of(struct list_head *list)
{
    struct list_head *el;
    list_for_each(el, list) {
        JSGCObjectHeader *header = list_entry(el, JSGCObjectHeader, link);
        switch (JS_GC_TYPE(header)) {
        case JS_GC_OBJ_TYPE_JS_OBJECT:
            edge_object_parts((JSObject *)header);
            break;
        case JS_GC_OBJ_TYPE_FUNCTION_BYTECODE:
            edge_part(EDGE_PART_CODE, header);
            break;
        case JS_GC_OBJ_TYPE_VAR_REF:
            edge_part(EDGE_PART_VARIABLE, header);
            break;
        default:
            break;
        }
    }
}

/* What each block is part of; `edge_audit_part_count` rows. */
__attribute__((export_name("edge_audit_parts"))) struct edge_part *edge_audit_parts(void)
{
    edge_parts_of(&edge_context->rt->gc_obj_list);
    edge_parts_of(&edge_settled);
    return edge_parts.rows;
}

__attribute__((export_name("edge_audit_part_count"))) uint32_t edge_audit_part_count(void)
{
    return edge_parts.count;
}

/* A key's name as far as it fits; the length. */
__attribute__((export_name("edge_audit_name"))) uint32_t edge_audit_name(uint32_t key, char *out, uint32_t capacity)
{
    const char *name = NULL;
    JSContext *ctx = edge_context;
    if (key == EDGE_PART_CODE || key == EDGE_PART_VARIABLE || key == EDGE_PART_KINDS) {
        static const char *const kinds[] = { "", "(code)", "(variables of closures)", "(no constructor)" };
        return snprintf(out, capacity, "%s", kinds[key]);
    }
    JSValueConst text = edge_plain((JSObject *)(uintptr_t)key, JS_ATOM_name);
    if (JS_IsString(text))
        name = JS_ToCString(ctx, text);
    uint32_t length = snprintf(out, capacity, "%s", name && *name ? name : "(anonymous)");
    JS_FreeCString(ctx, name);
    return length;
}
