//! What a build tells of its snapshot: `edgepack audit`, the share of start-up, and what makes builds fail.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

const APP: &str = "
const { Sensor, table } = require('sensors');
const parts = ['gh', 'p_', 'Ab3'.repeat(12)];
const token = parts.join('');
const readings = new Map();
for (let i = 0; i < 3000; i++) readings.set(i, new Sensor(i));
setTimeout(() => console.log(table, readings.size, token.length, process.env.HOME, process.env.MODE), 1000);
void process.env.LOG_LEVEL;
require('tty').isatty(2);
";

const SENSORS: &str = "
exports.Sensor = class Sensor { constructor(number) { this.number = number; } };
exports.table = Array.from({ length: 500 }, (_, i) => ({ id: `sensor ${i}` }));
";

fn app(folder: &Path, edgepack: &str) {
    let package = folder.join("node_modules/sensors");
    fs::create_dir_all(&package).expect("a folder");
    fs::write(package.join("package.json"), r#"{ "name": "sensors", "version": "1.0.0" }"#).expect("a file");
    fs::write(package.join("index.js"), SENSORS).expect("a file");
    fs::write(folder.join("package.json"), format!(r#"{{ "name": "app", "main": "app.js"{edgepack} }}"#))
        .expect("a file");
    fs::write(folder.join("app.js"), APP).expect("a file");
}

fn edgepack(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_edgepack")).args(args).current_dir(folder).output().expect("edgepack starts")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn number(rows: &Value, name: &str, field: &str) -> u64 {
    let row = rows.as_array().and_then(|rows| rows.iter().find(|row| row["name"] == name));
    row.and_then(|row| row[field].as_u64()).unwrap_or_else(|| panic!("no {name} in {rows}"))
}

#[test]
fn an_audit_tells_what_a_snapshot_holds() {
    let folder = TempDir::new().expect("a folder");
    app(folder.path(), "");
    let output = edgepack(folder.path(), &["audit", "--json", "--define", "process.env.MODE=production"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");

    let heap = &found["heap"];
    assert!(number(&heap["packages"], "sensors", "bytes") > 500 * 32, "{heap}");
    assert!(number(&heap["packages"], "(the app itself)", "bytes") > 3000 * 32, "{heap}");
    assert_eq!(number(&heap["constructors"], "Sensor", "count"), 3000);
    assert!(number(&heap["constructors"], "Map", "bytes") > 3000 * 16, "{heap}");

    let secrets = found["secrets"].as_array().expect("a list");
    assert_eq!(secrets.len(), 1, "{secrets:?}");
    assert_eq!(
        (secrets[0]["kind"].as_str(), secrets[0]["preview"].as_str()),
        (Some("a GitHub token"), Some("ghp_Ab…"))
    );
    assert!(
        secrets[0]["at"].as_str().is_some_and(|at| at.starts_with("app.js:") && at.ends_with(", in the heap")),
        "{secrets:?}"
    );

    let environment = &found["environment"];
    assert_eq!(environment["built_in"], serde_json::json!(["process.env.MODE"]));
    // Asked for while starting; HOME is not.
    let unset = environment["unset"].as_array().expect("a list");
    assert!(unset.contains(&"LOG_LEVEL".into()) && !unset.contains(&"HOME".into()), "{unset:?}");
    assert_eq!(found["open"]["Timeout"], 1);
    let guards: Vec<i64> = found["guards"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|guards| guards[0]["result"].as_i64().expect("a result"))
        .collect();
    assert_eq!(guards, [1, 2], "a pipe, or a terminal");
}

#[test]
fn secrets_are_denied_until_the_app_says_that_they_are_none() {
    let folder = TempDir::new().expect("a folder");
    app(folder.path(), "");
    let denied = edgepack(folder.path(), &["build", "--deny-secrets", "-o", "out"]);
    assert_eq!(denied.status.code(), Some(1));
    let said = stderr(&denied);
    assert!(said.contains(", in the heap: a GitHub token (ghp_Ab…) would be in the executable"), "{said}");
    assert!(!folder.path().join("out").exists(), "nothing is written");
    let (_, rest) = said.split_once("\"allow\": [\"").expect("a hint");
    let fingerprint = &rest[..8];
    app(folder.path(), &format!(r#", "edgepack": {{ "audit": {{ "allow": ["{fingerprint}"] }} }}"#));
    let allowed = edgepack(folder.path(), &["build", "--deny-secrets", "-o", "out"]);
    assert!(allowed.status.success(), "{}", stderr(&allowed));
    app(folder.path(), r#", "edgepack": { "audit": { "allow": "all" } }"#);
    assert!(stderr(&edgepack(folder.path(), &["audit"])).contains("\"allow\" must be a list of fingerprints"));
}

#[test]
fn a_strict_build_fails_where_start_up_throws_or_is_cut_off() {
    let folder = TempDir::new().expect("a folder");
    let hoarder =
        "const all = [];\nfor (let i = 0; i < 700; i++) all.push(new Uint8Array(1 << 20));\nconsole.log(all.length);";
    for (source, said, printed) in [
        ("console.log(1);\nnull.x;", "start-up throws, at every boot", None),
        (hoarder, "app.js:2: it takes more than 512 MB of memory", Some("700\n")),
        ("console.log(Date.now() > 0);", "", Some("true\n")),
    ] {
        fs::write(folder.path().join("app.js"), source).expect("a file");
        let strict = edgepack(folder.path(), &["build", "app.js", "--strict", "-o", "strict"]);
        assert_eq!(strict.status.success(), said.is_empty(), "{source}: {}", stderr(&strict));
        assert!(stderr(&strict).contains(said), "{source}: {}", stderr(&strict));
        let plain = edgepack(folder.path(), &["build", "app.js", "-o", "plain"]);
        assert!(plain.status.success(), "{source}: {}", stderr(&plain));
        let ran = Command::new(folder.path().join("plain")).output().expect("the app starts");
        assert_eq!(ran.status.success().then(|| String::from_utf8_lossy(&ran.stdout).into_owned()).as_deref(), printed);
    }
}

#[test]
fn a_build_tells_how_much_of_start_up_is_done_and_what_the_rest_asks_for() {
    let folder = TempDir::new().expect("a folder");
    let app = "const all = [];
for (let i = 0; i < 30000; i++) all.push(i);
const started = Date.now();
for (let i = 0; i < 10000; i++) all[i] += 1;
const port = process.env.PORT;
for (let i = 0; i < 5000; i++) all[i] += 1;
console.log(all.length, started > 0, port);";
    fs::write(folder.path().join("app.js"), app).expect("a file");
    let start_up = || {
        let args = ["build", "app.js", "--allow-env=PORT", "--json", "--no-minify", "-o", "out"];
        let output = edgepack(folder.path(), &args);
        let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        report["start_up"].clone()
    };
    let told = start_up();
    assert_eq!(told["asked"][0]["asks"], "app.js:3: the clock is read");
    assert_eq!(told["asked"][1]["asks"], "app.js:5: process.env.PORT is granted");
    assert_eq!(told["asked"].as_array().map(Vec::len), Some(2), "{told}");
    let number = |value: &Value| value.as_u64().expect("a number");
    let (all, done) = (number(&told["instructions"]), number(&told["done_instructions"]));
    let [clock, port] = [0, 1].map(|asked| number(&told["asked"][asked]["saves_instructions"]));
    assert!(done < all && clock > port && clock + port <= all - done, "{told}");
    assert_eq!(start_up(), told, "it is the same at every build");
}

#[test]
fn a_second_build_tells_and_writes_what_the_first_did() {
    let folder = TempDir::new().expect("a folder");
    // Nobody has built this one before.
    let app = format!(
        "const folder = {:?};\nconsole.log(process.arch, folder.length);\nprocess.stdin.resume();",
        folder.path()
    );
    fs::write(folder.path().join("app.js"), app).expect("a file");
    let build = || {
        let args = ["build", "app.js", "--target", "x64,arm64", "--json", "-o", "out"];
        let mut report: Value = serde_json::from_slice(&edgepack(folder.path(), &args).stdout).expect("JSON");
        report["phases"].take();
        let written = ["out-x64", "out-arm64"].map(|name| fs::read(folder.path().join(name)).expect("an executable"));
        (report, written)
    };
    let (told, written) = build();
    assert_eq!(told["reads_target"], true);
    let (told_again, written_again) = build();
    assert_eq!(told_again, told);
    assert!(written_again == written, "the executables differ");
}
