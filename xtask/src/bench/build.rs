//! The contenders: edgepack's executables, node with a bundle, bun's and LLRT's executables, a static C program as the
//! floor.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::project::Project;
use crate::run::{command, output, run};
use crate::{dist, node};

/// A named command.
#[derive(Debug, Clone)]
pub(crate) struct Contender {
    /// For the table.
    pub(crate) name: String,
    /// Program and arguments.
    pub(crate) command: Vec<String>,
    /// What would have to be put on a device.
    pub(crate) artefacts: Vec<PathBuf>,
}

impl Contender {
    pub(super) fn new(name: &str, command: &[&Path], artefacts: &[&Path]) -> Contender {
        Contender {
            name: name.to_owned(),
            command: command.iter().map(|word| word.display().to_string()).collect(),
            artefacts: artefacts.iter().map(|path| path.to_path_buf()).collect(),
        }
    }

    /// The size of its artefacts.
    pub(crate) fn size(&self) -> String {
        let bytes: u64 = self.artefacts.iter().filter_map(|path| Some(fs::metadata(path).ok()?.len())).sum();
        format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000)
    }
}

/// All of them; edgepack's is the first of each list.
#[derive(Debug)]
pub(crate) struct Peers {
    pub(crate) hello: Vec<Contender>,
    pub(crate) express: Vec<Contender>,
    /// An app whose module scope builds a large heap.
    pub(crate) heavy: Vec<Contender>,
    pub(crate) versions: String,
}

/// What the peers are pinned to.
const PEERS: &str = r#"{ "private": true, "dependencies": { "bun": "1.4.4", "esbuild": "0.28.2" } }"#;

/// Builds everything that is compared.
pub(crate) fn contenders(project: &Project) -> Result<Peers> {
    dist::stubs(project)?;
    let edgepack = dist::command_itself(project)?;
    let node = node::node(project)?;
    let peers = peers(project)?;
    let bun = peers.join("node_modules/.bin/bun");
    let out = project.cache.join("bench");
    fs::create_dir_all(&out)?;
    let hello = project.root.join("fixtures/apps/hello");
    let express = express(project)?;
    let versions = format!(
        "node {}, bun {}, LLRT {LLRT}",
        output(command(&node.display().to_string(), ["--version"], &out).env_remove("NODE_OPTIONS"))?.trim(),
        output(&mut command(&bun.display().to_string(), ["--version"], &out))?.trim()
    );
    let build = |app: &Path, name: &str| -> Result<(PathBuf, PathBuf, PathBuf)> {
        let ours = out.join(format!("{name}-edgepack"));
        run(command(&edgepack.display().to_string(), ["build"], &out).arg(app).arg("-o").arg(&ours))?;
        let bundled = out.join(format!("{name}.cjs"));
        let esbuild = peers.join("node_modules/.bin/esbuild").display().to_string();
        let args = ["--bundle", "--platform=node", "--minify", "--log-level=error"];
        run(command(&esbuild, args, &out).arg(app.join("index.js")).arg(format!("--outfile={}", bundled.display())))?;
        let theirs = out.join(format!("{name}-bun"));
        let args = ["build", "--compile", "--bytecode", "--minify"];
        run(command(&bun.display().to_string(), args, &out).arg(app.join("index.js")).arg("--outfile").arg(&theirs))?;
        Ok((ours, bundled, theirs))
    };
    let list = |(ours, bundled, theirs): (PathBuf, PathBuf, PathBuf)| {
        vec![
            Contender::new("edgepack", &[&ours], &[&ours]),
            Contender::new("node, bundled", &[&node, &bundled], &[&node, &bundled]),
            Contender::new("bun build --compile --bytecode --minify", &[&theirs], &[&theirs]),
        ]
    };
    let mut hello = list(build(&hello, "hello")?);
    let express = list(build(&express, "express")?);
    let floor = static_hello(&out)?;
    let qjs = qjs(project)?;
    let plain = project.root.join("fixtures/apps/hello/index.js");
    let llrt = llrt_executable(project, &plain, &out)?;
    hello.push(Contender::new("llrt compile --executable", &[&llrt], &[&llrt]));
    hello.push(Contender::new("quickjs-ng's own qjs", &[&qjs, &plain], &[&qjs]));
    hello.push(Contender::new("a static C program", &[&floor], &[&floor]));
    let heavy = out.join("heavy");
    fs::create_dir_all(&heavy)?;
    fs::write(heavy.join("index.js"), HEAVY)?;
    let heavy = list(build(&heavy, "heavy")?);
    Ok(Peers { hello, express, heavy, versions })
}

/// 50,000 entries and 2,000 functions.
pub(super) const HEAVY: &str = "const map = new Map();
for (let i = 0; i < 50000; i++) map.set(`key ${i}`, { i, text: `value ${i}` });
const functions = [];
for (let i = 0; i < 2000; i++) functions.push((x) => x + i);
console.log(map.get('key 49999').i, functions[1999](1));
";

/// The shell that comes with the engine, from the sources that the engine is built from.
fn qjs(project: &Project) -> Result<PathBuf> {
    let sources = super::targets::quickjs_sources(project)?;
    let folder = project.cached("qjs", &[], &sources.display().to_string(), |folder| {
        let text = folder.display().to_string();
        let from = sources.display().to_string();
        run(&mut command("cmake", ["-S", &from, "-B", &text, "-DCMAKE_BUILD_TYPE=Release"], folder))?;
        run(&mut command("cmake", ["--build", &text, "--target", "qjs_exe", "-j2"], folder))
    })?;
    Ok(folder.join("qjs"))
}

/// LLRT, which comes as a crate only.
const LLRT: &str = "0.8.1-beta";

/// The script with LLRT around it.
fn llrt_executable(project: &Project, script: &Path, out: &Path) -> Result<PathBuf> {
    let folder = project.cached("llrt", &[], LLRT, |folder| {
        let mut install = command("cargo", ["install", "--quiet", "--locked", "llrt", "--version", LLRT], folder);
        install.env("CARGO_TARGET_DIR", folder.join("target")).arg("--root").arg(folder);
        run(&mut install).context("LLRT")?;
        fs::remove_dir_all(folder.join("target")).map_err(Into::into)
    })?;
    let (script_here, program) = (out.join("llrt-hello.js"), out.join("hello-llrt"));
    fs::copy(script, &script_here)?;
    let llrt = folder.join("bin/llrt").display().to_string();
    let mut compile = command(&llrt, ["compile"], out);
    run(compile.arg(&script_here).arg(&program).arg("--executable"))?;
    Ok(program)
}

fn peers(project: &Project) -> Result<PathBuf> {
    project.cached("peers", &[], PEERS, |folder| {
        fs::write(folder.join("package.json"), PEERS)?;
        run(&mut command("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error"], folder))
    })
}

/// The fixture with its packages, outside of the tree.
pub(crate) fn express(project: &Project) -> Result<PathBuf> {
    let app = "fixtures/apps/express";
    project.cached("bench-express", &[app], "", |folder| {
        let source = project.root.join(app).join(".");
        run(command("cp", ["-R"], &project.root).arg(source).arg(folder))?;
        run(&mut command("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], folder))
    })
}

fn static_hello(out: &Path) -> Result<PathBuf> {
    let (source, program) = (out.join("hello.c"), out.join("hello-c"));
    fs::write(&source, "#include <unistd.h>\nint main(void) { return write(1, \"hello\\n\", 6) != 6; }\n")?;
    run(command("cc", ["-O2", "-static", "-o"], out).arg(&program).arg(&source)).context("the C floor")?;
    Ok(program)
}
