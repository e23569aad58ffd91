//! What holds for every bundle: the same bytes from every folder, maps that lead home, whole apps that do as Node does.

mod reference;

use std::fs;
use std::process::Command;

use edgepack_bundler::Whitespace;

use crate::reference::{bundle_entry, project, run_bundle, run_node};

#[test]
fn builds_from_different_folders_are_identical() {
    let cases = [
        ("resolve/symlinked-package", "app/entry.js"),
        ("interop/commonjs-and-esm-interleaved", "entry.mjs"),
        ("assets/files-read-by-path", "entry.cjs"),
    ];
    for (case, entry) in cases {
        let [first, second] = ["a", "some/other/place"].map(|place| {
            let scratch = tempfile::tempdir().unwrap();
            let copy = scratch.path().join(place);
            fs::create_dir_all(&copy).unwrap();
            let source = project("fixtures/bundler").join(case);
            assert!(Command::new("cp").arg("-aT").arg(source).arg(&copy).status().unwrap().success());
            let bundle = bundle_entry(&copy.join(entry), Whitespace::Minimal).unwrap();
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
    let case = project("fixtures/bundler/esm/source-positions-of-errors");
    let scratch = tempfile::tempdir().unwrap();
    for whitespace in [Whitespace::Readable, Whitespace::Minimal] {
        let bundle = bundle_entry(&case.join("entry.mjs"), whitespace).unwrap();
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

/// An error's own position, as the engine would see it, leads through types, enums, JSX and decorators.
#[test]
fn positions_of_errors_lead_home() {
    let case = project("fixtures/bundler/typescript/positions-of-errors");
    let scratch = tempfile::tempdir().unwrap();
    for whitespace in [Whitespace::Readable, Whitespace::Minimal] {
        let bundle = bundle_entry(&case.join("entry.tsx"), whitespace).unwrap();
        let ran = run_bundle(&bundle, scratch.path(), &case, &["--positions"]);
        let positions = String::from_utf8(ran.stdout).unwrap();
        assert_eq!(positions.lines().count(), 3, "{positions}{}", String::from_utf8_lossy(&ran.stderr));
        fs::write(scratch.path().join("map"), &bundle.source_map).unwrap();
        let ask = "const { SourceMap } = require('module'), { readFileSync } = require('fs');
            const map = new SourceMap(JSON.parse(readFileSync(process.argv[1])));
            for (const position of process.argv[2].trim().split('\\n')) {
              const [line, column] = position.split(':').map(Number);
              const { originalSource, originalLine, originalColumn } = map.findEntry(line - 1, column - 1);
              console.log(originalSource, originalLine + 1, originalColumn + 1);
            }";
        let answer = run_node(&case, &["-e", ask, &scratch.path().join("map").to_string_lossy(), &positions]);
        let expected = "/app/check.ts 12 9\n/app/view.tsx 5 40\n/app/entry.tsx 10 109\n";
        assert_eq!(String::from_utf8_lossy(&answer.stdout), expected, "{positions}");
    }
}

#[test]
fn fixture_apps_do_what_node_does() {
    let apps = project("fixtures/apps");
    let scratch = tempfile::tempdir().unwrap();
    for (app, args) in [("hello", vec![]), ("typescript-esm", vec!["--verbose"]), ("typescript-esm", vec![])] {
        let folder = apps.join(app).canonicalize().unwrap();
        let bundle = bundle_entry(&folder, Whitespace::Minimal).unwrap();
        assert_eq!(bundle.manifest.name.as_deref(), Some(app));
        let host_entry = bundle.entry.replacen("/app", &folder.to_string_lossy(), 1);
        let expected = run_node(&folder, &[&[&*host_entry], &args[..]].concat());
        let found = run_bundle(&bundle, scratch.path(), &folder, &args);
        assert_eq!(String::from_utf8_lossy(&found.stdout), String::from_utf8_lossy(&expected.stdout), "{app}");
        assert!(expected.status.success() && found.status.success(), "{app}");
    }
}

#[test]
fn a_source_that_is_too_large_is_refused() {
    let scratch = tempfile::tempdir().unwrap();
    fs::write(scratch.path().join("entry.js"), "require('./large.js');").unwrap();
    fs::File::create(scratch.path().join("large.js")).unwrap().set_len((64 << 20) + 1).unwrap();
    let found = bundle_entry(&scratch.path().join("entry.js"), Whitespace::Minimal).unwrap_err();
    assert_eq!(
        found.to_string(),
        "error: `large.js` is larger than 64 MiB, which is too large for a module.\n  at large.js\n  \
         imported through entry.js > large.js\n  \
         hint: Read it as a file: `readFileSync(new URL('./file', import.meta.url))`."
    );
}

#[test]
fn names_of_builtins_are_nodes() {
    let printed = run_node(&project("bundler/tests"), &["builtin_names.mjs"]);
    let kept = fs::read_to_string(project("bundler/src/builtin_names.txt")).unwrap();
    assert_eq!(kept, String::from_utf8_lossy(&printed.stdout), "node bundler/tests/builtin_names.mjs writes it anew");
}
