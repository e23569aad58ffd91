//! What is said about a bundle: why something is in it, esbuild's metafile, and the page that shows its sizes.

mod reference;

use std::fs;
use std::process::Command;

use edgepack_bundler::{Bundle, Cause, PackageBytes, Reasons, Whitespace, bundle, explain, metafile, treemap};
use serde_json::Value;

use crate::reference::{options_for, project};

fn options() -> edgepack_bundler::BundleOptions {
    options_for(&project("fixtures/bundler/reasons/app-with-packages/entry.mjs"), Whitespace::Minimal)
}

fn bundled() -> Bundle {
    bundle(&options()).unwrap()
}

#[test]
fn the_shortest_way_to_a_package_is_told() {
    let Reasons::Kept(files) = explain(&options(), "leaf").unwrap() else { panic!("it is in the bundle") };
    let chain: Vec<String> =
        files[0].chain.iter().map(|place| format!("{}:{} {}", place.file, place.line, place.text)).collect();
    assert_eq!(files[0].path, "node_modules/leaf/index.mjs");
    assert_eq!(
        chain,
        [
            "entry.mjs:2 import { short } from 'short';",
            "node_modules/short/index.mjs:1 import { leaf, helper } from 'leaf';"
        ]
    );
}

#[test]
fn each_statement_says_what_keeps_it() {
    let Reasons::Kept(files) = explain(&options(), "leaf").unwrap() else { panic!("it is in the bundle") };
    let causes: Vec<String> = files[0]
        .statements
        .iter()
        .map(|statement| {
            let cause = match &statement.cause {
                Cause::Effects => "effects".to_owned(),
                Cause::UsedBy(place) => format!("{}:{}", place.file, place.line),
                Cause::Namespace => "namespace".to_owned(),
            };
            format!("{}: {} <- {cause}", statement.place.line, statement.place.text)
        })
        .collect();
    assert_eq!(
        causes,
        [
            "1: const table = new Map([['a', 1]]); <- effects",
            "2: export const leaf = (key) => table.get(key) ?? inner(); <- node_modules/short/index.mjs:2",
            "3: function inner() { return 0; } <- node_modules/leaf/index.mjs:2",
        ]
    );
}

#[test]
fn what_is_unused_or_unknown_is_said() {
    let Reasons::Unused(files) = explain(&options(), "unused").unwrap() else { panic!("nothing of it is kept") };
    assert_eq!(files, ["node_modules/unused/index.mjs"]);
    let Reasons::Unknown(Some(meant)) = explain(&options(), "shrot").unwrap() else { panic!("there is no such") };
    assert_eq!(meant, "short");
}

#[test]
fn the_metafile_is_esbuilds() {
    let bundle = bundled();
    let file = metafile(&bundle, "out.js");
    let entry = &file["inputs"]["entry.mjs"];
    assert_eq!(entry["format"], "esm");
    let kinds: Vec<(&str, &str)> = entry["imports"]
        .as_array()
        .unwrap()
        .iter()
        .map(|import| (import["kind"].as_str().unwrap(), import["path"].as_str().unwrap()))
        .collect();
    assert_eq!(
        kinds,
        [
            ("import-statement", "node_modules/long/index.cjs"),
            ("import-statement", "node_modules/short/index.mjs"),
            ("import-statement", "node_modules/unused/index.mjs"),
            ("import-statement", "node:module"),
            ("import-statement", "node:path"),
            ("dynamic-import", "lazy.mjs"),
            ("require-call", "table.json"),
        ]
    );
    let output = &file["outputs"]["out.js"];
    assert_eq!(output["entryPoint"], "entry.mjs");
    assert_eq!(output["bytes"], bundle.script.len());
    let kept: usize = output["inputs"]
        .as_object()
        .unwrap()
        .values()
        .map(|input| input["bytesInOutput"].as_u64().unwrap() as usize)
        .sum();
    assert!(kept > 200 && kept < bundle.script.len(), "{kept} of {}", bundle.script.len());
    assert!(output["inputs"]["node_modules/unused/index.mjs"].is_null());
    let of = |path: &str| output["inputs"][path]["bytesInOutput"].as_u64().unwrap();
    assert!(of("table.json") > 150, "a value's bytes are its file's, not those of what is printed before it");
    assert!(of("lazy.mjs") < 150 && of("entry.mjs") < 400, "{output}");
}

