//! Walks `fixtures/bundler/<topic>/<what-it-shows>/`: a bundle must do what the program does unbundled under Node.
//!
//! The entry is the file `entry.*` of the folder, or of its subfolder `app`; without one it is the folder itself, or
//! that subfolder. Beside it may lie, one line each:
//! - `expected.txt`: what the program prints, where Node does not run its sources (JSX, tsconfig, decorators);
//! - `errors.txt` and `warnings.txt`: the diagnostics in full; without `warnings.txt` there must be none;
//! - `absent.txt` and `present.txt`: what must not occur in the script, and what must;
//! - `assets.txt`: the embedded files;
//! - `minified.txt`: what the minified program prints, where it is allowed to differ;
//! - `steps.txt`: at how many places the program could have been suspended.
//!
//! `fixtures/bundler/known-failures.txt` lists, sorted and each with its reason, the cases that fail: exactly those.
//! `EDGEPACK_FIXTURE` chooses cases by a part of their name; `EDGEPACK_BLESS=1` writes the expected diagnostics.

mod reference;
mod side_by_side;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use edgepack_bundler::{Builtins, Bundle, BundleOptions, Form, Format, Whitespace, bundle};

use crate::reference::{bundle_entry, compare, options_for, project, run_bundle, run_node};
use crate::side_by_side::side_by_side;

#[test]
fn bundles_do_what_node_does() {
    let root = project("fixtures/bundler");
    let only = std::env::var("EDGEPACK_FIXTURE").unwrap_or_default();
    let cases: Vec<PathBuf> = folders(&root).iter().flat_map(|topic| folders(topic)).collect();
    assert!(cases.len() >= 120, "the fixtures are gone: {} found", cases.len());
    let chosen: Vec<&PathBuf> = cases.iter().filter(|case| case.to_string_lossy().contains(&only)).collect();
    let failures = check_all(&root, &chosen);
    let known = known_failures(&root);
    let mut wrong: Vec<String> = failures
        .iter()
        .filter(|(name, _)| !known.contains_key(*name))
        .map(|(name, reason)| format!("── {name}\n{reason}"))
        .collect();
    let passes = |name: &&String| chosen.iter().any(|case| case.ends_with(name)) && !failures.contains_key(*name);
    wrong.extend(known.keys().filter(passes).map(|name| format!("── {name}\npasses: take it from known-failures.txt")));
    wrong.extend(known.keys().filter(|name| !root.join(name).is_dir()).map(|name| format!("── {name}\nis not there")));
    assert!(wrong.is_empty(), "{} fixtures are not as expected:\n{}", wrong.len(), wrong.join("\n"));
}

/// By name, the reasons of those that fail.
fn check_all(root: &Path, cases: &[&PathBuf]) -> BTreeMap<String, String> {
    let fails = |case: &&PathBuf| {
        let scratch = tempfile::tempdir().expect("a scratch folder");
        let name = || case.strip_prefix(root).expect("below the root").to_string_lossy().into_owned();
        check_case(case, scratch.path()).err().map(|reason| (name(), reason)).into_iter().collect()
    };
    side_by_side(cases, fails).into_iter().collect()
}

fn known_failures(root: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(root.join("known-failures.txt")).expect("known-failures.txt is readable");
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(lines.is_sorted(), "known-failures.txt is not sorted");
    let split = |line: &&str| line.split_once(": ").map(|(name, reason)| (name.to_owned(), reason.to_owned()));
    lines.iter().map(|line| split(line).expect("each line is `topic/name: reason`")).collect()
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}

/// A program for Node prints the same, but for what is in `plain-differs.txt`: one line each, sorted, with the reason.
/// Lines that are not needed any more are failures, too.
#[test]
fn plain_programs_do_what_node_does() {
    let root = project("fixtures/bundler");
    let listed = fs::read_to_string(root.join("plain-differs.txt")).unwrap();
    let listed: Vec<&str> = listed.lines().filter_map(|line| line.split(" # ").next()).collect();
    let cases: Vec<PathBuf> = folders(&root).iter().flat_map(|topic| folders(topic)).collect();
    let differs = |case: &PathBuf| {
        let title = |name| format!("{} {name}", case.strip_prefix(&root).unwrap().display());
        let check = |(name, format)| check_plain(case, format).err().map(|reason| (title(name), reason));
        let formats = [("cjs", Format::CommonJs), ("esm", Format::Esm)];
        if case.join("errors.txt").exists() { Vec::new() } else { formats.into_iter().filter_map(check).collect() }
    };
    let found: BTreeMap<String, String> = side_by_side(&cases, differs).into_iter().collect();
    let missing: String = found
        .iter()
        .filter(|(title, _)| !listed.contains(&title.as_str()))
        .map(|(title, reason)| format!("── {title}\n{reason}\n"))
        .collect();
    let passing: Vec<&&str> = listed.iter().filter(|title| !found.contains_key(**title)).collect();
    assert!(listed.is_sorted(), "plain-differs.txt is not sorted");
    assert!(
        missing.is_empty() && passing.is_empty(),
        "these pass, but are listed: {passing:?}\nthese differ:\n{missing}"
    );
}

