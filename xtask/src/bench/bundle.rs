//! `cargo xtask bench bundle`: ten programs, bundled and minified by edgepack, esbuild, rolldown, rollup with terser, and
//! rspack; and the time that edgepack and esbuild take.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};

use super::build::express;
use super::median;
use crate::project::Project;
use crate::run::{command, output, run};
use crate::{dist, node};

/// What is bundled: the file in `bench/bundle/programs` and what it is, or a path from the repository's root.
const PROGRAMS: [(&str, &str); 10] = [
    ("lodash.mjs", "lodash-es, `debounce`"),
    ("date-fns.mjs", "date-fns, `addDays`"),
    ("rxjs.mjs", "rxjs, `map`"),
    ("zod.mjs", "zod, one object"),
    ("three.mjs", "three, `Vector3`"),
    ("express.cjs", "express"),
    ("fastify.cjs", "fastify"),
    ("mqtt.mjs", "mqtt"),
    ("hono.mjs", "hono"),
    ("typescript.ts", "a TypeScript app"),
];

/// The bundlers, in the order of the columns.
const BUNDLERS: [&str; 8] =
    ["edgepack", RESUMABLE, "esbuild", "rolldown", "rollup + terser", "rspack", RESUMABLE_NAMED, "esbuild, names kept"];

const RESUMABLE: &str = "edgepack, resumable";
const RESUMABLE_NAMED: &str = "edgepack, resumable, names kept";

/// How often the time of a bundler is taken.
const ROUNDS: usize = 7;

/// Modules of the graph that is made up.
const MODULES: usize = 5000;

struct Bench {
    edgepack: PathBuf,
    node: PathBuf,
    /// `bench/bundle` with its packages.
    folder: PathBuf,
    out: PathBuf,
    /// Runs a resumable script as the engine would.
    driver: PathBuf,
}

/// Bundles everything, runs what comes out, writes `bench/bundle.md`.
pub(crate) fn bundle(project: &Project) -> Result<()> {
    let bench = prepare(project)?;
    let mut text =
        String::from("# Bundles\n\nWritten by `cargo xtask bench bundle`: bytes of the minified ES module, ");
    text.push_str("and for edgepack also of the script that its engine\ncan suspend. In an app it is the one whose functions and classes keep their names; esbuild keeps them if asked to.\nEvery output prints what the program prints unbundled; \"wrong\" does not. ");
    writeln!(text, "{}.\n", versions(&bench)?)?;
    writeln!(text, "| | {} |\n| --- |{}", BUNDLERS.join(" | "), " ---: |".repeat(BUNDLERS.len()))?;
    for (program, name) in PROGRAMS {
        let cells: Vec<String> = BUNDLERS.iter().map(|bundler| bench.cell(program, bundler)).collect::<Result<_>>()?;
        writeln!(text, "| {name} | {} |", cells.join(" | "))?;
    }
    text.push_str("\n## Time\n\n");
    writeln!(text, "Medians of {ROUNDS} interleaved rounds, from spawn to exit, in ms.\n")?;
    text.push_str("| | edgepack | esbuild | ratio |\n| --- | ---: | ---: | ---: |\n");
    let graph = made_up_graph(project)?;
    let apps = [("the Express fixture", express(project)?.join("index.js")), ("5,000 modules", graph.join("0.mjs"))];
    for (name, entry) in apps {
        let (ours, theirs, ratio) = bench.times(&entry)?;
        writeln!(text, "| {name} | {ours:.0} | {theirs:.0} | {ratio:.2} |")?;
    }
    fs::write(project.root.join("bench/bundle.md"), &text)?;
    println!("{text}");
    Ok(())
}

fn prepare(project: &Project) -> Result<Bench> {
    let edgepack = dist::command_itself(project)?;
    let source = "bench/bundle";
    let folder = project.cached("bench-bundle", &[source, "fixtures/apps/typescript-esm/src"], "", |folder| {
        run(command("cp", ["-R"], &project.root).arg(format!("{source}/.")).arg(folder))?;
        let app = folder.join("programs/typescript");
        run(command("cp", ["-R", "fixtures/apps/typescript-esm/src"], &project.root).arg(&app))?;
        fs::write(folder.join("programs/typescript.ts"), "import './typescript/main.js';\n")?;
        // Not `ci`: it wants the lock file to name the binaries of all other platforms, too.
        run(&mut command("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error"], folder))
    })?;
    let out = folder.join("out");
    fs::create_dir_all(&out)?;
    let driver = project.root.join("bundler/tests/drive.cjs");
    Ok(Bench { edgepack, node: node::node(project)?, folder, out, driver })
}

fn versions(bench: &Bench) -> Result<String> {
    let mut found = Vec::new();
    for package in ["esbuild", "rolldown", "rollup", "terser", "@rspack/core"] {
        let manifest = fs::read(bench.folder.join("node_modules").join(package).join("package.json"))?;
        let manifest: serde_json::Value = serde_json::from_slice(&manifest)?;
        found.push(format!("{package} {}", manifest["version"].as_str().unwrap_or_default()));
    }
    Ok(found.join(", "))
}

