/* QuickJS-ng with the few functions of ours that need its internals. `quickjs_hooked.h` is quickjs.c with the
   lines replaced that build.rs lists. */
#include "quickjs.h"
#ifdef __wasi__
bool edge_pools_blocks(void);
void edge_close_holes(void);
#else
#define edge_pools_blocks() true
#endif
static JSValue edge_bind_frame(JSContext *ctx, JSValueConst handler);
static void edge_store_stack(JSContext *ctx, JSValueConst error, JSValue stack);
static char *edge_share_source(JSContext *ctx, const char *text, size_t length);
static void edge_free_source(JSRuntime *rt, char *text);
static JSValue edge_keep_alive(JSContext *ctx, JSValueConst value);
#include "quickjs_hooked.h"

/* Text that lives as long as the engine: functions compiled from it point into it. */
static const char *edge_shared_text;
static size_t edge_shared_length;

/* Names that text. There is one, the app's bundle. */
void edge_set_shared_text(const char *text, uint32_t length)
{
    edge_shared_text = text;
    edge_shared_length = length;
}

static bool edge_is_shared(const char *text)
{
    return text && text >= edge_shared_text && text < edge_shared_text + edge_shared_length;
}

static char *edge_share_source(JSContext *ctx, const char *text, size_t length)
{
    return edge_is_shared(text) ? (char *)text : js_strndup(ctx, text, length);
}

static void edge_free_source(JSRuntime *rt, char *text)
{
    if (!edge_is_shared(text))
        js_free_rt(rt, text);
}

/* An error's stack, as V8 has it: call sites are taken when the error is made, and the own accessor `stack` formats them
   when it is first read. Both states are kept under private symbols, on whatever object the stack was captured. */
static JSAtom edge_sites_atom, edge_stack_atom;
static JSValue edge_stack_formatter;
static JSValue edge_stack_accessors[2];

/* Stands in build_backtrace, put there by build.rs. */
static void edge_store_stack(JSContext *ctx, JSValueConst error, JSValue stack)
{
    JSAtom atom = JS_IsArray(stack) ? edge_sites_atom : edge_stack_atom;
    if (JS_DefinePropertyValue(ctx, error, atom, stack, JS_PROP_C_W_E) < 0
        || JS_DefineProperty(ctx, error, JS_ATOM_stack, JS_UNDEFINED, edge_stack_accessors[0], edge_stack_accessors[1],
                             JS_PROP_HAS_GET | JS_PROP_HAS_SET | JS_PROP_HAS_CONFIGURABLE | JS_PROP_CONFIGURABLE
                             | JS_PROP_HAS_ENUMERABLE) < 0)
        JS_FreeValue(ctx, JS_GetException(ctx));
}

/* The object of the prototype chain that holds a stack in either state. */
static JSValue edge_stack_holder(JSContext *ctx, JSValueConst this_val)
{
    JSValue object = js_dup(this_val);
    while (JS_IsObject(object)) {
        JSObject *p = JS_VALUE_GET_OBJ(object);
        if (find_own_property1(p, edge_stack_atom) || find_own_property1(p, edge_sites_atom))
            return object;
        JSValue parent = p->class_id == JS_CLASS_PROXY ? JS_NULL : JS_GetPrototype(ctx, object);
        JS_FreeValue(ctx, object);
        object = parent;
    }
    JS_FreeValue(ctx, object);
    return JS_UNDEFINED;
}

static JSValue edge_stack_get(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    JSValue holder = edge_stack_holder(ctx, this_val);
    if (JS_IsUndefined(holder))
        return JS_UNDEFINED;
    JSValue stack;
    if (find_own_property1(JS_VALUE_GET_OBJ(holder), edge_stack_atom)) {
        stack = JS_GetProperty(ctx, holder, edge_stack_atom);
    } else {
        JSValue sites = JS_GetProperty(ctx, holder, edge_sites_atom);
        JSValueConst args[2] = { holder, sites };
        JS_DeleteProperty(ctx, holder, edge_sites_atom, 0);
        stack = JS_Call(ctx, edge_stack_formatter, JS_UNDEFINED, 2, args);
        JS_FreeValue(ctx, sites);
        if (!JS_IsException(stack)
            && JS_DefinePropertyValue(ctx, holder, edge_stack_atom, js_dup(stack), JS_PROP_C_W_E) < 0) {
            JS_FreeValue(ctx, stack);
            stack = JS_EXCEPTION;
        }
    }
    JS_FreeValue(ctx, holder);
    return stack;
}

