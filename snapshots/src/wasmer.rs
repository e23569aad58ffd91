//! Wasm bytes → running guest, by `wasmer`: the only file that names the VM.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use edgepack_format::host_calls::{self, HostCall, Ty};
use edgepack_format::limits::CHUNK_BYTES;
use wasmer::sys::{Cranelift, EngineBuilder};
use wasmer::{
    AsStoreMut, AsStoreRef, Engine, Extern, Function, FunctionEnv, FunctionEnvMut, FunctionType, Global, Imports,
    Instance, Interrupter, Memory, Module, Mutability, RuntimeError, Store, StoreMut, Type, Value,
};

use crate::count::EXPORT_COUNT;
use crate::instrument::{ENTERED, EXPORT_PAGES, FUNCTIONS_MAX, GRANULE_BYTES, GUEST_BYTES_MAX, READS, WRITES};
use crate::machine::{Answer, Guest, Halt, Host};
use crate::touches::Touches;
use crate::{Error, Result};

/// Part of an artifact's name: what another version of the VM compiled must not be loaded.
pub(crate) const VM: &str = concat!("wasmer-7.2-cranelift-", env!("CARGO_PKG_VERSION"));

/// Native stack of the guest. JS recursion ends at the guest's own limit, well before this one.
const STACK_BYTES: usize = 64 << 20;

/// How often an interrupt is repeated until the guest has seen it: one that arrives inside a host call is kept.
const INTERRUPT_AGAIN: Duration = Duration::from_millis(20);

/// An engine as native code of this machine.
pub(crate) struct Compiled {
    engine: Engine,
    module: Module,
}

impl Compiled {
    /// Compiles the engine; the slow way, once per engine and machine.
    pub(crate) fn compile(wasm: &[u8]) -> Result<Compiled> {
        let engine = vm();
        let module = Module::new(&engine, wasm).map_err(|error| Error::Compile(error.to_string()))?;
        Ok(Compiled { engine, module })
    }

    /// The artifact, for the cache.
    pub(crate) fn artifact(&self) -> Result<Vec<u8>> {
        let bytes = self.module.serialize().map_err(|error| Error::Compile(error.to_string()))?;
        Ok(bytes.to_vec())
    }

    /// Loads what `artifact` gave; `None` if this machine cannot use it.
    ///
    /// # Safety
    /// The bytes must be an artifact made by this crate: they contain native code that will be run.
    pub(crate) unsafe fn from_artifact(bytes: &[u8]) -> Option<Compiled> {
        let engine = vm();
        // SAFETY: passed on to the caller.
        let module = unsafe { Module::deserialize(&engine, bytes) }.ok()?;
        Some(Compiled { engine, module })
    }

    /// The names of all exports.
    pub(crate) fn exports(&self) -> Vec<String> {
        self.module.exports().map(|export| export.name().to_owned()).collect()
    }

    /// A fresh instance whose host calls `host` answers.
    pub(crate) fn start<H: Host>(&self, host: H) -> Result<Running<H>> {
        let mut store = Store::new(self.engine.clone());
        let env = FunctionEnv::new(&mut store, Env { host: Some(host), exports: None });
        let imports = imports(&self.module, &mut store, &env)?;
        let instance =
            Instance::new(&mut store, &self.module, &imports).map_err(|error| Error::Compile(error.to_string()))?;
        let memory = instance.exports.get_memory("memory").map_err(|_| Error::MissingExport("memory"))?.clone();
        let functions: HashMap<String, Function> =
            instance.exports.iter().functions().map(|(name, f)| (name.clone(), f.clone())).collect();
        let is_watched = functions.contains_key(EXPORT_PAGES);
        let count = instance.exports.get_global(EXPORT_COUNT).ok().cloned();
        let exports = Arc::new(Exports { memory, functions, is_watched, count });
        env.as_mut(&mut store).exports = Some(Arc::clone(&exports));
        let globals = mutable_globals(&instance, &store);
        Ok(Running { store, env, exports, globals })
    }
}

