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