static JSValue edge_stack_set(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    if (!JS_IsObject(this_val))
        return JS_UNDEFINED;
    JS_DeleteProperty(ctx, this_val, edge_sites_atom, 0);
    if (JS_DefinePropertyValue(ctx, this_val, edge_stack_atom, js_dup(argv[0]), JS_PROP_C_W_E) < 0)
        return JS_EXCEPTION;
    return JS_UNDEFINED;
}

static JSValue edge_keep_sites(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv)
{
    return js_dup(argv[1]);
}

static JSAtom edge_private_atom(JSContext *ctx, const char *description)
{
    JSValue text = js_new_string8_len(ctx, description, strlen(description));
    JSValue symbol = JS_NewSymbolInternal(ctx, JS_VALUE_GET_STRING(text), JS_ATOM_TYPE_PRIVATE);
    JSAtom atom = JS_ValueToAtom(ctx, symbol);
    JS_FreeValue(ctx, symbol);
    return atom;
}

/* From here on stacks are `formatter(error, callSites)`. The first call also has errors made with the accessor. */
void edge_set_stack_formatter(JSContext *ctx, JSValueConst formatter)
{
    if (!edge_sites_atom) {
        edge_sites_atom = edge_private_atom(ctx, "callSites");
        edge_stack_atom = edge_private_atom(ctx, "stack");
        edge_stack_accessors[0] = JS_NewCFunction(ctx, edge_stack_get, "stack", 0);
        edge_stack_accessors[1] = JS_NewCFunction(ctx, edge_stack_set, "stack", 1);
        edge_stack_formatter = JS_UNDEFINED;
        JS_FreeValue(ctx, ctx->error_prepare_stack);
        ctx->error_prepare_stack = JS_NewCFunction(ctx, edge_keep_sites, "", 2);
    }
    JS_FreeValue(ctx, edge_stack_formatter);
    edge_stack_formatter = js_dup(formatter);
}

static void edge_drop_source(JSContext *ctx, JSFunctionBytecode *b)
{
    edge_free_source(ctx->rt, b->source);
    b->source = NULL;
    b->source_len = 0;
}

/* Frees the source text kept for Function.prototype.toString of a compiled function and all functions inside it.
   Used for Node's own library only: its text would fill the base image. */
static void edge_strip_bytecode(JSContext *ctx, JSFunctionBytecode *b)
{
    edge_drop_source(ctx, b);
    for (int i = 0; i < b->cpool_count; i++) {
        if (JS_VALUE_GET_TAG(b->cpool[i]) == JS_TAG_FUNCTION_BYTECODE)
            edge_strip_bytecode(ctx, JS_VALUE_GET_PTR(b->cpool[i]));
    }
}

/* The file name of the app's functions. */
static JSAtom edge_app_file;

/* Frees the text of a bundle's main generator and of the generators it wraps modules in: nothing can ask for it, and
   each holds a copy of everything inside. */
void edge_strip_wrappers(JSContext *ctx, JSValueConst main)
{
    JSFunctionBytecode *b = JS_GetFunctionBytecode(main);
    if (!b)
        return;
    edge_app_file = b->filename;
    edge_drop_source(ctx, b);
    for (int i = 0; i < b->cpool_count; i++) {
        if (JS_VALUE_GET_TAG(b->cpool[i]) != JS_TAG_FUNCTION_BYTECODE)
            continue;
        JSFunctionBytecode *wrapper = JS_VALUE_GET_PTR(b->cpool[i]);
        if (wrapper->func_kind == JS_FUNC_GENERATOR)
            edge_drop_source(ctx, wrapper);
    }
}

void edge_strip_source(JSContext *ctx, JSValueConst function)
{
    if (JS_VALUE_GET_TAG(function) == JS_TAG_FUNCTION_BYTECODE) {
        edge_strip_bytecode(ctx, JS_VALUE_GET_PTR(function));
    } else if (JS_VALUE_GET_TAG(function) == JS_TAG_OBJECT) {
        JSObject *p = JS_VALUE_GET_OBJ(function);
        if (js_class_has_bytecode(p->class_id))
            edge_strip_bytecode(ctx, p->u.func.function_bytecode);
    }
}

