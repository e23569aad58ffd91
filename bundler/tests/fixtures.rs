//! Walks `tests/fixtures/<topic>/<what-it-shows>/`: a bundle must do what the program does unbundled under Node.
//!
//! The entry is the file `entry.*` of the folder, or of its subfolder `app`. Beside it may lie, one line each:
//! `absent.txt`, what must not occur in the script; `assets.txt`, the embedded files; `errors.txt` and `warnings.txt`,
//! the diagnostics in full; `minified.txt`, what the minified program prints where it is allowed to differ;
//! `steps.txt`, at how many places the program could have been suspended. The node that is asked is `EDGEPACK_NODE`, or the `node` on the path; it must be Node 24.
//! With `EDGEPACK_BLESS=1` the expected diagnostics are written instead of compared.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use edgepack_bundler::{Builtins, Bundle, BundleOptions, Diagnostics, Form, Format, Minify, Whitespace, bundle};

const NODE_FLAGS: [&str; 2] = ["--experimental-transform-types", "--no-warnings"];

#[test]
fn bundles_do_what_node_does() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let only = std::env::var("EDGEPACK_FIXTURE").unwrap_or_default();
    let cases: Vec<PathBuf> = folders(&root).iter().flat_map(|topic| folders(topic)).collect();
    assert!(cases.len() > 50, "the fixtures are gone: {} found", cases.len());
    let scratch = tempfile::tempdir().unwrap();
    let failures: Vec<String> = cases
        .iter()
        .filter(|case| case.to_string_lossy().contains(&only))
        .filter_map(|case| {
            let name = case.strip_prefix(&root).unwrap().display();
            check_case(case, scratch.path()).err().map(|reason| format!("── {name}\n{reason}"))
        })
        .collect();
    assert!(failures.is_empty(), "{} fixtures fail:\n{}", failures.len(), failures.join("\n"));
}

/// A program for Node prints the same, but for what is in `tests/plain_differs.txt`: one line each, sorted, with the
/// reason. Lines that are not needed any more are failures, too.
#[test]
fn plain_programs_do_what_node_does() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let listed = fs::read_to_string(root.join("plain_differs.txt")).unwrap();
    let listed: Vec<&str> = listed.lines().filter_map(|line| line.split(" # ").next()).collect();
    let mut found = Vec::new();
    let mut reasons = String::new();
    for case in folders(&root.join("fixtures")).iter().flat_map(|topic| folders(topic)) {
        let Some(entry) = entry_of(&case).filter(|_| !case.join("errors.txt").exists()) else { continue };
        for (name, format) in [("cjs", Format::CommonJs), ("esm", Format::Esm)] {
            let title = format!("{} {name}", case.strip_prefix(root.join("fixtures")).unwrap().display());
            if let Err(reason) = check_plain(&entry, format) {
                reasons += &format!("── {title}\n{reason}\n");
                found.push(title);
            }
        }
    }
    assert!(found == listed, "these differ:\n{}\n\n{reasons}", found.join("\n"));
}

/// The program lies where its entry lies, for what it loads when it runs.
fn check_plain(entry: &Path, format: Format) -> Result<(), String> {
    let folder = entry.parent().unwrap();
    let expected = run_node(folder, &[&entry.to_string_lossy()]);
    for minify in [Minify::No, Minify::KeepNames] {
        let options = BundleOptions { form: Form::Plain(format), builtins: Builtins::Node, ..options(entry, minify) };
        let bundle = bundle(&options).map_err(|found| found.to_string())?;
        let script = tempfile::Builder::new()
            .prefix("plain")
            .suffix(if format == Format::Esm { ".mjs" } else { ".cjs" })
            .tempfile_in(folder)
            .unwrap();
        fs::write(script.path(), &bundle.script).unwrap();
        let found = run_node(folder, &[&script.path().to_string_lossy()]);
        if found.stdout != expected.stdout || found.status.code() != expected.status.code() {
            return Err(format!(
                "{}{}",
                String::from_utf8_lossy(&found.stdout),
                String::from_utf8_lossy(&found.stderr)
            ));
        }
    }
    Ok(())
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}

