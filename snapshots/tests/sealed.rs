//! Sealed runs of a guest of a few letters: what is refused, recorded, assumed, and where the run stops.

use std::path::PathBuf;
use std::time::Duration;

use edgepack_format::container::{Effect, Guard};
use edgepack_format::guest::{Mode, Package};
use edgepack_format::policy::{Capability, Grants, Scope};
use edgepack_format::targets::find;
use edgepack_snapshots::{
    BaseImage, Ending, Engine, Error, Frozen, Position, Sealing, Snapshot, bootstrap, load, take, take_within,
};

fn wasm() -> Vec<u8> {
    wat::parse_str(include_str!("guest.wat")).expect("guest.wat is a module")
}

fn cache(test: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("snapshots").join(test)
}

fn engine(test: &str) -> Engine {
    let wasm = wasm();
    let base = bootstrap(&wasm, b"library").expect("the guest bootstraps");
    Engine::open(&wasm, &base.encode(), &cache(test)).expect("the guest is an engine")
}

fn package(script: &str) -> Package<'_> {
    Package { mode: Mode::Bundle, entry: "/app/main.js", script, positions: &[], files: Vec::new() }
}

fn snapshot(test: &str, script: &str, grants: &Grants) -> Snapshot {
    take_for("x64", test, script, grants)
}

fn take_for(target: &str, test: &str, script: &str, grants: &Grants) -> Snapshot {
    let sealing = Sealing { grants, frozen: &Frozen::default(), target: find(target) };
    take(&engine(test), &package(script), sealing).expect("a snapshot")
}

fn word(memory: &[u8], at: usize) -> i32 {
    i32::from_le_bytes(memory[at..at + 4].try_into().expect("four bytes"))
}

/// The result of the guest's last host call.
fn last_result(memory: &[u8]) -> i32 {
    word(memory, 84)
}

fn position(memory: &[u8]) -> i32 {
    word(memory, 64)
}

#[test]
fn start_up_without_a_barrier_is_captured_whole() {
    let snapshot = snapshot("whole", "wxkw", &Grants::default());
    assert_eq!(snapshot.ending, Ending::Completed);
    assert_eq!(position(&snapshot.loaded), 0);
    let started = snapshot.started.expect("started");
    assert_eq!(position(&started.memory), 4);
    let written = |text: &str| Effect::Write { handle: 1, bytes: text.as_bytes().to_vec() };
    assert_eq!(started.effects, [written("w1"), written("w4")]);
    assert_eq!(last_result(&started.memory), 2);
}

#[test]
fn an_assumed_answer_becomes_one_guard() {
    let started = snapshot("guard", "kkk", &Grants::default()).started.expect("started");
    assert_eq!(started.assumption.guards, [Guard { call: "stdio_kind".to_owned(), args: vec![1], result: 1 }]);
}

#[test]
fn the_machine_is_the_targets_and_a_guard() {
    for (target, machine) in [("x64", 62), ("arm64", 183)] {
        let started = take_for(target, "machine", "mm", &Grants::default()).started.expect("started");
        assert_eq!(
            started.assumption.guards,
            [Guard { call: "target_machine".to_owned(), args: vec![], result: machine }]
        );
        assert_eq!(i64::from(last_result(&started.memory)), machine);
    }
    assert_eq!(take_for("x64", "none", "w", &Grants::default()), take_for("arm64", "none", "w", &Grants::default()));
}

#[test]
fn the_run_is_suspended_before_the_step_of_the_first_barrier() {
    let grants = Grants { env: Scope::Some(vec!["PORT".to_owned()]), ..Grants::default() };
    let snapshot = snapshot("barrier", "xwewc", &grants);
    let Ending::Stopped(stop) = &snapshot.ending else { panic!("{:?}", snapshot.ending) };
    assert_eq!((stop.call.as_str(), stop.reason.as_str()), ("env_get", "process.env.PORT is granted"));
    assert_eq!(stop.positions, [Position { line: 3, column: 5 }]);
    let started = snapshot.started.expect("started");
    assert_eq!(position(&started.memory), 2, "the third step has not begun");
    assert_eq!(started.effects.len(), 1, "what the third step and later ones write is not recorded");
}

#[test]
fn a_barrier_in_the_first_step_keeps_what_was_done_before_it() {
    let snapshot = snapshot("first", "c", &Grants::default());
    let Ending::Stopped(stop) = &snapshot.ending else { panic!("{:?}", snapshot.ending) };
    assert_eq!(stop.reason, "the clock is read");
    assert_eq!(position(&snapshot.started.expect("suspended before the first step").memory), 0);
}

#[test]
fn what_is_not_granted_has_one_answer() {
    let run = |script| {
        let snapshot = snapshot("refused", script, &Grants::default());
        assert_eq!(snapshot.ending, Ending::Completed);
        last_result(&snapshot.started.expect("started").memory)
    };
    assert_eq!(run("e"), -2, "a variable that is not granted is unset");
    assert_eq!(run("f"), Capability::Read.denied());
    assert_eq!(run("d"), 4, "the directory is /app");
}

#[test]
fn a_granted_file_and_a_real_directory_are_barriers() {
    let stopped_by = |script, grants: &Grants| match snapshot("granted", script, grants).ending {
        Ending::Stopped(stop) => stop.reason,
        other => panic!("{other:?}"),
    };
    let some = Grants { read: Scope::Some(vec!["/data".to_owned()]), ..Grants::default() };
    assert_eq!(stopped_by("df", &some), "/data/config is opened");
    assert_eq!(stopped_by("df", &Grants::all()), "process.cwd() is read, with --allow-read for everything");
}