/* Flattens a string (ropes included); other values come back as they are. The result is a new reference. */
JSValue edge_string_flat(JSContext *ctx, JSValueConst string)
{
    if (JS_VALUE_GET_TAG(string) == JS_TAG_STRING_ROPE)
        return js_linearize_string_rope(ctx, string);
    return js_dup(string);
}

/* The units of a flat string: Latin-1 bytes or UTF-16 units, valid while the string is alive. */
const void *edge_string_units(JSValueConst string, uint32_t *length, int *is_wide)
{
    JSString *p = JS_VALUE_GET_STRING(string);
    *length = p->len;
    *is_wide = p->is_wide_char;
    return p->is_wide_char ? (const void *)str16(p) : (const void *)str8(p);
}

JSValue edge_string_from_latin1(JSContext *ctx, const char *bytes, uint32_t length)
{
    return js_new_string8_len(ctx, bytes, length);
}

/* A symbol that reflection does not show, as V8's private symbols. */
JSValue edge_private_symbol(JSContext *ctx, const char *description, uint32_t length)
{
    JSValue text = js_new_string8_len(ctx, description, length);
    if (JS_IsException(text))
        return text;
    return JS_NewSymbolInternal(ctx, JS_VALUE_GET_STRING(text), JS_ATOM_TYPE_PRIVATE);
}

static JSValue edge_call_job(JSContext *ctx, int argc, JSValueConst *argv)
{
    return JS_Call(ctx, argv[0], JS_UNDEFINED, 0, NULL);
}

/* Puts a call of `callback` at the end of the microtask queue. */
int edge_enqueue_microtask(JSContext *ctx, JSValueConst callback)
{
    return JS_EnqueueJob(ctx, edge_call_job, 1, &callback);
}

/* The async context frame (V8: continuation-preserved embedder data) is one value that promise reactions carry from
   where `then` or `await` was to where they run. `edge_bind_frame` stands in perform_promise_then, put there by
   build.rs: a reaction registered outside any frame costs nothing. */
static JSValue edge_frame;

JSValue edge_get_frame(JSContext *ctx)
{
    return js_dup(edge_frame);
}

void edge_set_frame(JSContext *ctx, JSValueConst frame)
{
    JSValue old = edge_frame;
    edge_frame = js_dup(frame);
    JS_FreeValue(ctx, old);
}

static JSValue edge_call_in_frame(JSContext *ctx, JSValueConst this_val, int argc, JSValueConst *argv,
                                  int magic, JSValueConst *data)
{
    JSValue outer = edge_frame;
    edge_frame = js_dup(data[1]);
    JSValue result = JS_Call(ctx, data[0], JS_UNDEFINED, argc, argv);
    JS_FreeValue(ctx, edge_frame);
    edge_frame = outer;
    return result;
}

static JSValue edge_bind_frame(JSContext *ctx, JSValueConst handler)
{
    if (JS_IsUndefined(edge_frame) || JS_IsUndefined(handler))
        return js_dup(handler);
    JSValueConst data[2] = { handler, edge_frame };
    return JS_NewCFunctionData(ctx, edge_call_in_frame, 1, 0, 2, vc(data));
}

/* Calls a hook of Node's; a hook that throws must not break what it watches. */
static void edge_call_hook(JSContext *ctx, JSValueConst hook, int argc, JSValueConst *argv)
{
    if (JS_IsUndefined(hook))
        return;
    JSValue pending = JS_GetException(ctx);
    JSValue result = JS_Call(ctx, hook, JS_UNDEFINED, argc, argv);
    if (JS_IsException(result))
        JS_FreeValue(ctx, JS_GetException(ctx));
    else
        JS_FreeValue(ctx, result);
    if (!JS_IsUninitialized(pending))
        JS_Throw(ctx, pending);
}

static JSValue edge_rejection_hook;

static void edge_on_rejection(JSContext *ctx, JSValueConst promise, JSValueConst reason, bool is_handled, void *opaque)
{
    JSValueConst args[3] = { promise, reason, js_bool(is_handled) };
    edge_call_hook(ctx, edge_rejection_hook, 3, args);
}

/* `hook(promise, reason, isHandled)` is called for every promise rejected without a handler, and handled later. */
void edge_set_rejection_hook(JSContext *ctx, JSValueConst hook)
{
    edge_rejection_hook = js_dup(hook);
    JS_SetHostPromiseRejectionTracker(JS_GetRuntime(ctx), edge_on_rejection, NULL);
}