/// The program lies where its entry lies, for what it loads when it runs.
fn check_plain(case: &Path, format: Format) -> Result<(), String> {
    let entry = entry_of(case);
    let folder = if entry.is_dir() { &entry } else { entry.parent().unwrap() };
    let (expected, code) = match fs::read_to_string(case.join("expected.txt")) {
        Ok(text) => (text.into_bytes(), Some(0)),
        Err(_) => {
            let ran = run_node(folder, &[&entry.to_string_lossy()]);
            (ran.stdout, ran.status.code())
        }
    };
    for whitespace in [Whitespace::Readable, Whitespace::Minimal] {
        let options =
            BundleOptions { form: Form::Plain(format), builtins: Builtins::Node, ..options_for(&entry, whitespace) };
        let bundle = match bundle(&options) {
            Ok(bundle) => bundle,
            // Which says itself what it cannot do.
            Err(found) if found.to_string().contains("cannot wait at its top level") => return Ok(()),
            Err(found) => return Err(found.to_string()),
        };
        let script = tempfile::Builder::new()
            .prefix("plain")
            .suffix(if format == Format::Esm { ".mjs" } else { ".cjs" })
            .tempfile_in(folder)
            .unwrap();
        fs::write(script.path(), &bundle.script).unwrap();
        let found = run_node(folder, &[&script.path().to_string_lossy()]);
        if found.stdout != expected || found.status.code() != code {
            let [out, err] = [found.stdout, found.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
            return Err(format!("{out}{err}"));
        }
    }
    Ok(())
}

fn entry_of(case: &Path) -> PathBuf {
    let in_folder = |folder: &Path| {
        let entries = fs::read_dir(folder).ok()?;
        let mut entries = entries.flatten().map(|entry| entry.path());
        entries.find(|path| path.file_stem().is_some_and(|stem| stem == "entry"))
    };
    let app = if case.join("app").is_dir() { case.join("app") } else { case.to_owned() };
    in_folder(case).or_else(|| in_folder(&app)).unwrap_or(app)
}

fn check_case(case: &Path, scratch: &Path) -> Result<(), String> {
    let entry = entry_of(case);
    let errors = case.join("errors.txt");
    let readable = bundle_entry(&entry, Whitespace::Readable);
    if errors.exists() {
        return match readable {
            Ok(_) => Err("it bundles, but errors are expected".to_owned()),
            Err(found) => compare_text(&errors, &found.to_string().replace(&*case.to_string_lossy(), "")),
        };
    }
    let readable = readable.map_err(|found| found.to_string())?;
    let minimal = bundle_entry(&entry, Whitespace::Minimal).map_err(|found| found.to_string())?;
    check_expectations(case, &readable)?;
    let folder = if entry.is_dir() { &entry } else { entry.parent().unwrap() };
    let (expected, code, said) = match fs::read_to_string(case.join("expected.txt")) {
        Ok(text) => (text, Some(0), Vec::new()),
        Err(_) => {
            let ran = run_node(folder, &[&entry.to_string_lossy()]);
            let text = String::from_utf8_lossy(&ran.stdout).replace(&*folder.to_string_lossy(), "/app");
            (text, ran.status.code(), ran.stderr)
        }
    };
    let minified = fs::read_to_string(case.join("minified.txt")).unwrap_or_else(|_| expected.clone());
    for (bundle, expected) in [(readable, expected), (minimal, minified)] {
        let found = run_bundle(&bundle, scratch, folder, &["--count"]);
        let stderr = String::from_utf8_lossy(&found.stderr);
        if let Ok(steps) = fs::read_to_string(case.join("steps.txt"))
            && !stderr.contains(&format!("\n{steps}"))
        {
            return Err(format!("{steps} are expected, but: {stderr}"));
        }
        compare(&expected, code, &said, &found)?;
    }
    Ok(())
}

fn check_expectations(case: &Path, bundle: &Bundle) -> Result<(), String> {
    let lines = |name: &str| fs::read_to_string(case.join(name)).unwrap_or_default();
    let program = bundle.script.split_once("use strict").map_or(&*bundle.script, |(_, program)| program);
    if let Some(text) = lines("absent.txt").lines().find(|text| program.contains(*text)) {
        return Err(format!("`{text}` is in the script, but should not be"));
    }
    if let Some(text) = lines("present.txt").lines().find(|text| !bundle.script.contains(*text)) {
        return Err(format!("`{text}` is not in the script, but should be"));
    }
    if let Ok(expected) = fs::read_to_string(case.join("assets.txt")) {
        let found: String = bundle.assets.iter().map(|asset| format!("{}\n", asset.path)).collect();
        if found != expected {
            return Err(format!("the assets are:\n{found}but should be:\n{expected}"));
        }
    }
    let warnings: Vec<String> = bundle.warnings.iter().map(ToString::to_string).collect();
    match (case.join("warnings.txt"), &warnings[..]) {
        (file, []) if !file.exists() => Ok(()),
        (file, warnings) => compare_text(&file, &warnings.join("\n\n")),
    }
}

fn compare_text(expected: &Path, found: &str) -> Result<(), String> {
    let found = format!("{found}\n");
    if std::env::var_os("EDGEPACK_BLESS").is_some() {
        assert!(std::env::var_os("CI").is_none(), "expected diagnostics are not written in CI");
        fs::write(expected, found).unwrap();
        return Ok(());
    }
    let text = fs::read_to_string(expected).unwrap_or_default();
    if text == found { Ok(()) } else { Err(format!("{} says:\n{text}but found:\n{found}", expected.display())) }
}
