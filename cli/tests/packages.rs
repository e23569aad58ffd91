//! Each call of `fixtures/packages/calls`, built, prints what it prints under node with the package installed: from a
//! snapshot and without. Those that cannot yet are in `known-failures.txt`, with the reason; one that can must not be.

#[path = "../../bundler/tests/installed/mod.rs"]
mod installed;
mod reference;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let names = sorted_calls(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/packages/calls"));
    assert!(names.len() >= 60, "the calls are gone: {} found", names.len());
    let known: Vec<String> = include_str!("../../fixtures/packages/known-failures.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| Some(line.split_once(": ")?.0.to_owned()))
        .collect();
    let stale: Vec<&String> = known.iter().filter(|name| !names.contains(name)).collect();
    assert!(stale.is_empty(), "known-failures.txt names calls that are not there: {stale:?}");
    // Listing the tests must not install anything.
    let folder = (!arguments.list).then(|| installed::calls("snapshots"));
    let folder = folder.transpose().unwrap_or_else(|error| panic!("{error}")).unwrap_or_default();
    let trials = names.into_iter().map(|name| {
        let (call, fails) = (folder.join(&name), known.contains(&name));
        Trial::test(name, move || match (check(&call), fails) {
            (Ok(()), true) => Err("it works: take it out of known-failures.txt".into()),
            (Err(_), true) => Ok(()),
            (result, false) => result,
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

fn sorted_calls(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("fixtures/packages is there").flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn check(call: &Path) -> Result<(), Failed> {
    let expected = ran(Command::new(reference::node()?).arg(call), call)?;
    let scratch = tempfile::tempdir().map_err(|error| error.to_string())?;
    for flags in [&[][..], &["--no-snapshot"]] {
        let program = built(call, scratch.path(), flags)?;
        let found = ran(&mut Command::new(program), call)?;
        if found.stdout != expected.stdout || found.status.code() != expected.status.code() {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            return Err(format!(
                "built with {flags:?}, {}\n── expected\n{}── found\n{}{}",
                found.status,
                text(&expected.stdout),
                text(&found.stdout),
                text(&found.stderr)
            )
            .into());
        }
    }
    Ok(())
}

fn built(call: &Path, folder: &Path, flags: &[&str]) -> Result<PathBuf, Failed> {
    let program = folder.join("app");
    let mut command = Command::new(env!("CARGO_BIN_EXE_edgepack"));
    let output = command.arg("build").arg(call).arg("--allow-all").args(flags).arg("-o").arg(&program).output();
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() { Ok(program) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned().into()) }
}

/// Beside the call: some read files that lie there.
fn ran(command: &mut Command, call: &Path) -> Result<Output, Failed> {
    let folder = call.parent().unwrap_or(call);
    command.current_dir(folder).output().map_err(|error| error.to_string().into())
}