static JSValue edge_promise_hooks[2];

static void edge_on_promise(JSContext *ctx, JSPromiseHookType type, JSValueConst promise, JSValueConst parent, void *opaque)
{
    JSValueConst args[2] = { promise, parent };
    if (type == JS_PROMISE_HOOK_INIT)
        edge_call_hook(ctx, edge_promise_hooks[0], 2, args);
    else if (type == JS_PROMISE_HOOK_RESOLVE)
        edge_call_hook(ctx, edge_promise_hooks[1], 1, args);
}

/* Hooks for a promise's creation and settlement, or undefined. */
void edge_set_promise_hooks(JSContext *ctx, JSValueConst on_init, JSValueConst on_settled)
{
    JSValueConst hooks[2] = { on_init, on_settled };
    bool wanted = false;
    for (int i = 0; i < 2; i++) {
        JS_FreeValue(ctx, edge_promise_hooks[i]);
        edge_promise_hooks[i] = js_dup(hooks[i]);
        wanted |= !JS_IsUndefined(hooks[i]);
    }
    JS_SetPromiseHook(JS_GetRuntime(ctx), wanted ? edge_on_promise : NULL, NULL);
}

/* Called once, before any other function of this file. */
void edge_init(void)
{
    edge_frame = JS_UNDEFINED;
    edge_rejection_hook = JS_UNDEFINED;
    edge_promise_hooks[0] = JS_UNDEFINED;
    edge_promise_hooks[1] = JS_UNDEFINED;
}

#include "values.c"

static JSContext *edge_context;

/* The context whose stack `edge_backtrace_text` shows: there is one. */
void edge_set_context(JSContext *ctx)
{
    edge_context = ctx;
}

/* Writes the whole JavaScript stack, a line "    at name (file:line:column)" per function, as far as it fits; the
   number of bytes. Runs no JavaScript, so it can be asked for in the middle of a host call. */
uint32_t edge_backtrace_text(char *out, uint32_t capacity)
{
    DynBuf text;
    if (!edge_context)
        return 0;
    js_dbuf_init(edge_context, &text);
    for (JSStackFrame *sf = edge_context->rt->current_stack_frame; sf; sf = sf->prev_frame) {
        JSFunctionBytecode *b = JS_GetFunctionBytecode(sf->cur_func);
        if (!b || !sf->cur_pc || !b->filename)
            continue;
        int column = 0;
        int line = find_line_num(edge_context, b, sf->cur_pc - b->byte_code_buf - 1, &column);
        const char *file = JS_AtomToCString(edge_context, b->filename);
        const char *name = get_func_name(edge_context, sf->cur_func);
        dbuf_printf(&text, "    at %s (%s:%d:%d)\n", name && name[0] ? name : "<anonymous>", file ? file : "", line, column);
        JS_FreeCString(edge_context, name);
        JS_FreeCString(edge_context, file);
    }
    uint32_t length = text.size < capacity ? text.size : capacity;
    memcpy(out, text.buf, length);
    dbuf_free(&text);
    return length;
}

/* Whether a value is an ArrayBuffer or SharedArrayBuffer. */
int edge_is_buffer(JSValueConst value)
{
    JSClassID class_id = JS_GetClassID(value);
    return class_id == JS_CLASS_ARRAY_BUFFER || class_id == JS_CLASS_SHARED_ARRAY_BUFFER;
}

/* Whether a frame is a native function or the JavaScript that stands between one and Node's library. */
static int edge_is_own_frame(JSContext *ctx, JSStackFrame *frame)
{
    JSObject *p = JS_VALUE_GET_OBJ(frame->cur_func);
    if (!js_class_has_bytecode(p->class_id))
        return 1;
    const char *file = JS_AtomToCString(ctx, p->u.func.function_bytecode->filename);
    int is_own = file != NULL && strncmp(file, "edgepack:", 9) == 0;
    JS_FreeCString(ctx, file);
    return is_own;
}

/* An error as native code throws it: 0 Error, 1 TypeError, 2 RangeError. Its stack starts where our own code was
   entered, as that of an error that node's C++ throws. */
