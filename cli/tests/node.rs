//! Every script of `fixtures/node` prints the same to stdout, and exits the same, under `edgepack node` and under node.

mod reference;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/node");
    let mut scripts = Vec::new();
    collect(&root, &mut scripts);
    scripts.sort();
    let trials = scripts.into_iter().map(|script| {
        let name = script.strip_prefix(&root).unwrap_or(&script).display().to_string();
        Trial::test(name, move || same_as_node(&script))
    });
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

fn collect(folder: &Path, scripts: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("fixtures/node is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, scripts);
        } else if path.extension().is_some_and(|extension| extension == "js") {
            scripts.push(path);
        }
    }
}

fn same_as_node(script: &Path) -> Result<(), Failed> {
    let expected = run(Command::new(reference::node()?).arg(script))?;
    let ours = run(Command::new(env!("CARGO_BIN_EXE_edgepack")).arg("node").arg(script))?;
    if expected.stdout == ours.stdout && expected.status.code() == ours.status.code() {
        return Ok(());
    }
    let text = |output: &Output| {
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        format!("{}\n{out}--- stderr\n{err}", output.status)
    };
    Err(format!("=== node\n{}\n=== edgepack\n{}", text(&expected), text(&ours)).into())
}

/// In a folder of its own: scripts write files there.
fn run(command: &mut Command) -> Result<Output, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    command.current_dir(folder.path()).output().map_err(|error| error.to_string())
}
