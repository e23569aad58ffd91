//! What reflection in JavaScript cannot tell about values, from `c/values.c`.

use core::ffi::c_int;
use core::sync::atomic::{AtomicUsize, Ordering};

use rquickjs::{Ctx, Error, Result, Value, qjs};

unsafe extern "C" {
    fn edge_kind(ctx: *mut qjs::JSContext, value: qjs::JSValue) -> c_int;
    fn edge_class_name(ctx: *mut qjs::JSContext, object: qjs::JSValue) -> qjs::JSValue;
    fn edge_proxy_details(ctx: *mut qjs::JSContext, proxy: qjs::JSValue) -> qjs::JSValue;
    fn edge_promise_set_handled(promise: qjs::JSValue);
    fn edge_entries(ctx: *mut qjs::JSContext, object: qjs::JSValue, is_keyed: *mut c_int) -> qjs::JSValue;
    fn edge_non_index_keys(
        ctx: *mut qjs::JSContext,
        object: qjs::JSValue,
        only_enumerable: c_int,
        skip_symbols: c_int,
    ) -> qjs::JSValue;
    fn edge_stack_frame(
        ctx: *mut qjs::JSContext,
        index: c_int,
        function: *mut qjs::JSValue,
        script: *mut qjs::JSValue,
        line: *mut c_int,
        column: *mut c_int,
    ) -> c_int;
    fn edge_unsafe_array_buffer(ctx: *mut qjs::JSContext, length: usize) -> qjs::JSValue;
}

/// What an object is to the engine, whatever its prototype says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Not an object.
    Primitive,
    /// An object of a class that no one asks about.
    Other,
    /// `Error` and its kin.
    Error,
    /// `Object(1)`.
    Number,
    /// `Object('')`.
    String,
    /// `Object(true)`.
    Boolean,
    /// `Object(Symbol())`.
    Symbol,
    /// `Object(1n)`.
    BigInt,
    /// `arguments`.
    Arguments,
    /// `Date`.
    Date,
    /// The namespace object of a module.
    Namespace,
    /// `function*`.
    GeneratorFunction,
    /// `async function`.
    AsyncFunction,
    /// `async function*`.
    AsyncGeneratorFunction,
    /// What a generator function returns.
    Generator,
    /// `RegExp`.
    RegExp,
    /// `ArrayBuffer`.
    ArrayBuffer,
    /// `SharedArrayBuffer`.
    SharedArrayBuffer,
    /// `Uint8Array` and its kin.
    TypedArray,
    /// `DataView`.
    DataView,
    /// `Map`.
    Map,
    /// `Set`.
    Set,
    /// `WeakMap`.
    WeakMap,
    /// `WeakSet`.
    WeakSet,
    /// What `map.entries()` returns.
    MapIterator,
    /// What `set.values()` returns.
    SetIterator,
    /// `Proxy`.
    Proxy,
    /// `Promise`.
    Promise,
    /// `Array`.
    Array,
    /// An ordinary object.
    Plain,
    /// Any other function.
    Function,
}

/// In the order of the numbers in `c/values.c`.
const KINDS: [Kind; 31] = [
    Kind::Primitive,
    Kind::Other,
    Kind::Error,
    Kind::Number,
    Kind::String,
    Kind::Boolean,
    Kind::Symbol,
    Kind::BigInt,
    Kind::Arguments,
    Kind::Date,
    Kind::Namespace,
    Kind::GeneratorFunction,
    Kind::AsyncFunction,
    Kind::AsyncGeneratorFunction,
    Kind::Generator,
    Kind::RegExp,
    Kind::ArrayBuffer,
    Kind::SharedArrayBuffer,
    Kind::TypedArray,
    Kind::DataView,
    Kind::Map,
    Kind::Set,
    Kind::WeakMap,
    Kind::WeakSet,
    Kind::MapIterator,
    Kind::SetIterator,
    Kind::Proxy,
    Kind::Promise,
    Kind::Array,
    Kind::Plain,
    Kind::Function,
];

/// The address of the one proxy that passes for a plain object; 0 for none.
static PLAIN_PROXY: AtomicUsize = AtomicUsize::new(0);

/// The kind of a value.
pub(crate) fn kind(value: &Value<'_>) -> Kind {
    // SAFETY: the value and its context are alive.
    let number = unsafe { edge_kind(context(value.ctx()), value.as_raw()) };
    match usize::try_from(number).ok().and_then(|number| KINDS.get(number).copied()).unwrap_or(Kind::Other) {
        Kind::Proxy if address(value) == PLAIN_PROXY.load(Ordering::Relaxed) => Kind::Plain,
        kind => kind,
    }
}

/// Lets a proxy that lives as long as the program pass for a plain object: node's `process.env` is an object with
/// interceptors.
pub(crate) fn pass_for_plain(proxy: &Value<'_>) {
    PLAIN_PROXY.store(address(proxy), Ordering::Relaxed);
}

fn address(value: &Value<'_>) -> usize {
    // SAFETY: reads the value's own word only.
    unsafe { qjs::JS_VALUE_GET_PTR(value.as_raw()) }.addr()
}

