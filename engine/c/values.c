/* What reflection in JavaScript cannot tell about values: read by `src/js/values.rs`. Included by engine.c, after
   QuickJS itself. */

/* The kinds, numbered as in `src/js/values.rs`. */
enum {
    EDGE_KIND_PRIMITIVE, EDGE_KIND_OTHER, EDGE_KIND_ERROR, EDGE_KIND_NUMBER, EDGE_KIND_STRING, EDGE_KIND_BOOLEAN,
    EDGE_KIND_SYMBOL, EDGE_KIND_BIG_INT, EDGE_KIND_ARGUMENTS, EDGE_KIND_DATE, EDGE_KIND_NAMESPACE,
    EDGE_KIND_GENERATOR_FUNCTION, EDGE_KIND_ASYNC_FUNCTION, EDGE_KIND_ASYNC_GENERATOR_FUNCTION, EDGE_KIND_GENERATOR,
    EDGE_KIND_REG_EXP, EDGE_KIND_ARRAY_BUFFER, EDGE_KIND_SHARED_ARRAY_BUFFER, EDGE_KIND_TYPED_ARRAY,
    EDGE_KIND_DATA_VIEW, EDGE_KIND_MAP, EDGE_KIND_SET, EDGE_KIND_WEAK_MAP, EDGE_KIND_WEAK_SET,
    EDGE_KIND_MAP_ITERATOR, EDGE_KIND_SET_ITERATOR, EDGE_KIND_PROXY, EDGE_KIND_PROMISE, EDGE_KIND_ARRAY,
    EDGE_KIND_PLAIN, EDGE_KIND_FUNCTION,
};

int edge_kind(JSContext *ctx, JSValueConst value)
{
    if (JS_VALUE_GET_TAG(value) != JS_TAG_OBJECT)
        return EDGE_KIND_PRIMITIVE;
    JSClassID id = JS_VALUE_GET_OBJ(value)->class_id;
    if (is_typed_array(id))
        return EDGE_KIND_TYPED_ARRAY;
    switch (id) {
    case JS_CLASS_OBJECT: return EDGE_KIND_PLAIN;
    case JS_CLASS_ARRAY: return EDGE_KIND_ARRAY;
    case JS_CLASS_ERROR: return EDGE_KIND_ERROR;
    case JS_CLASS_NUMBER: return EDGE_KIND_NUMBER;
    case JS_CLASS_STRING: return EDGE_KIND_STRING;
    case JS_CLASS_BOOLEAN: return EDGE_KIND_BOOLEAN;
    case JS_CLASS_SYMBOL: return EDGE_KIND_SYMBOL;
    case JS_CLASS_BIG_INT: return EDGE_KIND_BIG_INT;
    case JS_CLASS_ARGUMENTS:
    case JS_CLASS_MAPPED_ARGUMENTS: return EDGE_KIND_ARGUMENTS;
    case JS_CLASS_DATE: return EDGE_KIND_DATE;
    case JS_CLASS_MODULE_NS: return EDGE_KIND_NAMESPACE;
    case JS_CLASS_GENERATOR_FUNCTION: return EDGE_KIND_GENERATOR_FUNCTION;
    case JS_CLASS_ASYNC_FUNCTION: return EDGE_KIND_ASYNC_FUNCTION;
    case JS_CLASS_ASYNC_GENERATOR_FUNCTION: return EDGE_KIND_ASYNC_GENERATOR_FUNCTION;
    case JS_CLASS_GENERATOR:
    case JS_CLASS_ASYNC_GENERATOR: return EDGE_KIND_GENERATOR;
    case JS_CLASS_REGEXP: return EDGE_KIND_REG_EXP;
    case JS_CLASS_ARRAY_BUFFER: return EDGE_KIND_ARRAY_BUFFER;
    case JS_CLASS_SHARED_ARRAY_BUFFER: return EDGE_KIND_SHARED_ARRAY_BUFFER;
    case JS_CLASS_DATAVIEW: return EDGE_KIND_DATA_VIEW;
    case JS_CLASS_MAP: return EDGE_KIND_MAP;
    case JS_CLASS_SET: return EDGE_KIND_SET;
    case JS_CLASS_WEAKMAP: return EDGE_KIND_WEAK_MAP;
    case JS_CLASS_WEAKSET: return EDGE_KIND_WEAK_SET;
    case JS_CLASS_MAP_ITERATOR: return EDGE_KIND_MAP_ITERATOR;
    case JS_CLASS_SET_ITERATOR: return EDGE_KIND_SET_ITERATOR;
    case JS_CLASS_PROXY: return EDGE_KIND_PROXY;
    case JS_CLASS_PROMISE: return EDGE_KIND_PROMISE;
    default: break;
    }
    return JS_IsFunction(ctx, value) ? EDGE_KIND_FUNCTION : EDGE_KIND_OTHER;
}

