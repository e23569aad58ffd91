//! `edgepack-base-image ENGINE.wasm LIBRARY.pkg BASE.img`: an engine and Node's library → its base image, for `cargo xtask engine`.
#![expect(clippy::print_stderr, reason = "a command")]

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [engine, library, image] = args.as_slice() else {
        eprintln!("usage: edgepack-base-image ENGINE.wasm LIBRARY.pkg BASE.img");
        return ExitCode::from(2);
    };
    match make(engine, library, image) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn make(engine: &str, library: &str, image: &str) -> Result<(), String> {
    let read = |path: &str| std::fs::read(path).map_err(|error| format!("{path} cannot be read: {error}"));
    let (wasm, library) = (read(engine)?, read(library)?);
    let base = edgepack_snapshots::bootstrap(&wasm, &library).map_err(|error| match error.hint() {
        Some(hint) => format!("{error}\nhint: {hint}"),
        None => error.to_string(),
    })?;
    std::fs::write(image, base.encode()).map_err(|error| format!("{image} cannot be written: {error}"))
}