fn entry_of(case: &Path) -> Option<PathBuf> {
    let in_folder = |folder: PathBuf| {
        let entries = fs::read_dir(folder).ok()?;
        entries.flatten().map(|entry| entry.path()).find(|path| path.file_stem().is_some_and(|stem| stem == "entry"))
    };
    in_folder(case.to_owned()).or_else(|| in_folder(case.join("app")))
}

/// Without white space, names are short, too.
fn bundle_entry(entry: PathBuf, whitespace: Whitespace) -> Result<Bundle, Diagnostics> {
    let minify = if whitespace == Whitespace::Minimal { Minify::KeepNames } else { Minify::No };
    bundle(&options(&entry, minify))
}

fn options(entry: &Path, minify: Minify) -> BundleOptions {
    BundleOptions {
        entry: entry.to_owned(),
        assets: Vec::new(),
        define: Vec::new(),
        builtins: Builtins::Supported,
        form: Form::Resumable,
        external: Vec::new(),
        minify,
        whitespace: if minify == Minify::No { Whitespace::Readable } else { Whitespace::Minimal },
    }
}

fn check_case(case: &Path, scratch: &Path) -> Result<(), String> {
    let entry = entry_of(case).ok_or("there is no file `entry.*`")?;
    let errors = case.join("errors.txt");
    let readable = bundle_entry(entry.clone(), Whitespace::Readable);
    if errors.exists() {
        return match readable {
            Ok(_) => Err("it bundles, but errors are expected".to_owned()),
            Err(found) => compare_text(&errors, &found.to_string()),
        };
    }
    let readable = readable.map_err(|found| found.to_string())?;
    let minimal = bundle_entry(entry.clone(), Whitespace::Minimal).map_err(|found| found.to_string())?;
    check_expectations(case, &readable)?;
    let folder = entry.parent().unwrap();
    let expected = run_node(folder, &[&entry.to_string_lossy()]);
    let expected_text = String::from_utf8_lossy(&expected.stdout).replace(&*folder.to_string_lossy(), "/app");
    let minified_text = fs::read_to_string(case.join("minified.txt")).unwrap_or_else(|_| expected_text.to_string());
    for (bundle, expected_text) in [(readable, &expected_text), (minimal, &minified_text)] {
        let script = scratch.join("script.js");
        fs::write(&script, &bundle.script).unwrap();
        let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drive.cjs");
        let found = run_node(folder, &[&driver.to_string_lossy(), &script.to_string_lossy(), "--count"]);
        if let Ok(steps) = fs::read_to_string(case.join("steps.txt"))
            && !String::from_utf8_lossy(&found.stderr).contains(&format!("\n{steps}"))
        {
            return Err(format!("{steps} are expected, but: {}", String::from_utf8_lossy(&found.stderr)));
        }
        let found_text = String::from_utf8_lossy(&found.stdout);
        if found_text != *expected_text || found.status.code() != expected.status.code() {
            return Err(format!(
                "node printed ({:?}):\n{expected_text}{}the bundle ({:?}):\n{found_text}{}",
                expected.status.code(),
                String::from_utf8_lossy(&expected.stderr),
                found.status.code(),
                String::from_utf8_lossy(&found.stderr),
            ));
        }
    }
    Ok(())
}

fn check_expectations(case: &Path, bundle: &Bundle) -> Result<(), String> {
    if let Ok(absent) = fs::read_to_string(case.join("absent.txt")) {
        let program = bundle.script.split_once("use strict").map_or(&*bundle.script, |(_, program)| program);
        if let Some(text) = absent.lines().find(|text| program.contains(text)) {
            return Err(format!("`{text}` is in the script, but should not be"));
        }
    }
    if let Ok(expected) = fs::read_to_string(case.join("assets.txt")) {
        let found: String = bundle.assets.iter().map(|asset| format!("{}\n", asset.path)).collect();
        if found != expected {
            return Err(format!("the assets are:\n{found}but should be:\n{expected}"));
        }
    }
    let warnings = case.join("warnings.txt");
    if warnings.exists() {
        let found: Vec<String> = bundle.warnings.iter().map(ToString::to_string).collect();
        compare_text(&warnings, &found.join("\n\n"))?;
    }
    Ok(())
}