/* The name of the engine's class of an object. */
JSValue edge_class_name(JSContext *ctx, JSValueConst object)
{
    return JS_AtomToString(ctx, ctx->rt->class_array[JS_VALUE_GET_OBJ(object)->class_id].class_name);
}

static JSValue edge_pair(JSContext *ctx, JSValueConst first, JSValueConst second)
{
    JSValueConst pair[2] = { first, second };
    return js_create_array(ctx, 2, pair);
}

/* [target, handler] of a proxy; nulls if it was revoked. */
JSValue edge_proxy_details(JSContext *ctx, JSValueConst proxy)
{
    JSProxyData *s = JS_GetOpaque(proxy, JS_CLASS_PROXY);
    if (s->is_revoked)
        return edge_pair(ctx, JS_NULL, JS_NULL);
    return edge_pair(ctx, s->target, s->handler);
}

/* Marks a promise as handled without telling the rejection tracker. */
void edge_promise_set_handled(JSValueConst promise)
{
    JSPromiseData *s = JS_GetOpaque(promise, JS_CLASS_PROMISE);
    s->is_handled = true;
}

static int edge_push_record(JSContext *ctx, JSValueConst array, uint32_t *count, JSMapRecord *record,
                            bool with_key, bool with_value)
{
    if (with_key && JS_SetPropertyUint32(ctx, array, (*count)++, js_dup(record->key)) < 0)
        return -1;
    if (with_value && JS_SetPropertyUint32(ctx, array, (*count)++, js_dup(record->value)) < 0)
        return -1;
    return 0;
}

/* What an iterator of a map or set will still give, without moving it. */
static JSValue edge_iterator_entries(JSContext *ctx, JSValueConst iterator, bool of_map, int *is_keyed)
{
    JSMapIteratorData *it = JS_VALUE_GET_OBJ(iterator)->u.map_iterator_data;
    JSValue array = JS_NewArray(ctx);
    uint32_t count = 0;
    *is_keyed = it->kind == JS_ITERATOR_KIND_KEY_AND_VALUE;
    if (JS_IsException(array) || JS_IsUndefined(it->obj))
        return array;
    JSMapState *s = JS_VALUE_GET_OBJ(it->obj)->u.map_state;
    struct list_head *el = it->cur_record ? it->cur_record->link.next : s->records.next;
    for (; el != &s->records; el = el->next) {
        JSMapRecord *record = list_entry(el, JSMapRecord, link);
        if (record->empty)
            continue;
        bool with_key = !of_map || it->kind != JS_ITERATOR_KIND_VALUE;
        bool with_value = of_map && it->kind != JS_ITERATOR_KIND_KEY;
        if (edge_push_record(ctx, array, &count, record, with_key, with_value) < 0)
            goto fail;
        if (!of_map && *is_keyed && edge_push_record(ctx, array, &count, record, true, false) < 0)
            goto fail;
    }
    return array;
fail:
    JS_FreeValue(ctx, array);
    return JS_EXCEPTION;
}