JSValue edge_new_error(JSContext *ctx, int kind, const char *message)
{
    static const JSErrorEnum kinds[] = { JS_PLAIN_ERROR, JS_TYPE_ERROR, JS_RANGE_ERROR };
    JSValue error = JS_MakeError2(ctx, kinds[kind], false, message);
    JSValueConst entered = JS_UNDEFINED;
    if (JS_IsException(error))
        return error;
    for (JSStackFrame *frame = ctx->rt->current_stack_frame; frame != NULL; frame = frame->prev_frame) {
        if (!edge_is_own_frame(ctx, frame))
            break;
        entered = frame->cur_func;
    }
    if (JS_IsUndefined(entered))
        build_backtrace(ctx, error, JS_UNDEFINED, NULL, 0, 0, 0);
    else
        build_backtrace(ctx, error, entered, NULL, 0, 0, JS_BACKTRACE_FLAG_FILTER_FUNC | JS_BACKTRACE_FLAG_SKIP_FIRST_LEVEL);
    return error;
}

/* Whether a proxy's trap that calls this native function was called to learn which properties are enumerable, and not
   for a value: by Object.keys, values and entries, by for-in and by spread, which read values afterwards themselves. */
int edge_lists_names(JSContext *ctx)
{
    JSStackFrame *native = ctx->rt->current_stack_frame;
    JSStackFrame *trap = native ? native->prev_frame : NULL;
    JSStackFrame *caller = trap ? trap->prev_frame : NULL;
    if (!caller)
        return 0;
    JSObject *p = JS_VALUE_GET_OBJ(caller->cur_func);
    if (js_class_has_bytecode(p->class_id))
        return 1;
    return p->class_id == JS_CLASS_C_FUNCTION && p->u.cfunc.c_function.generic_magic == js_object_keys;
}

/* The next collection comes when the heap has grown by half: what is there now was just collected, and walking it again
   at boot would bring every page of a snapshot into memory. */
void edge_relax_collection(JSContext *ctx)
{
    JSRuntime *rt = ctx->rt;
    JS_SetGCThreshold(rt, rt->malloc_state.malloc_size + rt->malloc_state.malloc_size / 2);
}

/* ECMAScript's KeepDuringJob: what a program has seen through a weak reference does not go away under its hands. */
static struct {
    JSValue *values;
    uint32_t count;
    uint32_t capacity;
} edge_kept;

static JSValue edge_keep_alive(JSContext *ctx, JSValueConst value)
{
    if (edge_kept.count == edge_kept.capacity) {
        uint32_t capacity = edge_kept.capacity ? 2 * edge_kept.capacity : 16;
        JSValue *values = js_realloc_rt(ctx->rt, edge_kept.values, capacity * sizeof(JSValue));
        /* Without memory it is no worse than a collection that comes early. */
        if (!values)
            return js_dup(value);
        edge_kept.values = values;
        edge_kept.capacity = capacity;
    }
    edge_kept.values[edge_kept.count++] = js_dup(value);
    return js_dup(value);
}

/* ECMAScript's ClearKeptObjects: a turn of the event loop has ended. */
void edge_release_kept(JSContext *ctx)
{
    while (edge_kept.count)
        JS_FreeValue(ctx, edge_kept.values[--edge_kept.count]);
}

/* What a snapshot holds. No collection walks these objects again, which would bring every page of it into memory: they
   count as referenced from outside, and what only they refer to stays alive. Their own counts are kept as ever, so
   one that loses its last reference is freed. */
static struct list_head edge_settled = LIST_HEAD_INIT(edge_settled);

/* Everything that is alive now belongs to the snapshot, and what comes will lie together. */
void edge_settle(JSContext *ctx)
{
    JSRuntime *rt = ctx->rt;
    if (!list_empty(&rt->gc_obj_list)) {
        struct list_head *first = rt->gc_obj_list.next, *last = rt->gc_obj_list.prev;
        struct list_head *end = edge_settled.prev;
        end->next = first;
        first->prev = end;
        last->next = &edge_settled;
        edge_settled.prev = last;
        init_list_head(&rt->gc_obj_list);
    }
    edge_relax_collection(ctx);
#ifdef __wasi__
    edge_close_holes();
#endif
}

/* Tells QuickJS where the stack starts now. Under WASI it would set no limit at all: but the guest's shadow stack is an
   ordinary stack with an end. */
void edge_update_stack(JSContext *ctx)
{
    JSRuntime *rt = ctx->rt;
    JS_UpdateStackTop(rt);
    rt->stack_limit = rt->stack_top - rt->stack_size;
}

#ifdef __wasi__
#include "audit.c"
#endif
