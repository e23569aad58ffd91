//! What the parts of a stub may weigh: a stub is in every executable, and the loader's own code is the part that only
//! ever grows.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use edgepack_format::targets::TARGETS;

use crate::project::Project;
use crate::run::{command, output};

/// Engine, base image and loader together, in bytes: with hello's container, of 54 KB, it comes to 4.5 MB.
const STUB_BYTES_MAX: u64 = 4_445_000;

/// Code that is not the engine's: the loader, Rust's standard library, the C library, zstd's decoder.
const LOADER_CODE_BYTES_MAX: u64 = 400_000;

/// How the names of the engine's functions start, as wasm2c makes them.
const ENGINE_NAMES: &[&str] = &["w2c_", "Z_engineZ_"];

/// Whether every stub that was built last keeps to it.
pub(crate) fn check(project: &Project) -> Result<()> {
    let mut over = Vec::new();
    for target in TARGETS {
        let stub = fs::canonicalize(project.current().join(format!("stub-{}", target.triple)))?;
        let bytes = fs::metadata(&stub)?.len();
        let loader = loader_code_bytes(project, &stub.with_extension("symbols"))?;
        println!("stub for {}: {bytes} bytes, of which code of the loader {loader}", target.short);
        for (what, bytes, max) in [("stub", bytes, STUB_BYTES_MAX), ("loader", loader, LOADER_CODE_BYTES_MAX)] {
            if bytes > max {
                over.push(format!("the {what} for {} has {bytes} bytes, {max} at most", target.short));
            }
        }
    }
    if over.is_empty() { Ok(()) } else { bail!("{}", over.join("; ")) }
}

/// The sizes of all functions that are not the engine's, by the names in the stub before it was stripped.
fn loader_code_bytes(project: &Project, symbols: &Path) -> Result<u64> {
    let mut nm = command("llvm-nm-22", ["--print-size", "--radix=d", "--defined-only"], &project.root);
    let list = output(nm.arg(symbols))?;
    // By address: many functions of the C library have two names.
    let mut sizes = BTreeMap::new();
    for line in list.lines() {
        let [address, bytes, kind, name] = line.split_whitespace().collect::<Vec<_>>()[..] else { continue };
        let is_engine = ENGINE_NAMES.iter().any(|start| name.starts_with(start));
        if matches!(kind, "t" | "T" | "w" | "W") && !is_engine {
            sizes.insert(address, bytes.parse::<u64>().with_context(|| format!("`{line}` has no size"))?);
        }
    }
    Ok(sizes.values().sum())
}