#[test]
fn variables_granted_by_name_are_assumed_to_be_set_when_they_are_listed() {
    let granting = |names: &[&str]| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Grants { env: Scope::Some(names), ..Grants::default() }
    };
    let started = snapshot("listed", "n", &granting(&["PORT", "HOST"])).started.expect("started");
    assert_eq!(started.memory[96..106], *b"HOST\0PORT\0");
    assert_eq!(started.assumption.guards, [Guard { call: "env_names".to_owned(), args: vec![0, 0], result: 10 }]);
    assert!(matches!(snapshot("listed", "n", &granting(&["NODE_*"])).ending, Ending::Stopped(_)));
    let none = snapshot("listed", "n", &Grants::default());
    assert_eq!((none.ending, none.started.expect("started").assumption.guards), (Ending::Completed, Vec::new()));
}

#[test]
fn an_exception_leaves_the_loaded_image_only() {
    let snapshot = snapshot("threw", "wt", &Grants::default());
    assert_eq!(snapshot.ending, Ending::Threw("    at <anonymous> (/app/main.js:2:5)".to_owned()));
    assert_eq!(snapshot.started, None);
    assert_eq!(position(&snapshot.loaded), 0);
}

#[test]
fn a_start_up_that_never_ends_is_cut_before_the_step_that_does_not() {
    let sealing = Sealing { grants: &Grants::default(), frozen: &Frozen::default(), target: None };
    let snapshot = take_within(Duration::from_millis(300), &engine("endless"), &package("wl"), sealing);
    let snapshot = snapshot.expect("a snapshot");
    let Ending::OutOfTime(stop) = &snapshot.ending else { panic!("{:?}", snapshot.ending) };
    assert_eq!(stop.reason, "it runs for more than 0.3 s");
    assert_eq!(position(&snapshot.started.expect("started").memory), 1);
}

#[test]
fn without_a_run_only_the_loaded_image_is_made() {
    let engine = engine("load");
    let sealing = Sealing { grants: &Grants::default(), frozen: &Frozen::default(), target: None };
    let snapshot = load(&engine, &package("w"), sealing).expect("loaded");
    assert_eq!((snapshot.started, snapshot.ending), (None, Ending::NotRun));
}

#[test]
fn two_runs_give_the_same_bytes() {
    let grants = Grants { env: Scope::All, ..Grants::default() };
    assert_eq!(snapshot("twice-1", "wkxwe", &grants), snapshot("twice-2", "wkxwe", &grants));
}

#[test]
fn an_artifact_that_was_damaged_is_made_again() {
    let folder = cache("damaged");
    // Artifacts of older engines may be there.
    let _ = std::fs::remove_dir_all(&folder);
    engine("damaged");
    let artifact = std::fs::read_dir(&folder).expect("the cache").next().expect("one file").expect("readable").path();
    let mut bytes = std::fs::read(&artifact).expect("the artifact");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&artifact, &bytes).expect("damaged");
    assert_eq!(snapshot("damaged", "x", &Grants::default()).ending, Ending::Completed);
    assert_ne!(std::fs::read(&artifact).expect("written again"), bytes);
}

#[test]
fn what_is_wrong_with_an_engine_is_said_in_a_sentence() {
    let engine = engine("wrong");
    let sealing = Sealing { grants: &Grants::default(), frozen: &Frozen::default(), target: None };
    let refused = |script| take(&engine, &package(script), sealing).expect_err("refused").to_string();
    assert_eq!(refused("wp"), "the engine met a bug of its own: broken");
    assert!(refused("wu").starts_with("the engine died in edge_start: "), "{}", refused("wu"));
    assert!(refused("").starts_with("the engine refuses the bundle: "), "{}", refused(""));

    let wasm = wasm();
    let base = bootstrap(&wasm, b"library").expect("base");
    let open = |wasm: &[u8], base: &[u8]| match Engine::open(wasm, base, &cache("wrong")) {
        Ok(_) => "opened".to_owned(),
        Err(error) => error.to_string(),
    };
    assert_eq!(open(b"\0asm\x01\0\0\0", &base.encode()), "the base image was made from another engine");
    assert_eq!(open(&wasm, &base.encode()[..100]), "the base image cannot be used: it is shorter than its head");
    let foreign = wat::parse_str(r#"(module (import "wasi" "x" (func)) (memory (export "memory") 1))"#).expect("wat");
    assert_eq!(
        bootstrap(&foreign, b"").expect_err("refused").to_string(),
        "the engine imports wasi.x, which is no host call"
    );
    let asks = r#"(module (import "edge" "process_id" (func $p (param i32) (result i32))) (memory (export "memory") 1)
        (func (export "edge_alloc") (param i32) (result i32) (i32.const 0))
        (func (export "edge_bootstrap") (param i32 i32) (result i32) (call $p (i32.const 0))))"#;
    let asks = bootstrap(&wat::parse_str(asks).expect("wat"), b"").expect_err("refused");
    assert!(matches!(asks, Error::BootstrapAsked { call: "process_id", .. }), "{asks}");
}

#[test]
fn a_base_image_reads_back_as_written() {
    let base = bootstrap(&wasm(), b"library").expect("base");
    assert_eq!(base.globals, [("__stack_pointer".to_owned(), 65536)]);
    assert_eq!(BaseImage::decode(&base.encode()).expect("decoded"), base);
}