impl Bench {
    fn cell(&self, program: &str, bundler: &str) -> Result<String> {
        let entry = format!("programs/{program}");
        let name = format!("{}-{}.mjs", program.replace('.', "-"), bundler.replace([' ', '+', ','], ""));
        let script = self.out.join(name);
        let _ = fs::remove_file(&script);
        if !output(&mut self.command(bundler, Path::new(&entry), &script)).is_ok_and(|_| script.is_file()) {
            return Ok("fails".to_owned());
        }
        let bytes = fs::metadata(&script)?.len();
        let expected = self.printed(&[Path::new(&entry)]);
        let found = match bundler {
            RESUMABLE | RESUMABLE_NAMED => self.printed(&[&self.driver, &script]),
            _ => self.printed(&[&script]),
        };
        // Where it says the path it runs from, a bundle differs from the files.
        Ok(if expected == found || program.ends_with(".ts") {
            thousands(bytes)
        } else {
            format!("{} wrong", thousands(bytes))
        })
    }

    fn printed(&self, args: &[&Path]) -> Option<Vec<u8>> {
        let mut node = command(&self.node.display().to_string(), ["--experimental-transform-types"], &self.folder);
        let output = node.args(args).output().ok()?;
        output.status.success().then_some(output.stdout)
    }

    fn command(&self, bundler: &str, entry: &Path, script: &Path) -> std::process::Command {
        let node = self.node.display().to_string();
        let bin = |name: &str| self.folder.join("node_modules/.bin").join(name);
        let edgepack = |format: &str| {
            let mut command = command(&self.edgepack.display().to_string(), ["bundle"], &self.folder);
            command.arg(entry).arg("-o").arg(script).args(["--format", format]);
            command
        };
        match bundler {
            "edgepack" => edgepack("esm"),
            RESUMABLE => edgepack("resumable"),
            RESUMABLE_NAMED => {
                let mut command = edgepack("resumable");
                command.arg("--keep-names");
                command
            }
            "esbuild" | "esbuild, names kept" => {
                let args = ["--bundle", "--platform=node", "--format=esm", "--minify", "--log-level=error"];
                let mut command = command(&bin("esbuild").display().to_string(), args, &self.folder);
                command.arg(entry).arg(format!("--outfile={}", script.display()));
                if bundler != "esbuild" {
                    command.arg("--keep-names");
                }
                command
            }
            "rolldown" => {
                let mut command = command(&node, [bin("rolldown")], &self.folder);
                command.arg(entry).args(["--platform", "node", "--format", "esm", "--minify"]);
                command.arg("--no-code-splitting").arg("-o").arg(script);
                command
            }
            "rspack" => {
                let mut command = command(&node, ["rspack.mjs"], &self.folder);
                command.arg(entry).arg(script);
                command
            }
            _ => {
                let mut command = command(&node, ["rollup.mjs"], &self.folder);
                command.arg(entry).arg(script);
                command
            }
        }
    }

    /// Milliseconds of edgepack and of esbuild, and the median of the rounds' ratios.
    fn times(&self, entry: &Path) -> Result<(f64, f64, f64)> {
        let script = self.out.join("timed.mjs");
        let time = |bundler: &str| -> Result<f64> {
            let start = Instant::now();
            output(&mut self.command(bundler, entry, &script)).with_context(|| bundler.to_owned())?;
            Ok(start.elapsed().as_secs_f64() * 1e3)
        };
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for round in 0..=ROUNDS {
            let pair = (time("edgepack")?, time("esbuild")?);
            if round > 0 {
                ours.push(pair.0);
                theirs.push(pair.1);
            }
        }
        let ratios = ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs).collect();
        Ok((median(ours), median(theirs), median(ratios)))
    }
}

/// Modules that import two others each, one of them by a re-export.
fn made_up_graph(project: &Project) -> Result<PathBuf> {
    project.cached("bench-graph", &[], &format!("{MODULES} modules, 1"), |folder| {
        for number in 0..MODULES {
            let (left, right) = (number * 2 + 1, number * 2 + 2);
            let mut text = String::new();
            let mut sum = format!("{number}");
            for child in [left, right].into_iter().filter(|child| *child < MODULES) {
                writeln!(text, "import {{ total as total{child} }} from './{child}.mjs';")?;
                write!(sum, " + total{child}({child})")?;
            }
            writeln!(text, "const names = ['module{number}', 'name{number}'];")?;
            writeln!(text, "export function unused{number}(value) {{ return names.includes(value) ? value : null; }}")?;
            writeln!(text, "export class Item{number} {{ constructor(value) {{ this.value = value; }} get() {{ return this.value; }} }}")?;
            writeln!(text, "export function total(seed) {{\n  const item = new Item{number}(seed);\n  let sum = {sum};")?;
            writeln!(text, "  for (let i = 0; i < names.length; i++) sum += names[i].length + item.get();\n  return sum;\n}}")?;
            if number == 0 {
                writeln!(text, "console.log(total(1));")?;
            }
            fs::write(folder.join(format!("{number}.mjs")), text)?;
        }
        Ok(())
    })
}

fn thousands(bytes: u64) -> String {
    let digits = bytes.to_string();
    let mut shown = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}
