//! NOTICE: the licences of everything that ends up in an executable, from what is really linked.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use edgepack_format::targets::TARGETS;
use serde_json::Value;

use crate::node;
use crate::project::Project;
use crate::run::{command, output};
use crate::tools;

/// The packages whose dependencies are linked into executables, and for which machines.
fn linked() -> impl Iterator<Item = (&'static str, &'static str)> {
    let stubs = TARGETS.iter().map(|target| ("edgepack-stub", target.triple));
    std::iter::once(("edgepack-engine", "wasm32-wasip1")).chain(stubs)
}

/// C code in executables that comes with no crate of its own.
const C_PARTS: &[(&str, &str, &str)] = &[
    ("musl", "the C library of the stub; MIT", "https://musl.libc.org"),
    ("compiler-rt", "routines of the compilers; Apache-2.0 WITH LLVM-exception", "https://compiler-rt.llvm.org"),
    (
        "wasi-libc",
        "the C library of the engine; Apache-2.0 WITH LLVM-exception, Apache-2.0, MIT",
        "https://github.com/WebAssembly/wasi-libc",
    ),
    ("Rust's standard library", "Apache-2.0 OR MIT", "https://www.rust-lang.org"),
];

const FILE: &str = "NOTICE";

/// Writes the file.
pub(crate) fn write(project: &Project) -> Result<()> {
    fs::write(project.root.join(FILE), notice(project)?)?;
    Ok(())
}

/// Whether the file says what it must.
pub(crate) fn check(project: &Project) -> Result<()> {
    let current = fs::read_to_string(project.root.join(FILE)).context("there is no NOTICE")?;
    if current != notice(project)? {
        bail!("NOTICE is out of date: run `cargo xtask notice` and commit it");
    }
    Ok(())
}

fn notice(project: &Project) -> Result<String> {
    let mut text = String::from(
        "edgepack\n\nAn executable made by edgepack contains, besides the app itself and edgepack's own code\n(Apache-2.0 OR MIT), what is listed here. This file is written by `cargo xtask notice`.\n\n",
    );
    for (name, what, from) in C_PARTS {
        writeln!(text, "{name}: {what}\n  {from}")?;
    }
    let crates = linked_crates(project)?;
    text.push_str("\nRust crates, and QuickJS-ng inside rquickjs-sys:\n\n");
    for package in crates.values() {
        writeln!(text, "{} {}: {}", package.name, package.version, package.licence)?;
    }
    for (licence, names) in licence_texts(&crates)? {
        writeln!(text, "\n{RULE}\n{}\n{RULE}\n\n{}", names.join(", "), licence.trim())?;
    }
    // zig brings the musl that is linked, with its own list of authors.
    let musl = tools::zig(project)?.join("ziglang/lib/libc/musl/COPYRIGHT");
    let musl = fs::read_to_string(&musl).with_context(|| format!("{} cannot be read", musl.display()))?;
    writeln!(text, "\n{RULE}\nmusl\n{RULE}\n\n{}", musl.trim())?;
    let node = fs::read_to_string(node::licence(project)?)?;
    writeln!(text, "\n{RULE}\nNode.js's JavaScript library\n{RULE}\n\n{}", node.trim())?;
    Ok(text)
}

const RULE: &str = "--------------------------------------------------------------------------------";

#[derive(Debug, Clone)]
struct Linked {
    name: String,
    version: String,
    licence: String,
    folder: PathBuf,
}

/// By name and version: what the engine and the stub link, without what only builds or tests them.
fn linked_crates(project: &Project) -> Result<BTreeMap<String, Linked>> {
    let mut crates = BTreeMap::new();
    for (root, platform) in linked() {
        let args = ["metadata", "--format-version", "1", "--locked", "--filter-platform", platform];
        let metadata: Value = serde_json::from_str(&output(&mut command("cargo", args, &project.root))?)?;
        let packages = by_id(&metadata["packages"]);
        let nodes = by_id(&metadata["resolve"]["nodes"]);
        let first = packages.iter().find(|(_, package)| package["name"] == root).context("a package of ours")?.0;
        let mut open = vec![*first];
        while let Some(id) = open.pop() {
            let package = packages.get(id).context("a package of the graph")?;
            let own = package["source"].is_null();
            if !own && crates.insert(id.to_owned(), one_linked(package)?).is_some() {
                continue;
            }
            open.extend(normal_dependencies(nodes.get(id).context("a node of the graph")?, &packages));
        }
    }
    Ok(crates)
}

fn by_id(list: &Value) -> BTreeMap<&str, &Value> {
    list.as_array().into_iter().flatten().filter_map(|item| Some((item["id"].as_str()?, item))).collect()
}

/// Neither build nor dev dependencies, and no macros: their code runs at build time.
fn normal_dependencies<'a>(node: &'a Value, packages: &BTreeMap<&'a str, &'a Value>) -> Vec<&'a str> {
    let deps = node["deps"].as_array().into_iter().flatten();
    let normal =
        deps.filter(|dep| dep["dep_kinds"].as_array().into_iter().flatten().any(|kind| kind["kind"].is_null()));
    let is_macro = |id: &str| {
        let targets = packages.get(id).map(|package| &package["targets"]);
        targets.and_then(Value::as_array).into_iter().flatten().any(|target| target["kind"][0] == "proc-macro")
    };
    normal.filter_map(|dep| dep["pkg"].as_str()).filter(|id| !is_macro(id)).collect()
}

fn one_linked(package: &Value) -> Result<Linked> {
    let text = |key: &str| package[key].as_str().unwrap_or("unknown").to_owned();
    let manifest = PathBuf::from(text("manifest_path"));
    let folder = manifest.parent().context("a manifest lies in a folder")?.to_owned();
    Ok(Linked { name: text("name"), version: text("version"), licence: text("license"), folder })
}

/// Each licence text once, with the crates it is for.
fn licence_texts(crates: &BTreeMap<String, Linked>) -> Result<BTreeMap<String, Vec<String>>> {
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in crates.values() {
        for file in licence_files(&package.folder)? {
            let names = texts.entry(fs::read_to_string(file)?).or_default();
            let name = format!("{} {}", package.name, package.version);
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    Ok(texts)
}

/// Of the crate, and of the C code it bundles.
fn licence_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for place in [folder.to_owned(), folder.join("quickjs"), folder.join("zstd")] {
        let Ok(entries) = fs::read_dir(place) else { continue };
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_uppercase()).unwrap_or_default();
            let fits =
                ["LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT"].iter().any(|start| name.starts_with(start));
            if fits && path.is_file() {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}
