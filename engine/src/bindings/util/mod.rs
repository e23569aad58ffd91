//! `util`: what Node's library asks of the engine about values, stacks and standard streams.

mod parse_env;

use std::collections::BTreeMap;

use edgepack_format::host_calls::stdio_kind;
use rquickjs::convert::List;
use rquickjs::promise::PromiseState;

use crate::bindings::{Binding, Exports};
use crate::host::standard_streams;
use crate::js::values::{self, KeyFilter, Kind, StackFrame};
use crate::js::{Call, Ctx, Object, Result, Value, from_str};

pub(crate) const BINDING: Binding = Binding { name: "util", init };

/// Bits of V8's `PropertyFilter` that Node's library uses.
const ONLY_ENUMERABLE: u32 = 2;
const SKIP_SYMBOLS: u32 = 16;

/// How many frames are looked at unless the caller says.
const FRAMES_DEFAULT: usize = 10;

fn init(exports: &Exports<'_>) -> Result<()> {
    exports.function("getPromiseDetails", 0, get_promise_details)?;
    exports.function("markPromiseAsHandled", 0, mark_promise_as_handled)?;
    exports.function("getProxyDetails", 0, get_proxy_details)?;
    exports.function("previewEntries", 0, preview_entries)?;
    exports.function("getOwnNonIndexProperties", 0, get_own_non_index_properties)?;
    exports.helper("className", 1, class_name)?;
    exports.helper("isOrdinary", 1, is_ordinary)?;
    exports.function("getCallSites", 0, get_call_sites)?;
    exports.function("getCallerLocation", 0, get_caller_location)?;
    exports.function("isInsideNodeModules", 0, is_inside_node_modules)?;
    exports.function("parseEnv", 0, parse_env_text)?;
    exports.function("guessHandleType", 0, guess_handle_type)?;
    exports.function("arrayBufferViewHasBuffer", 0, array_buffer_view_has_buffer)?;
    Ok(())
}

/// `[state, result]`, the state alone while pending.
fn get_promise_details<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let value = call.arg(0);
    let Some(promise) = value.as_promise() else { return call.undefined() };
    let state = promise.state();
    let number = match state {
        PromiseState::Pending => return call.ret(vec![0]),
        PromiseState::Resolved => 1,
        PromiseState::Rejected => 2,
    };
    call.ret(List((number, values::promise_result(&value)?)))
}

fn mark_promise_as_handled<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    values::mark_promise_handled(&call.arg(0));
    call.undefined()
}

/// `[target, handler]`, or the target alone if the second argument is there and is not true.
fn get_proxy_details<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let Some(details) = values::proxy_details(&call.arg(0))? else { return call.undefined() };
    if call.len() == 1 || call.arg(1).as_bool() == Some(true) {
        return Ok(details);
    }
    details.as_array().map_or_else(|| call.undefined(), |pair| pair.get(0))
}

/// The entries; with a second argument `[entries, whether they are pairs]`.
fn preview_entries<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    match values::entries(&call.arg(0))? {
        None => call.undefined(),
        Some((entries, _)) if call.len() == 1 => Ok(entries),
        Some(pair) => call.ret(List(pair)),
    }
}

fn get_own_non_index_properties<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let bits = call.u32(1);
    let filter = KeyFilter { only_enumerable: bits & ONLY_ENUMERABLE != 0, skip_symbols: bits & SKIP_SYMBOLS != 0 };
    values::non_index_keys(&call.arg(0), filter)
}

fn class_name<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    values::class_name(&call.arg(0))
}

/// Whether looking at a property of the value runs no code of anyone's: it is no proxy.
fn is_ordinary<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(values::kind(&call.arg(0)) != Kind::Proxy)
}

/// The frames below the caller, which is Node's own `util.getCallSites`.
fn get_call_sites<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let sites = rquickjs::Array::new(call.ctx.clone())?;
    for index in 0..call.usize(0) {
        let Some(frame) = values::stack_frame(&call.ctx, index + 1)? else { break };
        sites.set(index, call_site(&call.ctx, frame)?)?;
    }
    call.ret(sites)
}

fn call_site<'js>(ctx: &Ctx<'js>, frame: StackFrame<'js>) -> Result<Object<'js>> {
    let site = Object::new(ctx.clone())?;
    site.set_prototype(None)?;
    site.set("functionName", frame.function)?;
    site.set("scriptId", "0")?;
    site.set("scriptName", frame.script)?;
    site.set("lineNumber", frame.line)?;
    site.set("columnNumber", frame.column)?;
    site.set("column", frame.column)?;
    Ok(site)
}

/// `[line, column, script]` of who called the function that calls this.
fn get_caller_location<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    match values::stack_frame(&call.ctx, 1)? {
        Some(frame) => call.ret(List((frame.line, frame.column, frame.script))),
        None => call.undefined(),
    }
}

/// Whether the innermost frame outside Node's library lies in a `node_modules` folder.
fn is_inside_node_modules<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let limit = if call.arg(0).is_number() { call.usize(0) } else { FRAMES_DEFAULT };
    for index in 0..limit {
        let Some(frame) = values::stack_frame(&call.ctx, index)? else { break };
        let script: String = frame.script.get()?;
        if script.is_empty() || script.starts_with("node:") {
            continue;
        }
        return call.ret(script.replace('\\', "/").contains("/node_modules/"));
    }
    call.ret(false)
}

fn parse_env_text<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let mut variables = BTreeMap::new();
    parse_env::parse(&call.string(0)?, &mut variables);
    let object = Object::new(call.ctx.clone())?;
    for (name, value) in variables {
        object.set(name, from_str(&call.ctx, &value)?)?;
    }
    call.ret(object)
}

/// An index into `['TCP', 'TTY', 'UDP', 'FILE', 'PIPE', 'UNKNOWN']`.
fn guess_handle_type<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(match standard_streams::kind(call.i32(0)) {
        stdio_kind::TCP => 0,
        stdio_kind::TTY => 1,
        stdio_kind::FILE => 3,
        stdio_kind::PIPE => 4,
        _ => 5,
    })
}

fn array_buffer_view_has_buffer<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(true)
}