fn compare_text(expected: &Path, found: &str) -> Result<(), String> {
    let found = format!("{found}\n");
    if std::env::var_os("EDGEPACK_BLESS").is_some() {
        assert!(std::env::var_os("CI").is_none(), "expected diagnostics are not written in CI");
        fs::write(expected, found).unwrap();
        return Ok(());
    }
    let text = fs::read_to_string(expected).unwrap();
    if text == found { Ok(()) } else { Err(format!("{} says:\n{text}but found:\n{found}", expected.display())) }
}

fn run_node(folder: &Path, args: &[&str]) -> Output {
    let node = std::env::var_os("EDGEPACK_NODE").unwrap_or_else(|| "node".into());
    Command::new(node)
        .env("NODE_ENV", "test")
        .args(NODE_FLAGS)
        .args(args)
        .current_dir(folder)
        .output()
        .expect("node runs")
}

#[test]
fn builds_from_different_folders_are_identical() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    for case in ["resolve/symlinked-package", "interop/commonjs-and-esm-interleaved", "assets/files-read-by-path"] {
        let [first, second] = ["a", "some/other/place"].map(|place| {
            let scratch = tempfile::tempdir().unwrap();
            let copy = scratch.path().join(place);
            fs::create_dir_all(&copy).unwrap();
            let copied = Command::new("cp").arg("-a").arg(fixtures.join(case)).arg(&copy).status().unwrap();
            assert!(copied.success());
            let entry = entry_of(&copy.join(Path::new(case).file_name().unwrap())).unwrap();
            let bundle = bundle_entry(entry, Whitespace::Minimal).unwrap();
            let assets: Vec<String> = bundle.assets.into_iter().map(|asset| asset.path).collect();
            let modules: Vec<String> = bundle.modules.into_iter().map(|module| module.path).collect();
            let output = [bundle.script, bundle.source_map, assets.join("\n"), modules.join("\n"), bundle.entry];
            assert!(
                !output.iter().any(|text| text.contains(&*scratch.path().to_string_lossy())),
                "{case} names the host"
            );
            output
        });
        assert_eq!(first, second, "{case}");
    }
}

#[test]
fn source_map_leads_to_the_original_place() {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/esm/source-positions-of-errors");
    let scratch = tempfile::tempdir().unwrap();
    for whitespace in [Whitespace::Readable, Whitespace::Minimal] {
        let bundle = bundle_entry(entry_of(&case).unwrap(), whitespace).unwrap();
        let before = &bundle.script[..bundle.script.rfind("throw").unwrap()];
        let line = before.matches('\n').count();
        let column = before.rsplit('\n').next().unwrap().chars().count();
        let map = scratch.path().join("script.js.map");
        fs::write(&map, &bundle.source_map).unwrap();
        let ask = format!(
            "const {{ SourceMap }} = require('module'), map = JSON.parse(require('fs').readFileSync(process.argv[1]));
             const {{ originalSource, originalLine, originalColumn }} = new SourceMap(map).findEntry({line}, {column});
             console.log(originalSource, originalLine + 1, originalColumn + 1, map.sourcesContent ?? 'no content');"
        );
        let answer = run_node(&case, &["-e", &ask, &map.to_string_lossy()]);
        assert_eq!(String::from_utf8_lossy(&answer.stdout), "/app/fail.mjs 4 3 no content\n");
    }
}

#[test]
fn fixture_apps_do_what_node_does() {
    let apps = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/apps");
    let scratch = tempfile::tempdir().unwrap();
    for (app, args) in [("hello", vec![]), ("typescript-esm", vec!["--verbose"]), ("typescript-esm", vec![])] {
        let folder = apps.join(app).canonicalize().unwrap();
        let bundle = bundle_entry(folder.clone(), Whitespace::Minimal).unwrap();
        assert_eq!(bundle.manifest.name.as_deref(), Some(app));
        let script = scratch.path().join("script.js");
        fs::write(&script, &bundle.script).unwrap();
        let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drive.cjs");
        let host_entry = bundle.entry.replacen("/app", &folder.to_string_lossy(), 1);
        let expected = run_node(&folder, &[&[&*host_entry], &args[..]].concat());
        let found = run_node(&folder, &[&[&*driver.to_string_lossy(), &*script.to_string_lossy()], &args[..]].concat());
        assert_eq!(String::from_utf8_lossy(&found.stdout), String::from_utf8_lossy(&expected.stdout), "{app}");
        assert!(expected.status.success() && found.status.success(), "{app}");
    }
}
