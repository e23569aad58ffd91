//! `v8.startupSnapshot`: its hooks run as node runs them, where there is a snapshot and where there is none.

mod reference;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

const HOOKS: &str = "
const v8 = require('node:v8');
const { startupSnapshot } = v8;
const refused = (work) => { try { work(); return 'done'; } catch (error) { return error.code; } };
globalThis.log = [startupSnapshot.isBuildingSnapshot()];
if (startupSnapshot.isBuildingSnapshot()) {
  const state = { serialized: [], pid: 0 };
  startupSnapshot.addSerializeCallback((name) => { state.serialized.push(name); }, 'first');
  startupSnapshot.addSerializeCallback((name) => { state.serialized.push(name); }, 'second');
  startupSnapshot.addDeserializeCallback((data) => { data.pid = process.pid; }, state);
  startupSnapshot.addDeserializeCallback(() => log.push(`deserialized ${state.pid === process.pid}`));
  startupSnapshot.setDeserializeMainFunction((data) => {
    console.log(log.join(), data.serialized.join(), process.argv.length);
  }, state);
  log.push(refused(() => startupSnapshot.setDeserializeMainFunction(() => {})));
  log.push(refused(() => startupSnapshot.addSerializeCallback('no function')));
} else {
  log.push(refused(() => startupSnapshot.addSerializeCallback(() => {})));
  log.push(refused(() => startupSnapshot.addDeserializeCallback(() => {})));
  log.push(refused(() => startupSnapshot.setDeserializeMainFunction(() => {})));
  console.log(log.join());
}
";

#[test]
fn hooks_run_as_under_node() {
    let folder = TempDir::new().expect("a folder");
    let (script, blob) = (folder.path().join("app.js"), folder.path().join("blob"));
    fs::write(&script, HOOKS).expect("a file");
    let node = reference::node().unwrap_or_else(|message| panic!("{message}"));
    let built = Command::new(&node).arg("--snapshot-blob").arg(&blob).arg("--build-snapshot").arg(&script).output();
    assert!(built.is_ok_and(|output| output.status.success()), "node builds a snapshot");
    let restored = Command::new(&node).arg("--snapshot-blob").arg(&blob).arg(&script).output();
    assert_eq!(printed(&built_with(&script, &[])), printed(&restored.expect("node starts")));
    let plain = Command::new(&node).arg(&script).output().expect("node starts");
    assert_eq!(printed(&built_with(&script, &["--no-snapshot"])), printed(&plain));
}

#[test]
fn a_callback_that_has_no_answer_leaves_no_snapshot() {
    let folder = TempDir::new().expect("a folder");
    let script = folder.path().join("app.js");
    for rest in ["", "\nconsole.log(process.pid > 0);\nconsole.log('end');"] {
        let text = format!(
            "const {{ startupSnapshot }} = require('v8');
let time = 'unknown';
if (startupSnapshot.isBuildingSnapshot()) startupSnapshot.addSerializeCallback(() => {{ time = Date.now(); }});
console.log(time);{rest}"
        );
        fs::write(&script, text).expect("a file");
        let reference = reference::node()
            .and_then(|node| Command::new(node).arg(&script).output().map_err(|error| error.to_string()));
        assert_eq!(printed(&built_with(&script, &[])), printed(&reference.expect("node starts")));
    }
}

/// The output of the app, built so.
fn built_with(script: &Path, options: &[&str]) -> Output {
    let program = script.with_extension("");
    let built = Command::new(env!("CARGO_BIN_EXE_edgepack"))
        .arg("build")
        .arg(script)
        .args(options)
        .arg("-o")
        .arg(&program)
        .output();
    let built = built.expect("edgepack starts");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    // As node's command line names the script too.
    Command::new(&program).output().expect("the program starts")
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
