//! Every host call is answered while sealed as its row of the table says: granted, and not granted.

use std::path::PathBuf;

use edgepack_format::container::{Effect, Guard};
use edgepack_format::guest::{Mode, Package};
use edgepack_format::host_calls::{HOST_CALLS, HostCall, Needs, Sealed, Ty};
use edgepack_format::policy::{Capability, Grants};
use edgepack_format::targets::find;
use edgepack_snapshots::{Ending, Engine, Error, Frozen, Result, Sealing, Snapshot, bootstrap, take};

/// Where the guest leaves the result of its call.
const RESULT: usize = 512;

/// A guest whose start-up is one step, and that step one call with zeros.
fn guest(row: &HostCall) -> String {
    let types =
        |types: &[Ty]| -> String { types.iter().map(|ty| if *ty == Ty::I32 { " i32" } else { " i64" }).collect() };
    let zeros: String =
        row.params.iter().map(|ty| if *ty == Ty::I32 { "(i32.const 0)" } else { "(i64.const 0)" }).collect();
    let call = format!("(call $call {zeros})");
    let kept = match row.results {
        [Ty::I32] => format!("(i64.store (i32.const {RESULT}) (i64.extend_i32_s {call}))"),
        [Ty::I64] => format!("(i64.store (i32.const {RESULT}) {call})"),
        _ => call,
    };
    let (params, results) = (types(row.params), types(row.results));
    format!(
        r#"(module
          (import "edge" "{}" (func $call (param{params}) (result{results})))
          (memory (export "memory") 1)
          (global $steps (mut i64) (i64.const 0))
          (func (export "edge_alloc") (param i32) (result i32) (i32.const 4096))
          (func (export "edge_bootstrap") (param i32 i32) (result i32) (i32.const 0))
          (func (export "edge_load") (param i32 i32) (result i32) (i32.const 0))
          (func (export "edge_steps") (result i64) (i64.sub (global.get $steps) (i64.const 1)))
          (func (export "edge_backtrace") (param i32 i32) (result i32) (i32.const 0))
          (func (export "edge_start") (param $stop_at i64) (result i32)
            (if (i64.eqz (local.get $stop_at)) (then (return (i32.const 0))))
            (global.set $steps (i64.const 1))
            {kept}
            (i32.const 1)))"#,
        row.name
    )
}

fn taken(row: &HostCall, grants: &Grants, target: Option<&str>) -> Result<Snapshot> {
    let wasm = wat::parse_str(guest(row)).expect("a module");
    let base = bootstrap(&wasm, b"library")?;
    let cache = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("policy").join(row.name);
    let engine = Engine::open(&wasm, &base.encode(), &cache)?;
    let package = Package { mode: Mode::Bundle, entry: "/app/main.js", script: "x", positions: &[], files: Vec::new() };
    let frozen = Frozen::default();
    take(&engine, &package, Sealing { grants, frozen: &frozen, target: target.and_then(find) })
}

/// How the call came out.
#[derive(Debug, PartialEq)]
enum Outcome {
    Result(i64),
    Recorded(Effect),
    Assumed(Guard),
    Stopped(String),
    Panicked,
}

fn outcome(taken: Result<Snapshot>) -> Outcome {
    let snapshot = match taken {
        Err(Error::Panicked(_)) => return Outcome::Panicked,
        other => other.expect("a snapshot"),
    };
    let started = snapshot.started.expect("started");
    match snapshot.ending {
        Ending::Stopped(stop) => Outcome::Stopped(stop.call),
        _ if !started.effects.is_empty() => Outcome::Recorded(started.effects[0].clone()),
        _ if !started.assumption.guards.is_empty() => Outcome::Assumed(started.assumption.guards[0].clone()),
        _ => Outcome::Result(i64::from_le_bytes(started.memory[RESULT..RESULT + 8].try_into().expect("8 bytes"))),
    }
}

/// What the table says of a call that is granted.
fn expected(row: &HostCall) -> Outcome {
    let args = vec![0; row.params.len()];
    let guard = |result| Outcome::Assumed(Guard { call: row.name.to_owned(), args: args.clone(), result });
    match row.sealed {
        Sealed::Constant(_) if row.name == "program_panic" => Outcome::Panicked,
        Sealed::Constant(result) => Outcome::Result(result),
        Sealed::Deferred if row.name == "stdio_write" => {
            Outcome::Recorded(Effect::Write { handle: 0, bytes: Vec::new() })
        }
        Sealed::Deferred => Outcome::Recorded(Effect::Call { name: row.name.to_owned(), args }),
        Sealed::Assumed(result) => guard(result),
        Sealed::Target => guard(62),
        Sealed::Barrier => Outcome::Stopped(row.name.to_owned()),
    }
}

/// What it says of one that is not.
fn refused(row: &HostCall) -> Outcome {
    let denied = |capability: Capability| Outcome::Result(capability.denied().into());
    match row.needs {
        Needs::Nothing if row.name == "cwd_get" => Outcome::Result(4),
        Needs::Nothing if row.name == "env_names" => Outcome::Result(0),
        // A signal to oneself needs no grant, and of two paths either may be refused: only boot can tell.
        Needs::Nothing | Needs::Run => expected(row),
        Needs::Write if row.name == "path_copy" => expected(row),
        Needs::Env => Outcome::Result(-2),
        Needs::Read | Needs::Open => denied(Capability::Read),
        Needs::Write => denied(Capability::Write),
        Needs::Net => denied(Capability::Net),
        Needs::Sys => denied(Capability::Sys),
    }
}

#[test]
fn every_call_is_answered_as_its_row_says() {
    for row in HOST_CALLS {
        assert_eq!(outcome(taken(row, &Grants::all(), Some("x64"))), expected(row), "{}, granted", row.name);
        assert_eq!(outcome(taken(row, &Grants::default(), Some("x64"))), refused(row), "{}, not granted", row.name);
        if row.sealed == Sealed::Target {
            let undecided = outcome(taken(row, &Grants::all(), None));
            assert_eq!(undecided, Outcome::Stopped(row.name.to_owned()), "{}, for no machine", row.name);
        }
    }
}