/* The entries of a map, set, weak map, weak set or of their iterators, in one flat array. */
JSValue edge_entries(JSContext *ctx, JSValueConst object, int *is_keyed)
{
    JSObject *p = JS_VALUE_GET_OBJ(object);
    *is_keyed = p->class_id == JS_CLASS_MAP || p->class_id == JS_CLASS_WEAKMAP;
    if (p->class_id == JS_CLASS_MAP_ITERATOR || p->class_id == JS_CLASS_SET_ITERATOR)
        return edge_iterator_entries(ctx, object, p->class_id == JS_CLASS_MAP_ITERATOR, is_keyed);
    JSValue array = JS_NewArray(ctx);
    if (JS_IsException(array))
        return array;
    uint32_t count = 0;
    struct list_head *el;
    list_for_each(el, &p->u.map_state->records) {
        JSMapRecord *record = list_entry(el, JSMapRecord, link);
        if (!record->empty && edge_push_record(ctx, array, &count, record, true, *is_keyed) < 0) {
            JS_FreeValue(ctx, array);
            return JS_EXCEPTION;
        }
    }
    return array;
}

/* Array of the own keys of an object that are no array indices. The elements of an array or typed array, of which
   there may be many, are not enumerated. */
JSValue edge_non_index_keys(JSContext *ctx, JSValueConst object, int only_enumerable, int skip_symbols)
{
    JSPropertyEnum *keys;
    uint32_t length, count = 0, index;
    JSObject *p = JS_VALUE_GET_OBJ(object);
    int flags = JS_GPN_STRING_MASK | (skip_symbols ? 0 : JS_GPN_SYMBOL_MASK) | (only_enumerable ? JS_GPN_ENUM_ONLY : 0);
    bool hide_elements = p->is_exotic && p->fast_array;
    if (hide_elements)
        p->is_exotic = 0;
    int failed = JS_GetOwnPropertyNamesInternal(ctx, &keys, &length, p, flags);
    if (hide_elements)
        p->is_exotic = 1;
    if (failed)
        return JS_EXCEPTION;
    JSValue array = JS_NewArray(ctx);
    for (uint32_t i = 0; i < length && !JS_IsException(array); i++) {
        if (JS_AtomIsArrayIndex(ctx, &index, keys[i].atom) && index != UINT32_MAX)
            continue;
        JSValue key = JS_AtomToValue(ctx, keys[i].atom);
        if (JS_IsException(key) || JS_SetPropertyUint32(ctx, array, count++, key) < 0) {
            JS_FreeValue(ctx, array);
            array = JS_EXCEPTION;
        }
    }
    js_free_prop_enum(ctx, keys, length);
    return array;
}

/* The JavaScript frame `index` counted from the innermost: 0 if there is none. Native frames do not count. */
int edge_stack_frame(JSContext *ctx, int index, JSValue *function, JSValue *script, int *line, int *column)
{
    for (JSStackFrame *sf = ctx->rt->current_stack_frame; sf != NULL; sf = sf->prev_frame) {
        if (JS_VALUE_GET_TAG(sf->cur_func) != JS_TAG_OBJECT)
            continue;
        JSObject *p = JS_VALUE_GET_OBJ(sf->cur_func);
        if (!js_class_has_bytecode(p->class_id) || index-- > 0)
            continue;
        JSFunctionBytecode *b = p->u.func.function_bytecode;
        *function = b->func_name ? JS_AtomToString(ctx, b->func_name) : js_new_string8_len(ctx, "", 0);
        *script = b->filename ? JS_AtomToString(ctx, b->filename) : js_new_string8_len(ctx, "", 0);
        *line = *column = 0;
        if (sf->cur_pc)
            *line = find_line_num(ctx, b, sf->cur_pc - b->byte_code_buf - 1, column);
        return 1;
    }
    return 0;
}

/* An ArrayBuffer whose bytes are whatever memory held before; JS_NULL if there is no memory. */
JSValue edge_unsafe_array_buffer(JSContext *ctx, size_t length)
{
    if (length > INT32_MAX)
        return JS_NULL;
    uint8_t *bytes = js_malloc_rt(ctx->rt, length > 0 ? length : 1);
    if (!bytes)
        return JS_NULL;
    JSValue buffer = JS_NewArrayBuffer(ctx, bytes, length, 0, js_array_buffer_realloc, NULL, false);
    if (JS_IsException(buffer))
        js_free_rt(ctx->rt, bytes);
    return buffer;
}
