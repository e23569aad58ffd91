/* quickjs-ng as it is, compiled for the target: runs one script that has `print`. */
#include <stdio.h>
#include <stdlib.h>
#include "quickjs.h"

static JSValue print(JSContext *ctx, JSValueConst this_value, int argc, JSValueConst *argv)
{
    for (int i = 0; i < argc; i++) {
        const char *text = JS_ToCString(ctx, argv[i]);
        if (!text)
            return JS_EXCEPTION;
        fputs(text, stdout);
        JS_FreeCString(ctx, text);
    }
    putchar('\n');
    return JS_UNDEFINED;
}

int main(int argc, char **argv)
{
    static char script[1 << 20];
    FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
    if (!file)
        return 2;
    size_t length = fread(script, 1, sizeof script - 1, file);
    JSContext *ctx = JS_NewContext(JS_NewRuntime());
    JSValue global = JS_GetGlobalObject(ctx);
    JS_SetPropertyStr(ctx, global, "print", JS_NewCFunction(ctx, print, "print", 1));
    JSValue result = JS_Eval(ctx, script, length, argv[1], JS_EVAL_TYPE_GLOBAL);
    return JS_IsException(result);
}
