//! The commands of README.md do what it says, in the order in which it says it.

use std::path::Path;
use std::process::Command;

/// The first `sh` block below the heading, without its comments.
fn block<'a>(readme: &'a str, heading: &str) -> Vec<&'a str> {
    let (_, below) = readme.split_once(&format!("\n## {heading}\n")).expect("the README has that heading");
    let (_, block) = below.split_once("```sh\n").expect("with a block of commands");
    let (block, _) = block.split_once("```").expect("that ends");
    block.lines().map(|line| line.split(" #").next().unwrap_or(line).trim()).filter(|line| !line.is_empty()).collect()
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).expect("README.md is readable")
}

#[test]
fn the_first_app_prints_what_the_readme_shows() {
    let readme = readme();
    let commands = block(&readme, "A first app");
    let shown = readme.split_once("```text\n").and_then(|(_, rest)| rest.split_once("```")).expect("with its output").0;
    let folder = tempfile::tempdir().expect("a folder");
    let bin = Path::new(env!("CARGO_BIN_EXE_edgepack")).parent().expect("in a folder").display().to_string();
    let path = format!("{bin}:{}", std::env::var("PATH").unwrap_or_default());
    let script = commands.join("\n");
    let output = Command::new("sh").args(["-ec", &script]).env("PATH", path).current_dir(folder.path()).output();
    let output = output.expect("sh starts");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{script}\n{stdout}{}", String::from_utf8_lossy(&output.stderr));
    let said = shown.lines().last().expect("a line");
    assert_eq!(stdout.lines().last(), Some(said));
}

#[test]
fn the_test_command_of_the_readme_is_what_ci_runs() {
    let readme = readme();
    let command = block(&readme, "Tests").join("\n");
    let ci = std::fs::read_to_string(root().join(".ci/run")).expect(".ci/run is readable");
    assert!(ci.lines().any(|line| line.trim() == command), ".ci/run does not run `{command}`");
}
