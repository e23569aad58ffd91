//! Loads an app, runs its sealed start-up, and runs it in the process that it is for.

use rquickjs::{FromJs, Function, Object, Value};

use edgepack_format::guest::{Mode, Package, STATUS_THREW};

use crate::js::internals;
use crate::{app_files, engine, places, script};

type Outcome<T> = core::result::Result<T, String>;

/// Compiles the app's script and takes its files; evaluates nothing of it.
pub(crate) fn load(package: &Package<'_>) -> Outcome<()> {
    engine::with(|ctx| {
        let program = engine::program(ctx)?;
        let configure: Function<'_> = program.get("configure")?;
        let mode = match package.mode {
            Mode::Bundle => "bundle",
            Mode::ModuleBundle => "module",
            Mode::Node => "node",
        };
        configure.call::<_, Value<'_>>((mode, package.entry))?;
        app_files::install(package.files.iter().copied());
        places::install(package.entry, package.positions);
        if package.mode != Mode::Node {
            let entry = script::evaluate_bundle(ctx, package.entry, package.script)?;
            internals::strip_wrappers(entry.as_value());
            engine::set_entry(ctx, entry);
        }
        internals::relax_collection(ctx);
        Ok(())
    })
}

/// Runs start-up sealed, up to step `stop_at`; a status of `edgepack_format::guest`.
pub(crate) fn start(stop_at: i64) -> Outcome<i32> {
    engine::set_stop(stop_at);
    let status = call("start")?;
    if status != STATUS_THREW {
        engine::with(|ctx| {
            ctx.run_gc();
            internals::settle(ctx);
            Ok(())
        })?;
    }
    engine::set_stop(-1);
    Ok(status)
}

/// Runs the program to its end; the exit code.
pub(crate) fn run() -> Outcome<i32> {
    internals::end_start_up();
    call("run")
}

/// The kinds of what the program has open, a line each.
pub(crate) fn resources() -> Outcome<String> {
    call("resources")
}

fn call<T: for<'js> FromJs<'js>>(method: &str) -> Outcome<T> {
    engine::with(|ctx| {
        let program: Object<'_> = engine::program(ctx)?;
        let function: Function<'_> = program.get(method)?;
        function.call(())
    })
}
