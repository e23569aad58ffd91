//! Base image → how hot its pages are: programs are run by a stub that brings page by page.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use edgepack_format::container::Hash;
use edgepack_format::guest::{Mode, Package};
use edgepack_format::limits::MEMORY_BYTES_MAX;
use edgepack_format::manifest::Manifest;
use edgepack_format::policy::Grants;
use edgepack_packer::{Contents, Engine, container, executable};

use super::base::Heat;

/// What small apps do.
pub(super) const PROGRAMS: &[(&str, &str)] = &[
    ("hello", include_str!("programs/hello.js")),
    ("modules", include_str!("programs/modules.js")),
    ("server", include_str!("programs/server.js")),
];

/// A page counts that most of so many runs touch: now and then a run touches one that no other does, and the stub must
/// not depend on it.
const RUNS: usize = 5;

/// Where standard output goes decides how it is written.
const OUTPUTS: &[Output] = &[Output::Pipe, Output::File, Output::Device];

#[derive(Debug, Clone, Copy)]
enum Output {
    Pipe,
    File,
    Device,
}

/// How many of the programs touch each page. The stub must run on this machine.
pub(super) fn heat(stub: &Path, engine: Hash, base_memory: &[u8], folder: &Path) -> Result<Heat> {
    let mut heat = Heat::new();
    for named in PROGRAMS {
        let program = program(stub, engine, base_memory, *named, folder)?;
        let mut pages = BTreeSet::new();
        for output in OUTPUTS {
            pages.extend(touched_by_most(&program, *output)?);
        }
        fs::remove_file(&program)?;
        for page in pages {
            *heat.entry(page).or_default() += 1;
        }
    }
    Ok(heat)
}

/// One of the programs as an executable.
pub(super) fn program(
    stub: &Path,
    engine: Hash,
    base_memory: &[u8],
    (name, script): (&str, &str),
    folder: &Path,
) -> Result<PathBuf> {
    let program = folder.join(name);
    fs::write(&program, executable(&fs::read(stub)?, &packed(script, engine, base_memory)?)?)?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    Ok(program)
}

fn packed(script: &str, engine: Hash, base_memory: &[u8]) -> Result<Vec<u8>> {
    let package = Package { mode: Mode::Bundle, entry: "/app/main.js", script, positions: &[], files: Vec::new() };
    let manifest = Manifest { grants: Grants::all(), memory_bytes_max: MEMORY_BYTES_MAX, ..Manifest::default() };
    Ok(container(&Contents {
        manifest: &manifest,
        engine: Engine { hash: engine, base_memory },
        loaded: None,
        started: None,
        package: Some(&package.encode()),
        source_map: "",
        licences: "",
        hot_pages: &[],
    })?)
}

fn touched_by_most(program: &Path, stdout: Output) -> Result<Vec<u32>> {
    let mut runs = Heat::new();
    for _ in 0..RUNS {
        for page in touched(program, stdout)? {
            *runs.entry(page).or_default() += 1;
        }
    }
    let most = RUNS as u64 / 2 + 1;
    Ok(runs.into_iter().filter(|(_, count)| *count >= most).map(|(page, _)| page).collect())
}

fn touched(program: &Path, stdout: Output) -> Result<Vec<u32>> {
    let mut command = Command::new(program);
    // Nothing of this machine's that decides what is touched.
    command.env_clear().env("EDGEPACK_TRACE", "pages").env("HOME", "/").current_dir("/").stdin(Stdio::null());
    command.stdout(match stdout {
        Output::Pipe => Stdio::piped(),
        Output::File => Stdio::from(fs::File::create(program.with_extension("out"))?),
        Output::Device => Stdio::null(),
    });
    let output = command.stderr(Stdio::piped()).spawn()?.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{} failed ({}): {text}", program.display(), output.status);
    let numbers = text.lines().filter_map(|line| line.strip_prefix("edgepack: page "));
    numbers.map(|number| number.parse().with_context(|| format!("`{number}` is no page"))).collect()
}