fn vm() -> Engine {
    wasmer::sys::vm::set_stack_size(STACK_BYTES);
    let mut compiler = Cranelift::new();
    // NaN bits would otherwise differ between machines, and the heap holds NaN-boxed values.
    compiler.canonicalize_nans(true);
    EngineBuilder::new(compiler).engine().into()
}

fn mutable_globals(instance: &Instance, store: &Store) -> Vec<(String, Global)> {
    let mut globals: Vec<_> = instance
        .exports
        .iter()
        .globals()
        .filter(|(name, global)| name.as_str() != EXPORT_COUNT && global.ty(store).mutability == Mutability::Var)
        .map(|(name, global)| (name.clone(), global.clone()))
        .collect();
    globals.sort_by(|a, b| a.0.cmp(&b.0));
    globals
}

struct Exports {
    memory: Memory,
    functions: HashMap<String, Function>,
    /// Whether the engine is an instrumented one.
    is_watched: bool,
    /// What counts instructions.
    count: Option<Global>,
}

/// What a host function sees. `host` is away while it answers, so a host call made from inside a host call traps.
struct Env<H> {
    host: Option<H>,
    exports: Option<Arc<Exports>>,
}

fn imports<H: Host>(module: &Module, store: &mut Store, env: &FunctionEnv<Env<H>>) -> Result<Imports> {
    let mut imports = Imports::new();
    for import in module.imports() {
        let row = row(import.module(), import.name());
        let row = row.ok_or_else(|| Error::UnknownImport(format!("{}.{}", import.module(), import.name())))?;
        let function =
            Function::new_with_env(store, env, signature(row), move |context, args| host_call(row, context, args));
        imports.define(import.module(), import.name(), Extern::Function(function));
    }
    Ok(imports)
}

/// The host call behind an import. Rust's standard library seeds its hash maps through WASI, whose call for it has
/// the shape of ours.
fn row(module: &str, name: &str) -> Option<&'static HostCall> {
    match (module, name) {
        (host_calls::MODULE, name) => host_calls::find(name),
        ("wasi_snapshot_preview1", "random_get") => host_calls::find("random_fill"),
        _ => None,
    }
}

fn signature(row: &HostCall) -> FunctionType {
    let types = |types: &[Ty]| -> Vec<Type> {
        types.iter().map(|ty| if *ty == Ty::I32 { Type::I32 } else { Type::I64 }).collect()
    };
    FunctionType::new(types(row.params), types(row.results))
}

fn host_call<H: Host>(
    row: &'static HostCall,
    mut context: FunctionEnvMut<'_, Env<H>>,
    args: &[Value],
) -> std::result::Result<Vec<Value>, RuntimeError> {
    let (env, store) = context.data_and_store_mut();
    let (Some(mut host), Some(exports)) = (env.host.take(), env.exports.clone()) else {
        return Err(RuntimeError::new(format!("{} was called from inside a host call", row.name)));
    };
    let args: Vec<i64> = args.iter().map(from_value).collect();
    let answer = host.answer(row, &args, &mut Inside { store, exports: &exports });
    context.data_mut().host = Some(host);
    match answer {
        Answer::Result(result) => Ok(row.results.iter().map(|ty| to_value(*ty, result)).collect()),
        Answer::Stop => Err(RuntimeError::user(Box::new(Stopped))),
    }
}

#[derive(Debug)]
struct Stopped;

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("stopped by the host")
    }
}

impl std::error::Error for Stopped {}

fn from_value(value: &Value) -> i64 {
    match value {
        Value::I32(value) => i64::from(*value),
        Value::I64(value) => *value,
        _ => 0,
    }
}

/// The low bits, as wasm itself wraps.
fn low(value: i64) -> i32 {
    let [a, b, c, d, ..] = value.to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}

fn to_value(ty: Ty, value: i64) -> Value {
    match ty {
        Ty::I32 => Value::I32(low(value)),
        Ty::I64 => Value::I64(value),
    }
}