/// The name of the engine's class of an object, `Object` for a primitive.
pub(crate) fn class_name<'js>(value: &Value<'js>) -> Result<Value<'js>> {
    if !value.is_object() {
        return super::from_str(value.ctx(), "Object");
    }
    // SAFETY: the value is a live object.
    let raw = unsafe { edge_class_name(context(value.ctx()), value.as_raw()) };
    own(value.ctx(), raw)
}

/// `[target, handler]` if the value is a proxy.
pub(crate) fn proxy_details<'js>(value: &Value<'js>) -> Result<Option<Value<'js>>> {
    if kind(value) != Kind::Proxy {
        return Ok(None);
    }
    // SAFETY: the value is a live proxy.
    let raw = unsafe { edge_proxy_details(context(value.ctx()), value.as_raw()) };
    own(value.ctx(), raw).map(Some)
}

/// Marks a promise as handled, so that its rejection is never reported.
pub(crate) fn mark_promise_handled(value: &Value<'_>) {
    if kind(value) == Kind::Promise {
        // SAFETY: the value is a live promise.
        unsafe { edge_promise_set_handled(value.as_raw()) }
    }
}

/// What a promise was settled with; `undefined` while it is pending.
pub(crate) fn promise_result<'js>(value: &Value<'js>) -> Result<Value<'js>> {
    // SAFETY: the value is alive; QuickJS gives undefined for anything that is no promise.
    let raw = unsafe { qjs::JS_PromiseResult(context(value.ctx()), value.as_raw()) };
    own(value.ctx(), raw)
}

/// The entries of a collection or of an iterator of one in a flat array, and whether they are pairs.
pub(crate) fn entries<'js>(value: &Value<'js>) -> Result<Option<(Value<'js>, bool)>> {
    let has_entries = matches!(
        kind(value),
        Kind::Map | Kind::Set | Kind::WeakMap | Kind::WeakSet | Kind::MapIterator | Kind::SetIterator
    );
    if !has_entries {
        return Ok(None);
    }
    let mut is_keyed = 0;
    // SAFETY: the value is a live collection or iterator; the output is valid for writes.
    let raw = unsafe { edge_entries(context(value.ctx()), value.as_raw(), &raw mut is_keyed) };
    Ok(Some((own(value.ctx(), raw)?, is_keyed != 0)))
}

/// Which own keys are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyFilter {
    /// Only enumerable ones.
    pub(crate) only_enumerable: bool,
    /// No symbols.
    pub(crate) skip_symbols: bool,
}

/// An array of the own keys that are no array indices.
pub(crate) fn non_index_keys<'js>(value: &Value<'js>, filter: KeyFilter) -> Result<Value<'js>> {
    if !value.is_object() {
        return Err(Error::new_from_js(value.type_name(), "object"));
    }
    let (enumerable, no_symbols) = (c_int::from(filter.only_enumerable), c_int::from(filter.skip_symbols));
    // SAFETY: the value is a live object.
    let raw = unsafe { edge_non_index_keys(context(value.ctx()), value.as_raw(), enumerable, no_symbols) };
    own(value.ctx(), raw)
}

/// A frame of the JavaScript stack.
pub(crate) struct StackFrame<'js> {
    /// Name of the function, may be empty.
    pub(crate) function: Value<'js>,
    /// Name of the script.
    pub(crate) script: Value<'js>,
    /// Line, from 1.
    pub(crate) line: i32,
    /// Column, from 1.
    pub(crate) column: i32,
}

/// The frame `index`, counted from the innermost JavaScript function.
pub(crate) fn stack_frame<'js>(ctx: &Ctx<'js>, index: usize) -> Result<Option<StackFrame<'js>>> {
    let (mut function, mut script) = (qjs::JS_UNDEFINED, qjs::JS_UNDEFINED);
    let (mut line, mut column) = (0, 0);
    let index = c_int::try_from(index).unwrap_or(c_int::MAX);
    // SAFETY: the context is alive; the four outputs are valid for writes.
    let found = unsafe {
        edge_stack_frame(context(ctx), index, &raw mut function, &raw mut script, &raw mut line, &raw mut column)
    };
    if found == 0 {
        return Ok(None);
    }
    Ok(Some(StackFrame { function: own(ctx, function)?, script: own(ctx, script)?, line, column }))
}

/// An `ArrayBuffer` that is not zeroed; `null` if there is no memory for it.
pub(crate) fn unsafe_array_buffer<'js>(ctx: &Ctx<'js>, length: usize) -> Result<Value<'js>> {
    // SAFETY: the context is alive.
    let raw = unsafe { edge_unsafe_array_buffer(context(ctx), length) };
    own(ctx, raw)
}

fn context(ctx: &Ctx<'_>) -> *mut qjs::JSContext {
    ctx.as_raw().as_ptr()
}

fn own<'js>(ctx: &Ctx<'js>, raw: qjs::JSValue) -> Result<Value<'js>> {
    // SAFETY: the value is a new reference, or an exception.
    let value = unsafe { Value::from_raw(ctx.clone(), raw) };
    if value.is_exception() { Err(Error::Exception) } else { Ok(value) }
}
