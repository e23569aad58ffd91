//! `edgepack-base-image ENGINE.wasm BASE.img`: an engine → its base image, for `cargo xtask engine`.
#![expect(clippy::print_stderr, reason = "a command")]

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [engine, image] = args.as_slice() else {
        eprintln!("usage: edgepack-base-image ENGINE.wasm BASE.img");
        return ExitCode::from(2);
    };
    match make(engine, image) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn make(engine: &str, image: &str) -> Result<(), String> {
    let wasm = std::fs::read(engine).map_err(|error| format!("{engine} cannot be read: {error}"))?;
    let base = edgepack_snapshots::bootstrap(&wasm).map_err(|error| match error.hint() {
        Some(hint) => format!("{error}\nhint: {hint}"),
        None => error.to_string(),
    })?;
    std::fs::write(image, base.encode()).map_err(|error| format!("{image} cannot be written: {error}"))
}