fn call_export(
    exports: &Exports,
    store: &mut impl AsStoreMut,
    name: &str,
    args: &[i64],
) -> std::result::Result<i64, Halt> {
    let Some(function) = exports.functions.get(name) else {
        return Err(Halt::Trapped(format!("the engine does not export {name}")));
    };
    let params = function.ty(store).params().to_vec();
    if params.len() != args.len() {
        return Err(Halt::Trapped(format!("{name} takes {} arguments", params.len())));
    }
    let values: Vec<Value> = params
        .iter()
        .zip(args)
        .map(|(ty, arg)| if *ty == Type::I32 { Value::I32(low(*arg)) } else { Value::I64(*arg) })
        .collect();
    match function.call(store, &values) {
        Ok(results) => Ok(results.first().map_or(0, from_value)),
        Err(error) if error.is::<Stopped>() => Err(Halt::Stopped),
        Err(error) => Err(Halt::Trapped(error.message())),
    }
}

fn read_memory(exports: &Exports, store: &impl AsStoreRef, at: u32, bytes: u32) -> Option<Vec<u8>> {
    let view = exports.memory.view(store);
    if u64::from(at) + u64::from(bytes) > view.data_size() {
        return None;
    }
    let mut out = vec![0; usize::try_from(bytes).ok()?];
    view.read(u64::from(at), &mut out).ok()?;
    note(exports, store, READS, at, out.len())?;
    Some(out)
}

fn write_memory(exports: &Exports, store: &impl AsStoreRef, at: u32, bytes: &[u8]) -> Option<()> {
    exports.memory.view(store).write(u64::from(at), bytes).ok()?;
    note(exports, store, WRITES, at, bytes.len())
}

fn counted(exports: &Exports, store: &mut impl AsStoreMut) -> u64 {
    exports.count.as_ref().map_or(0, |count| from_value(&count.get(store)).cast_unsigned())
}

/// What the host does to the memory of an instrumented guest is noted as the guest's own accesses are.
fn note(exports: &Exports, store: &impl AsStoreRef, plane: u32, at: u32, bytes: usize) -> Option<()> {
    if !exports.is_watched || bytes == 0 {
        return Some(());
    }
    let at = usize::try_from(at).ok()?;
    let (first, last) = (at / GRANULE_BYTES, (at + bytes - 1) / GRANULE_BYTES);
    let notes = vec![1; last - first + 1];
    exports.memory.view(store).write(u64::from(plane) + first as u64, &notes).ok()
}

/// The guest as a host call sees it.
struct Inside<'a> {
    store: StoreMut<'a>,
    exports: &'a Exports,
}

impl Guest for Inside<'_> {
    fn call(&mut self, export: &str, args: &[i64]) -> std::result::Result<i64, Halt> {
        call_export(self.exports, &mut self.store, export, args)
    }

    fn read(&mut self, at: u32, bytes: u32) -> Option<Vec<u8>> {
        read_memory(self.exports, &self.store, at, bytes)
    }

    fn write(&mut self, at: u32, bytes: &[u8]) -> Option<()> {
        write_memory(self.exports, &self.store, at, bytes)
    }

    fn counted(&mut self) -> u64 {
        counted(self.exports, &mut self.store)
    }
}

/// An instance between calls.
pub(crate) struct Running<H> {
    store: Store,
    env: FunctionEnv<Env<H>>,
    exports: Arc<Exports>,
    globals: Vec<(String, Global)>,
}

impl<H: Host> Running<H> {
    /// The host, to see what it has recorded.
    pub(crate) fn host(&mut self) -> Option<&mut H> {
        self.env.as_mut(&mut self.store).host.as_mut()
    }

    /// All of linear memory.
    pub(crate) fn memory(&self) -> Result<Vec<u8>> {
        let view = self.exports.memory.view(&self.store);
        view.copy_to_vec().map_err(|error| Error::Compile(error.to_string()))
    }

    /// The exported mutable globals, sorted by name.
    pub(crate) fn globals(&mut self) -> Vec<(String, i64)> {
        let store = &mut self.store;
        self.globals.iter().map(|(name, global)| (name.clone(), from_value(&global.get(store)))).collect()
    }

