/* QuickJS-ng with the few functions of ours that need its internals. Nothing of QuickJS is changed. */
#include "quickjs.c"

/* Frees the source text kept for Function.prototype.toString of a compiled function and all functions inside it.
   Used for Node's own library only: its text would fill the base image. */
static void edge_strip_bytecode(JSContext *ctx, JSFunctionBytecode *b)
{
    js_free(ctx, b->source);
    b->source = NULL;
    b->source_len = 0;
    for (int i = 0; i < b->cpool_count; i++) {
        if (JS_VALUE_GET_TAG(b->cpool[i]) == JS_TAG_FUNCTION_BYTECODE)
            edge_strip_bytecode(ctx, JS_VALUE_GET_PTR(b->cpool[i]));
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

#include "values.c"
