//! Starts Node's library in a new engine: what is in memory afterwards is the base image.

use rquickjs::{Ctx, Exception, Function, Object, Result, Value};

use edgepack_format::guest::Package;

use crate::bindings;
use crate::bindings::{builtins, errors};
use crate::host::{process, sockets, standard_streams, system};
use crate::js::{Call, function, internals};
use crate::{engine, library, places, script};

/// Runs node's bootstrap from a package that holds the skeleton (as its script) and, as files, the sources of Node's
/// library and of the engine's own scripts.
pub(crate) fn run(package: &Package<'_>) -> core::result::Result<(), String> {
    engine::create().map_err(|error| error.to_string())?;
    library::provide(&package.files);
    engine::with(|ctx| {
        let node: Object<'_> = ctx.json_parse(package.script)?.get()?;
        let natives = natives(ctx)?;
        own(ctx, "atomics")?.call::<_, Value<'_>>(())?;
        let make_skeletons = own(ctx, "skeleton")?;
        let bootstrap = own(ctx, "bootstrap")?;
        let shared: Object<'_> = bootstrap.call((natives.clone(), node, make_skeletons))?;
        let make_hooks = own(ctx, "startup-snapshot")?;
        shared.set("snapshotHooks", make_hooks.call::<_, Value<'_>>((shared.clone(),))?)?;
        let prepare = own(ctx, "prepare")?;
        let make_modules = own(ctx, "modules")?;
        prepare.call::<_, Value<'_>>((natives.clone(), shared.clone(), make_modules))?;
        let make_outputs = own(ctx, "standard-outputs")?;
        shared.set("decideOutputs", make_outputs.call::<_, Value<'_>>((natives.clone(), shared.clone()))?)?;
        let make_program = own(ctx, "program")?;
        engine::set_program(ctx, make_program.call((natives, shared))?);
        library::compile_rest(ctx)?;
        while internals::run_microtask(ctx)? {}
        ctx.run_gc();
        internals::settle(ctx);
        Ok(())
    })
}

/// One of the engine's own scripts.
fn own<'js>(ctx: &Ctx<'js>, name: &str) -> Result<Function<'js>> {
    let source = library::take_own(&format!("js/{name}"));
    let source =
        source.ok_or_else(|| Exception::throw_message(ctx, &format!("the library has no engine/js/{name}.js")))?;
    let function = script::evaluate_script(ctx, &format!("edgepack:{name}"), &source)?;
    internals::strip_source(function.as_value());
    Ok(function)
}

/// What the engine's own scripts may call.
fn natives<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let natives = Object::new(ctx.clone())?;
    natives.set("compile", function(ctx, "compile", 2, builtins::compile)?)?;
    natives.set("initBinding", function(ctx, "initBinding", 3, init_binding)?)?;
    natives.set("supportedIds", edgepack_format::builtins::SUPPORTED.to_vec())?;
    natives.set("privateSymbol", function(ctx, "privateSymbol", 1, private_symbol)?)?;
    natives.set("step", function(ctx, "step", 0, step)?)?;
    natives.set("isStopped", function(ctx, "isStopped", 0, is_stopped)?)?;
    natives.set("entry", function(ctx, "entry", 0, entry)?)?;
    natives.set("setStackFormatter", function(ctx, "setStackFormatter", 1, errors::set_stack_formatter)?)?;
    natives.set("originalPlace", function(ctx, "originalPlace", 3, places::original_place)?)?;
    natives.set("setThrown", function(ctx, "setThrown", 1, set_thrown)?)?;
    natives.set("writeError", function(ctx, "writeError", 1, write_error)?)?;
    natives.set("arch", function(ctx, "arch", 0, arch)?)?;
    natives.set("leaveSteps", function(ctx, "leaveSteps", 0, leave_steps)?)?;
    natives.set("assumeOutput", function(ctx, "assumeOutput", 1, assume_output)?)?;
    natives.set("terminalSize", function(ctx, "terminalSize", 1, terminal_size)?)?;
    natives.set("exit", function(ctx, "exit", 1, exit)?)?;
    Ok(natives)
}

fn init_binding<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    bindings::init(&call.ctx, &call.string(0)?, call.object(1)?, call.object(2)?)
}

fn private_symbol<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    internals::private_symbol(&call.ctx, &call.string(0)?)
}

fn set_thrown<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    engine::set_thrown(call.string(0)?);
    call.undefined()
}

fn write_error<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    process::write_error(&call.string(0)?);
    call.undefined()
}

fn arch<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(system::target().map_or("unknown", |target| target.node_arch))
}

/// (handle): whether it is an output of the usual kind; then its stream is made as a pipe's. -1 ends that.
fn assume_output<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(standard_streams::assume_output(call.i32(0)))
}

/// (handle): columns and rows, or nothing.
fn terminal_size<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(sockets::tty_size(call.i32(0)).ok().map(|size| size.to_vec()))
}

fn exit<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    process::exit(call.i32(0))
}

fn step<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(engine::step())
}

fn leave_steps<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    engine::leave_steps();
    call.undefined()
}

fn is_stopped<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(engine::is_stopped())
}

fn entry<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    Ok(engine::entry(&call.ctx)?.into_value())
}