    /// Puts memory and globals back as they were captured, over what instantiation made.
    pub(crate) fn restore(&mut self, memory: &[u8], globals: &[(String, i64)]) -> Result<()> {
        self.make_room(memory.len())?;
        let view = self.exports.memory.view(&self.store);
        view.write(0, memory).map_err(|error| Error::Compile(error.to_string()))?;
        if globals.len() != self.globals.len() {
            return Err(Error::OtherEngine);
        }
        for ((name, value), (own, global)) in globals.iter().zip(&self.globals) {
            let ty = if global.ty(&self.store).ty == Type::I64 { Ty::I64 } else { Ty::I32 };
            if name != own || global.set(&mut self.store, to_value(ty, *value)).is_err() {
                return Err(Error::OtherEngine);
            }
        }
        Ok(())
    }

    /// Gives the guest memory of just that size.
    fn make_room(&mut self, bytes: usize) -> Result<()> {
        const TOO_LARGE: Error = Error::NotABaseImage("it is larger than the engine's memory may be");
        let bytes = u64::try_from(bytes).map_err(|_| TOO_LARGE)?;
        if self.exports.is_watched {
            let pages = i64::try_from(bytes / CHUNK_BYTES as u64).unwrap_or(i64::MAX);
            let set = self.call(EXPORT_PAGES, &[pages]);
            return if bytes > u64::from(GUEST_BYTES_MAX) || set.is_err() { Err(TOO_LARGE) } else { Ok(()) };
        }
        self.exports.memory.grow_at_least(&mut self.store, bytes).map_err(|_| TOO_LARGE)?;
        if self.exports.memory.view(&self.store).data_size() != bytes {
            return Err(Error::NotABaseImage("it is smaller than the engine's first memory"));
        }
        Ok(())
    }

    /// Whether the engine has this export.
    pub(crate) fn has(&self, export: &str) -> bool {
        self.exports.functions.contains_key(export)
    }

    /// What was touched of the first so many bytes since this instrumented guest was started.
    pub(crate) fn touches(&self, bytes: usize) -> Result<Touches> {
        let view = self.exports.memory.view(&self.store);
        let plane = |start: u32, notes: usize| {
            let mut notes = vec![0; notes];
            let read = view.read(start.into(), &mut notes);
            read.map(|()| notes).map_err(|error| Error::Compile(error.to_string()))
        };
        let granules = bytes / GRANULE_BYTES;
        Ok(Touches {
            reads: plane(READS, granules)?,
            writes: plane(WRITES, granules)?,
            entered: plane(ENTERED, FUNCTIONS_MAX as usize)?,
        })
    }

    /// Calls an export that must return within the budget.
    pub(crate) fn call_within(
        &mut self,
        budget: Duration,
        export: &str,
        args: &[i64],
    ) -> std::result::Result<i64, Halt> {
        let interrupter = self.store.interrupter();
        let late = AtomicBool::new(false);
        let (done, wait) = channel::<()>();
        let result = std::thread::scope(|scope| {
            let late = &late;
            scope.spawn(move || interrupt_late(&interrupter, budget, late, &wait));
            let result = call_export(&self.exports, &mut self.store, export, args);
            drop(done);
            result
        });
        match result {
            Err(Halt::Trapped(_)) if late.load(Ordering::Relaxed) => Err(Halt::OutOfTime),
            result => result,
        }
    }
}

fn interrupt_late(
    interrupter: &Interrupter,
    budget: Duration,
    late: &AtomicBool,
    done: &std::sync::mpsc::Receiver<()>,
) {
    let mut patience = budget;
    while done.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
        late.store(true, Ordering::Relaxed);
        interrupter.interrupt();
        patience = INTERRUPT_AGAIN;
    }
}

impl<H: Host> Guest for Running<H> {
    fn call(&mut self, export: &str, args: &[i64]) -> std::result::Result<i64, Halt> {
        call_export(&self.exports, &mut self.store, export, args)
    }

    fn read(&mut self, at: u32, bytes: u32) -> Option<Vec<u8>> {
        read_memory(&self.exports, &self.store, at, bytes)
    }

    fn write(&mut self, at: u32, bytes: &[u8]) -> Option<()> {
        write_memory(&self.exports, &self.store, at, bytes)
    }

    fn counted(&mut self) -> u64 {
        counted(&self.exports, &mut self.store)
    }
}
