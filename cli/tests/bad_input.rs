//! What is wrong with the input is said in a sentence, with the place and a hint, and nothing half-written stays.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

fn edgepack(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_edgepack")).args(args).current_dir(folder).output().expect("edgepack starts")
}

/// A folder with these files.
fn app(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("in the folder")).expect("a folder");
        fs::write(path, content).expect("a file");
    }
    folder
}

/// What stderr says when the build fails, with the exit code checked and the folder seen to be as it was.
fn refused(files: &[(&str, &str)], args: &[&str], code: i32) -> String {
    let folder = app(files);
    let before = listing(folder.path());
    let output = edgepack(folder.path(), args);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "results go to stdout, errors do not");
    assert_eq!(listing(folder.path()), before, "nothing is left behind");
    stderr
}

fn listing(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("readable")
        .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn assert_says(stderr: &str, texts: &[&str]) {
    for text in texts {
        assert!(stderr.contains(text), "`{text}` is missing in:\n{stderr}");
    }
}

#[test]
fn a_missing_entry() {
    let stderr = refused(&[], &["build", "nowhere.js"], 1);
    assert_says(&stderr, &["error: ", "nowhere.js", "cannot be read", "hint: "]);
}

#[test]
fn a_syntax_error_with_its_code_frame() {
    let stderr = refused(&[("main.js", "const a = 1;\nconst b = ;\n")], &["build", "main.js"], 1);
    assert_says(&stderr, &["error: ", "main.js:2:11", "2 | const b = ;", "^"]);
}

#[test]
fn an_import_that_leads_nowhere_with_the_chain_of_importers() {
    let files = [("main.js", "require('./middle');"), ("middle.js", "\nrequire('./nothing');")];
    let stderr = refused(&files, &["build", "main.js"], 1);
    assert_says(&stderr, &["./nothing", "middle.js:2:", "main.js > middle.js"]);
}

#[test]
fn a_builtin_that_is_not_supported_yet() {
    let stderr = refused(&[("main.js", "require('node:worker_threads').isMainThread;")], &["build", "main.js"], 1);
    assert_says(&stderr, &["worker_threads", "not supported yet", "main.js:1:"]);
}

#[test]
fn a_native_addon() {
    let files = [("main.js", "require('./binding.node');"), ("binding.node", "\u{7f}ELF")];
    let stderr = refused(&files, &["build", "main.js"], 1);
    assert_says(&stderr, &["binding.node", "main.js:1:"]);
}

#[test]
fn an_output_path_that_cannot_be_written() {
    let files = [("main.js", "console.log(1)")];
    let stderr = refused(&files, &["build", "main.js", "-o", "no/such/folder/app"], 1);
    assert_says(
        &stderr,
        &["no/such/folder/app cannot be written: its folder does not exist", "hint: create no/such/folder"],
    );
    let stderr = refused(&files, &["build", "main.js", "-o", "."], 1);
    assert_says(&stderr, &["cannot be written: it is a folder", "hint: name a file with -o"]);
}

#[test]
fn a_capability_that_does_not_exist() {
    let package = r#"{ "name": "x", "edgepack": { "allow": { "nett": true } } }"#;
    let stderr = refused(&[("main.js", "console.log(1)"), ("package.json", package)], &["build", "main.js"], 1);
    assert_says(&stderr, &["\"nett\" is no capability", "hint: "]);
}

#[test]
fn wrong_usage_ends_with_2() {
    assert_says(&refused(&[], &["build", "--frobnicate"], 2), &["--frobnicate"]);
    let stderr = refused(&[("main.js", "")], &["build", "main.js", "--target", "z80-none"], 2);
    assert_says(&stderr, &["there is no target z80-none", "hint: `edgepack targets` lists them"]);
}

#[test]
fn inspecting_what_is_no_container() {
    assert_says(&refused(&[], &["inspect", "app"], 1), &["app cannot be read"]);
    let stderr = refused(&[("app", "#!/bin/sh\n")], &["inspect", "app"], 1);
    assert_says(&stderr, &["app: this is neither an edgepack container nor an executable made by edgepack"]);
}

#[test]
fn a_container_that_is_cut_short_or_altered() {
    let folder = app(&[("main.js", "console.log(1)")]);
    let built = edgepack(folder.path(), &["build", "main.js", "--container-only", "-o", "app.epk"]);
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let whole = fs::read(folder.path().join("app.epk")).expect("the container");
    let said = |bytes: &[u8]| {
        fs::write(folder.path().join("app.epk"), bytes).expect("written");
        let output = edgepack(folder.path(), &["run", "app.epk"]);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    for cut in [9, whole.len() / 2, whole.len() - 1] {
        assert_says(&said(&whole[..cut]), &["error: "]);
    }
    assert_says(&said(&whole[..whole.len() - 1]), &["the container is cut short"]);
    let mut altered = whole.clone();
    let last = altered.len() - 1;
    altered[last] ^= 1;
    assert_says(&said(&altered), &["the container was altered or damaged"]);
}

#[test]
fn findings_as_json_for_editors() {
    let folder = app(&[("main.js", "require('./nothing');\nrequire('not-there');")]);
    let output = edgepack(folder.path(), &["build", "main.js", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    let places: Vec<_> = found["diagnostics"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|found| {
            (found["severity"].as_str(), found["file"].as_str(), found["line"].as_u64(), found["column"].as_u64())
        })
        .collect();
    let at = |line| (Some("error"), Some("main.js"), Some(line), Some(1));
    assert_eq!(places, [at(1), at(2)]);
}

#[test]
fn asking_for_the_reason_of_what_is_not_there() {
    let files = [("main.js", "require('./used');"), ("used.js", "exports.a = 1;")];
    assert_says(
        &refused(&files, &["build", "main.js", "--why", "usde.js"], 1),
        &["nothing in the app asks for usde.js", "hint: did you mean used.js?"],
    );
}

#[test]
fn the_reason_of_a_file_is_told_and_nothing_is_built() {
    let folder = app(&[
        ("main.mjs", "import { a } from './used.mjs';\nconsole.log(a);"),
        ("used.mjs", "export const a = 1;\nexport const b = 2;"),
    ]);
    let output = edgepack(folder.path(), &["build", "main.mjs", "--why", "used.mjs"]);
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_says(
        &told,
        &[
            "used.mjs (",
            "from main.mjs:1:19  import { a } from './used.mjs';",
            "1: export const a = 1;",
            "is used at main.mjs:2",
        ],
    );
    assert!(!told.contains("export const b"), "{told}");
    assert_eq!(listing(folder.path()), ["main.mjs", "used.mjs"]);
}

#[test]
fn reports_are_written_beside_the_result() {
    let folder = app(&[("main.js", "console.log(require('./used').a);"), ("used.js", "exports.a = 1;")]);
    let args = [
        "build",
        "main.js",
        "-o",
        "app",
        "--no-snapshot",
        "--metafile",
        "meta.json",
        "--report",
        "report.html",
        "--source-map",
        "external",
    ];
    let output = edgepack(folder.path(), &args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(listing(folder.path()), ["app", "app.map", "main.js", "meta.json", "report.html", "used.js"]);
    let meta: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path().join("meta.json")).expect("written")).expect("JSON");
    assert_eq!(meta["outputs"]["app"]["entryPoint"], "main.js");
    assert_eq!(meta["inputs"]["main.js"]["imports"][0]["path"], "used.js");
    let map: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path().join("app.map")).expect("written")).expect("JSON");
    assert_eq!(map["version"], 3);
    let inspected = edgepack(folder.path(), &["inspect", "app", "--json"]);
    let inspected: serde_json::Value = serde_json::from_slice(&inspected.stdout).expect("one JSON object");
    let sections = inspected.to_string();
    assert!(!sections.contains("source-map") || sections.contains("\"source-map\":0"), "{sections}");
}
