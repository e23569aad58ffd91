//! `cargo xtask bench bundle`: ten programs, bundled and minified by edgepack, esbuild, rolldown, rollup with terser, and
//! rspack; and the time that edgepack and esbuild take.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};

use super::build::express;
use super::{machine, median};
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
const BUNDLERS: [&str; 8] = [PLAIN, RESUMABLE, ESBUILD, ROLLDOWN, "rollup + terser", RSPACK, RESUMABLE_NAMED, NAMED];

const PLAIN: &str = "edgepack";
const RESUMABLE: &str = "edgepack, resumable";
const RESUMABLE_NAMED: &str = "edgepack, resumable, names kept";
const ESBUILD: &str = "esbuild";
const NAMED: &str = "esbuild, names kept";
const ROLLDOWN: &str = "rolldown";
const RSPACK: &str = "rspack";

/// Those that make short names.
const PEERS: [&str; 4] = [ESBUILD, ROLLDOWN, "rollup + terser", RSPACK];

/// Programs whose CommonJS modules load Node's builtins. In an ES module of esbuild's they find no `require` but one
/// that a banner declares, as its documentation advises.
const REQUIRING: [&str; 3] = ["express.cjs", "fastify.cjs", "mqtt.mjs"];
const REQUIRE: &str = "import{createRequire}from'module';const require=createRequire(import.meta.url);";

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

/// What a bundler made of a program.
enum Made {
    Bytes(u64),
    /// It prints something else than the program.
    Wrong(u64),
    Nothing,
}

/// A program, and what the bundlers made of it.
struct Row {
    name: &'static str,
    made: BTreeMap<&'static str, Made>,
}

/// Bundles everything, runs what comes out, writes `bench/bundle.md`.
pub(crate) fn bundle(project: &Project) -> Result<()> {
    let bench = prepare(project)?;
    let rows = PROGRAMS.iter().map(|(program, name)| bench.row(program, name)).collect::<Result<Vec<_>>>()?;
    let text = [
        "# Bundles\n\n".to_owned(),
        format!("Written by `cargo xtask bench bundle`. {}; {}.\n\n", machine(project)?, versions(&bench)?),
        sizes(&rows),
        goals(&rows),
        times(project, &bench)?,
    ]
    .concat();
    fs::write(project.root.join("bench/bundle.md"), &text)?;
    println!("{text}");
    Ok(())
}

const SIZES: &str = "\
## Size

Bytes of the minified ES module, and for edgepack also of the script that its engine can suspend, which is given the
functions that load modules (`engine/js/modules.js`) as node gives a script `require`. In an app it is the one whose
functions and classes keep their names; esbuild keeps them if asked to. Every output was run: those marked
wrong do not print what the program prints unbundled. esbuild's are printed as UTF-8, as all others are, and declare
`require` where builtins are asked for by it.

";

fn sizes(rows: &[Row]) -> String {
    let cells = |row: &Row| BUNDLERS.map(|bundler| row.cell(bundler)).join(" | ");
    let lines: String = rows.iter().map(|row| format!("| {} | {} |\n", row.name, cells(row))).collect();
    format!("{SIZES}| | {} |\n| --- |{}\n{lines}", BUNDLERS.join(" | "), " ---: |".repeat(BUNDLERS.len()))
}

/// For each of our forms, how many programs are as small as they should be.
fn goals(rows: &[Row]) -> String {
    let mut text = String::from(
        "\n## Goals\n\n| | never larger than esbuild's and rolldown's | within 3 % of the smallest of all |\n| --- | --- | --- |\n",
    );
    for (form, first, all) in [
        (PLAIN, &PEERS[..2], &PEERS[..]),
        (RESUMABLE, &PEERS[..2], &PEERS[..]),
        (RESUMABLE_NAMED, &[NAMED][..], &[NAMED][..]),
    ] {
        let reached = |peers: &[&str], factor: f64| {
            let missed: Vec<String> = rows.iter().filter_map(|row| row.missed(form, peers, factor)).collect();
            let count = format!("{} of {}", rows.len() - missed.len(), rows.len());
            if missed.is_empty() { count } else { format!("{count}; not {}", missed.join(", ")) }
        };
        let against = if form == RESUMABLE_NAMED { ", beside esbuild that keeps names" } else { "" };
        text += &format!("| {form}{against} | {} | {} |\n", reached(first, 1.0), reached(all, 1.03));
    }
    text
}

impl Row {
    fn cell(&self, bundler: &str) -> String {
        match self.made.get(bundler) {
            Some(Made::Bytes(bytes)) => thousands(*bytes),
            Some(Made::Wrong(bytes)) => format!("{} wrong", thousands(*bytes)),
            Some(Made::Nothing) | None => "fails".to_owned(),
        }
    }

    /// Bytes that do what they should.
    fn bytes(&self, bundler: &str) -> Option<u64> {
        match self.made.get(bundler)? {
            Made::Bytes(bytes) => Some(*bytes),
            Made::Wrong(_) | Made::Nothing => None,
        }
    }

