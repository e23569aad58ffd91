//! The engine compiled for the build host: `edge-native LIBRARY FILE [ARGS]` runs like `node FILE [ARGS]`; a FILE that
//! ends in `.pkg` is an encoded package of a bundled app.
//!
//! LIBRARY is the package that `engine/node/extract.js` writes. For development, and as an oracle beside the guest.

use std::process::ExitCode;

use edgepack_engine::exports;
use edgepack_format::guest::{Mode, Package};
use edgepack_format::policy::Grants;
use edgepack_stub::{Launch, native};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (Some(library), Some(file)) = (args.next(), args.next()) else { return ExitCode::from(2) };
    let Ok(library) = std::fs::read(library) else { return ExitCode::from(2) };
    let name = std::env::args_os().next().unwrap_or_default().into_encoded_bytes();
    let rest = args.map(String::into_bytes).collect();
    native::init_with(Grants::all(), Launch { name, args: rest });
    if call(exports::edge_bootstrap, &library) != 0 {
        return ExitCode::FAILURE;
    }
    let Ok(package) = package(&file) else { return ExitCode::from(2) };
    if call(exports::edge_load, &package) != 0 {
        return ExitCode::FAILURE;
    }
    u8::try_from(exports::edge_run()).map_or(ExitCode::FAILURE, ExitCode::from)
}

fn package(file: &str) -> std::io::Result<Vec<u8>> {
    if file.ends_with(".pkg") {
        return std::fs::read(file);
    }
    let entry = std::path::absolute(file)?.to_string_lossy().into_owned();
    Ok(Package { mode: Mode::Node, entry: &entry, script: "", positions: &[], files: Vec::new() }.encode())
}

fn call(export: unsafe extern "C" fn(*mut u8, usize) -> i32, input: &[u8]) -> i32 {
    let buffer = exports::edge_alloc(input.len());
    // SAFETY: `edge_alloc` returned memory of that length.
    unsafe { std::ptr::copy_nonoverlapping(input.as_ptr(), buffer, input.len()) };
    // SAFETY: the arguments are what `edge_alloc` returned and was given.
    unsafe { export(buffer, input.len()) }
}