/// Sizes are areas: what Chromium lays out is measured.
#[test]
fn the_report_is_drawn_by_a_browser() {
    let bundle = bundled();
    let scratch = tempfile::tempdir().unwrap();
    let page = scratch.path().join("report.html");
    let snapshot = [("leaf", 3000), ("short", 1000)];
    let snapshot = snapshot.map(|(name, bytes)| PackageBytes { name: name.to_owned(), bytes });
    fs::write(&page, treemap(&bundle, &snapshot)).unwrap();
    let drawn = browse(&page.to_string_lossy());
    assert!(drawn.contains("<title>What is inside of app-with-packages</title>"), "{drawn}");
    let boxes = boxes(&drawn);
    let area = |name: &str| boxes.iter().find(|(found, _, _)| found == name).map(|(_, area, _)| *area);
    let (leaf, short) = (area("leaf").expect("leaf is drawn"), area("short").expect("short is drawn"));
    assert!((leaf / short - 3.0).abs() < 0.05, "{leaf} is not three times {short}");
    let sizes = metafile(&bundle, "out.js")["outputs"]["out.js"]["inputs"].take();
    // What the minifier has put in the places where it is used has no size of its own.
    let sized = |name: &&str| sizes[*name]["bytesInOutput"].as_u64().is_some_and(|bytes| bytes > 0);
    let names: Vec<&str> =
        bundle.modules.iter().map(|module| module.path.trim_start_matches("/app/")).filter(sized).collect();
    assert!(names.len() > 4, "{sizes}");
    for name in names {
        assert!(area(name).is_some_and(|area| area > 1.0), "{name} is not drawn in:\n{drawn}");
    }
    let script: Vec<&(String, f64, f64)> = boxes.iter().filter(|(name, _, _)| name.starts_with("long ")).collect();
    assert_eq!(script.len(), 1, "a package is drawn once for the script");
    assert!(!drawn.contains("http"), "the page asks for nothing from elsewhere");
}

fn browse(page: &str) -> String {
    let flags = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000", "--window-size=1200,900"];
    let output = Command::new("chromium")
        .args(flags)
        .arg("--dump-dom")
        .arg(format!("file://{page}"))
        .output()
        .expect("chromium runs; `cargo xtask setup` installs it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Name, area in pixels and bytes of everything drawn.
fn boxes(drawn: &str) -> Vec<(String, f64, f64)> {
    let attribute = |tag: &str, name: &str| {
        let from = tag.find(&format!(" {name}=\""))? + name.len() + 3;
        Some(tag[from..].split('"').next()?.to_owned())
    };
    let pixels = |style: &str, name: &str| {
        let found = style.split("; ").find_map(|rule| rule.strip_prefix(&format!("{name}: ")))?;
        found.trim_end_matches(';').trim_end_matches("px").parse::<f64>().ok()
    };
    let tags = drawn.split("<div").skip(1).map(|rest| rest.split('>').next().unwrap_or_default());
    let read = |tag: &str| {
        let style = attribute(tag, "style")?;
        let area = pixels(&style, "width")? * pixels(&style, "height")?;
        Some((attribute(tag, "data-name")?, area, attribute(tag, "data-bytes")?.parse().ok()?))
    };
    tags.filter_map(read).collect()
}

#[test]
fn the_metafile_is_json_in_one_order() {
    let [first, second] = [(); 2].map(|()| serde_json::to_string(&metafile(&bundled(), "out.js")).unwrap());
    assert_eq!(first, second);
    assert!(serde_json::from_str::<Value>(&first).is_ok());
}
