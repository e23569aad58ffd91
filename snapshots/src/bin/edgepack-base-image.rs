//! An engine, Node's library, and small programs → the base image, and what boots of the programs need, for `cargo xtask
//! engine`: a file with a line `PAGE COUNT` for each page of the image that they touch, and one with a line
//! `FUNCTION COUNT` for each function of the engine that they enter.
#![expect(clippy::print_stderr, reason = "a command")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use edgepack_snapshots::{Error, base_image};

const USAGE: &str = "usage: edgepack-base-image ENGINE.wasm LIBRARY.pkg FOLDER PROGRAM.js…";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [engine, library, folder, programs @ ..] = args.as_slice() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match make(engine, library, Path::new(folder), programs) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn make(engine: &str, library: &str, folder: &Path, programs: &[String]) -> Result<(), String> {
    let (wasm, library) = (read(engine)?, read(library)?);
    let texts = programs.iter().map(|path| text(path)).collect::<Result<Vec<String>, String>>()?;
    let scripts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let (base, heat) =
        base_image(&wasm, &library, &scripts, folder.parent().unwrap_or(folder)).map_err(|error| told(&error))?;
    write(&folder.join("base.img"), &base.encode())?;
    write(&folder.join("heat"), lines(&heat.pages).as_bytes())?;
    write(&folder.join("entered"), lines(&heat.functions).as_bytes())
}

fn lines(counts: &BTreeMap<u32, u32>) -> String {
    counts.iter().map(|(number, count)| format!("{number} {count}\n")).collect()
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

fn text(path: &str) -> Result<String, String> {
    String::from_utf8(read(path)?).map_err(|error| format!("{path} is not UTF-8: {error}"))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    std::fs::write(path, bytes).map_err(|error| format!("{} cannot be written: {error}", path.display()))
}
