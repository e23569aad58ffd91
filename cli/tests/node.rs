//! Every script of `fixtures/node` prints the same to stdout, and exits the same, under `edgepack node` and under node;
//! of each folder the first, or in the full lane all of them, on other machines too, by qemu.

mod machine;
mod reference;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use edgepack_format::targets::Target;
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/node");
    let mut scripts = Vec::new();
    collect(&root, &mut scripts);
    scripts.sort();
    let mut trials = Vec::new();
    let mut sampled = None;
    for script in scripts {
        let name = script.strip_prefix(&root).unwrap_or(&script).display().to_string();
        let folder = script.parent().map(Path::to_owned);
        if machine::is_full() || sampled != folder {
            sampled = folder;
            for target in machine::foreign() {
                let script = script.clone();
                let trial = move || same_as_node(&script, Some(target));
                trials.push(Trial::test(format!("{name} on {}", target.short), trial));
            }
        }
        trials.push(Trial::test(name, move || same_as_node(&script, None)));
    }
    libtest_mimic::run(&arguments, trials).exit();
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

fn same_as_node(script: &Path, target: Option<&Target>) -> Result<(), Failed> {
    let mut expected = run(Command::new(reference::node()?).arg(script))?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_edgepack"));
    command.arg("node");
    if let Some(target) = target {
        command.args(["--target", target.short]);
        expected.stdout = on_machine(&expected.stdout, target);
    }
    let ours = run(command.arg(script))?;
    if expected.stdout == ours.stdout && expected.status.code() == ours.status.code() {
        return Ok(());
    }
    let text = |output: &Output| {
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        format!("{}\n{out}--- stderr\n{err}", output.status)
    };
    Err(format!("=== node\n{}\n=== edgepack\n{}", text(&expected), text(&ours)).into())
}

/// What node would print there: `os.arch()` and `os.machine()`, as the one script that prints them does.
fn on_machine(stdout: &[u8], target: &Target) -> Vec<u8> {
    let uname = if target.node_arch == "arm" { "armv7l" } else { target.host_arch };
    let names = format!(" {} {uname} ", target.node_arch);
    String::from_utf8_lossy(stdout).replace(" x64 x86_64 ", &names).into_bytes()
}

/// In a folder of its own: scripts write files there.
fn run(command: &mut Command) -> Result<Output, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    command.current_dir(folder.path()).output().map_err(|error| error.to_string())
}
