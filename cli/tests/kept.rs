//! An app that is as it was is not started again; one that is not, is.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What a build of `script` says of itself, and the bytes it wrote.
fn built(folder: &Path, script: &str, flags: &[&str]) -> (Value, Vec<u8>) {
    let entry = folder.join("app.js");
    std::fs::write(&entry, script).expect("the scratch folder can be written to");
    let out = folder.join("app");
    let mut command = Command::new(env!("CARGO_BIN_EXE_edgepack"));
    let output = command.arg("build").arg(&entry).arg("-o").arg(&out).arg("--json").args(flags).output();
    let output = output.expect("edgepack runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = serde_json::from_slice(&output.stdout).expect("one JSON object");
    (told, std::fs::read(&out).expect("the executable is there"))
}

fn was_started(told: &Value) -> bool {
    told["phases"].as_object().is_some_and(|phases| phases.contains_key("snapshot_ms"))
}

/// A script that no build has seen yet.
fn script(rest: &str) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is after 1970");
    format!("console.log({});\n{rest}\n", now.as_nanos())
}

#[test]
fn an_app_that_is_as_it_was_is_taken_from_the_cache() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let script = script("console.log(process.env.PORT);");
    let (first, bytes) = built(folder.path(), &script, &["--allow-env=PORT"]);
    let (second, same) = built(folder.path(), &script, &["--allow-env=PORT"]);
    assert!(was_started(&first) && !was_started(&second));
    assert!(bytes == same, "the executables differ");
    for what in ["snapshot", "stop", "start_up", "hot_pages", "sizes"] {
        assert_eq!(first[what], second[what], "{what}");
    }
    let (other, _) = built(folder.path(), &script, &["--allow-env=PORT", "--target", "arm64"]);
    assert!(!was_started(&other), "its container is for all targets");
}

#[test]
fn what_decides_a_container_decides_whether_it_is_taken() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let script = script("");
    assert!(was_started(&built(folder.path(), &script, &[]).0));
    for flags in [&["--allow-env=PORT"][..], &["--source-map=none"], &["--no-minify"], &["--deny-secrets"]] {
        assert!(was_started(&built(folder.path(), &script, flags).0), "{flags:?}");
    }
    assert!(was_started(&built(folder.path(), &format!("{script}console.log(1);"), &[]).0));
}

#[test]
fn a_start_up_that_asks_for_the_machine_is_kept_for_each() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let script = script("console.log(process.arch);");
    let started = |target: &str| was_started(&built(folder.path(), &script, &["--target", target]).0);
    assert!(started("x64") && started("arm64"));
    assert!(!started("x64") && !started("arm64"));
}
