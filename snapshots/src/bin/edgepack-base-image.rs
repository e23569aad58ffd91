//! An engine and Node's library → its base image, for `cargo xtask engine`: with a third file to write, the log of its
//! allocations; with one to read, placed by that plan.
#![expect(clippy::print_stderr, reason = "a command")]

use std::process::ExitCode;

use edgepack_snapshots::{Error, bootstrap_placed, bootstrap_recorded};

const USAGE: &str = "usage: edgepack-base-image (record LOG | place PLAN) ENGINE.wasm LIBRARY.pkg BASE.img";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [what, file, engine, library, image] = args.as_slice() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match make(what, file, engine, library, image) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn make(what: &str, file: &str, engine: &str, library: &str, image: &str) -> Result<(), String> {
    let (wasm, library) = (read(engine)?, read(library)?);
    let base = match what {
        "record" => {
            let (base, log) = bootstrap_recorded(&wasm, &library).map_err(|error| told(&error))?;
            write(file, &log)?;
            base
        }
        "place" => bootstrap_placed(&wasm, &library, &read(file)?).map_err(|error| told(&error))?,
        _ => return Err(USAGE.to_owned()),
    };
    write(image, &base.encode())
}

fn told(error: &Error) -> String {
    match error.hint() {
        Some(hint) => format!("{error}\nhint: {hint}"),
        None => error.to_string(),
    }
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{path} cannot be read: {error}"))
}

fn write(path: &str, bytes: &[u8]) -> Result<(), String> {
    std::fs::write(path, bytes).map_err(|error| format!("{path} cannot be written: {error}"))
}