    /// The program, with how much larger than the smallest of `peers` it is, where that is more than `factor`.
    fn missed(&self, form: &str, peers: &[&str], factor: f64) -> Option<String> {
        let smallest = peers.iter().filter_map(|peer| self.bytes(peer)).min()?;
        let Some(ours) = self.bytes(form) else { return Some(self.name.to_owned()) };
        let ratio = ours as f64 / smallest as f64;
        (ratio > factor).then(|| format!("{} (+{:.1} %)", self.name, (ratio - 1.0) * 100.0))
    }
}

/// What is bundled in how much of the time that esbuild takes: by name, the entry and the goal.
fn times(project: &Project, bench: &Bench) -> Result<String> {
    let mut text = format!(
        "\n## Time\n\nMedians of {ROUNDS} interleaved rounds, from spawn to exit, in ms; minified ES modules.\n\n"
    );
    text.push_str("| | edgepack | esbuild | ratio | goal |\n| --- | ---: | ---: | ---: | ---: |\n");
    let (express, graph) = (express(project)?.join("index.js"), made_up_graph(project)?.join("0.mjs"));
    for (name, entry, goal) in [("the Express fixture", express, "2"), ("5,000 modules", graph, "3")] {
        let (ours, theirs, ratio) = bench.times(&entry)?;
        writeln!(text, "| {name} | {ours:.0} | {theirs:.0} | {ratio:.2} | {goal} |")?;
    }
    Ok(text)
}

fn prepare(project: &Project) -> Result<Bench> {
    let edgepack = dist::command_itself(project)?;
    let source = "bench/bundle";
    let folder = project.cached("bench-bundle", &[source, "fixtures/apps/typescript-esm/src"], "", |folder| {
        run(command("cp", ["-R"], &project.root).arg(format!("{source}/.")).arg(folder))?;
        let app = folder.join("programs/typescript");
        run(command("cp", ["-R", "fixtures/apps/typescript-esm/src"], &project.root).arg(&app))?;
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
    fn row(&self, program: &str, name: &'static str) -> Result<Row> {
        let entry = format!("programs/{program}");
        let expected = self.printed(&[Path::new(&entry)]).with_context(|| format!("{entry} fails under node"))?;
        let made = BUNDLERS.map(|bundler| Ok((bundler, self.make(program, bundler, &expected)?)));
        Ok(Row { name, made: made.into_iter().collect::<Result<_>>()? })
    }

    fn make(&self, program: &str, bundler: &str, expected: &str) -> Result<Made> {
        let name = format!("{}-{}.mjs", program.replace('.', "-"), bundler.replace([' ', '+', ','], ""));
        let script = self.out.join(name);
        let _ = fs::remove_file(&script);
        let entry = format!("programs/{program}");
        if !output(&mut self.command(bundler, Path::new(&entry), &script)).is_ok_and(|_| script.is_file()) {
            return Ok(Made::Nothing);
        }
        let bytes = fs::metadata(&script)?.len();
        let found = match bundler {
            RESUMABLE | RESUMABLE_NAMED => self.printed(&[&self.driver, &script]),
            _ => self.printed(&[&script]),
        };
        Ok(if found.is_some_and(|found| without_path(program, &found) == without_path(program, expected)) {
            Made::Bytes(bytes)
        } else {
            Made::Wrong(bytes)
        })
    }

    fn printed(&self, args: &[&Path]) -> Option<String> {
        let mut node = command(&self.node.display().to_string(), ["--experimental-transform-types"], &self.folder);
        let output = node.args(args).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
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
            PLAIN => edgepack("esm"),
            RESUMABLE => edgepack("resumable"),
            RESUMABLE_NAMED => {
                let mut command = edgepack("resumable");
                command.arg("--keep-names");
                command
            }
            ESBUILD | NAMED => {
                let args = ["--bundle", "--platform=node", "--format=esm", "--minify", "--charset=utf8"];
                let mut command = command(&bin("esbuild").display().to_string(), args, &self.folder);
                command.arg(entry).arg(format!("--outfile={}", script.display())).arg("--log-level=error");
                if bundler == NAMED {
                    command.arg("--keep-names");
                }
                if REQUIRING.iter().any(|program| entry.ends_with(program)) {
                    command.arg(format!("--banner:js={REQUIRE}"));
                }
                command
            }
            ROLLDOWN => {
                let mut command = command(&node, [bin("rolldown")], &self.folder);
                command.arg(entry).args(["--platform", "node", "--format", "esm", "--minify"]);
                command.arg("--no-code-splitting").arg("-o").arg(script);
                command
            }
            RSPACK => {
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
            let pair = (time(PLAIN)?, time(ESBUILD)?);
            if round > 0 {
                ours.push(pair.0);
                theirs.push(pair.1);
            }
        }
        let ratios = ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs).collect();
        Ok((median(ours), median(theirs), median(ratios)))
    }
}

/// What a program printed, but for the line in which the TypeScript app tells of the file it runs from.
fn without_path<'a>(program: &str, printed: &'a str) -> &'a str {
    let printed = printed.trim_end();
    let last = if program.ends_with(".ts") { printed.rfind('\n') } else { None };
    &printed[..last.unwrap_or(printed.len())]
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
