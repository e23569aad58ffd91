//! How many instructions boots execute, which a busy machine does not change: held to what is committed in
//! `bench/instructions.json`, and to be the same however large an app is.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::build::{Contender, HEAVY, express};
use super::measure::{INSTRUCTIONS, instructions};
use crate::project::Project;
use crate::run::{command, run};

/// By app.
type Counts = BTreeMap<String, f64>;

/// What is committed.
const FILE: &str = "bench/instructions.json";

/// More than this share above what is committed is a failure.
const GROWTH_MAX: f64 = 0.05;

/// An app of so many megabytes more may take so much more.
const WEIGHT_GROWTH_MAX: f64 = 0.02;
const WEIGHTS: [u32; 3] = [1, 10, 100];

/// The check of the test command. Writes the file if there is none.
pub(crate) fn check(project: &Project, edgepack: &Path) -> Result<()> {
    let counts = count(project, edgepack)?;
    for (name, count) in &counts {
        println!("{name}: {count} instructions");
    }
    let path = project.root.join(FILE);
    if !path.exists() {
        return write(&path, &counts);
    }
    let committed: Counts = serde_json::from_str(&fs::read_to_string(&path)?).with_context(|| FILE.to_owned())?;
    let grown = counts
        .iter()
        .filter(|(name, count)| committed.get(*name).is_none_or(|committed| **count > committed * (1.0 + GROWTH_MAX)));
    let grown: Vec<String> = grown
        .map(|(name, count)| format!("{name} executes {count}, {FILE} has {}", committed.get(name).unwrap_or(&0.0)))
        .collect();
    ensure!(grown.is_empty(), "boots have become slower: {}", grown.join("; "));
    weighed(&counts)
}

/// `bench/instructions.json` anew.
pub(crate) fn bless(project: &Project, edgepack: &Path) -> Result<()> {
    write(&project.root.join(FILE), &count(project, edgepack)?)
}

fn write(path: &Path, counts: &Counts) -> Result<()> {
    fs::write(path, serde_json::to_string_pretty(counts)? + "\n").map_err(Into::into)
}

fn weighed(counts: &Counts) -> Result<()> {
    let of = |megabytes: u32| counts.get(&weight_name(megabytes)).copied().context("all are counted");
    let lightest = of(WEIGHTS[0])?;
    for megabytes in WEIGHTS {
        let count = of(megabytes)?;
        if count > lightest * (1.0 + WEIGHT_GROWTH_MAX) {
            bail!("an app with {megabytes} MB boots in {count} instructions, one with {} MB in {lightest}", WEIGHTS[0]);
        }
    }
    Ok(())
}

fn count(project: &Project, edgepack: &Path) -> Result<Counts> {
    let out = project.cache.join("bench");
    fs::create_dir_all(&out)?;
    let app = |name: &str, app: &Path| -> Result<Contender> {
        let program = out.join(format!("count-{name}"));
        run(command(&edgepack.display().to_string(), ["build"], &out).arg(app).arg("-o").arg(&program))?;
        Ok(Contender::new(name, &[&program], &[&program]))
    };
    let script = |name: &str, text: &str| -> Result<PathBuf> {
        let path = out.join(format!("count-{name}.js"));
        fs::write(&path, text).map(|()| path).map_err(Into::into)
    };
    let mut apps = vec![
        (app("hello", &project.root.join("fixtures/apps/hello"))?, false),
        (app("heavy", &script("heavy", HEAVY)?)?, false),
        (app("express", &express(project)?)?, true),
    ];
    for megabytes in WEIGHTS {
        let name = weight_name(megabytes);
        apps.push((app(&name, &script(&name, &weight(megabytes))?)?, false));
    }
    let counted = |(app, asks): (Contender, bool)| {
        // When a request comes decides how often a server looks for one: the lowest of a few counts.
        let runs = if asks { 3 } else { 1 };
        let mut lowest = f64::INFINITY;
        for _ in 0..runs {
            let row = instructions(&app, asks).with_context(|| app.name.clone())?;
            lowest = lowest.min(row.get(INSTRUCTIONS).copied().context("counted")?);
        }
        Ok((app.name, lowest))
    };
    apps.into_iter().map(counted).collect()
}

fn weight_name(megabytes: u32) -> String {
    format!("weight-{megabytes:03}")
}

/// An app that holds so many megabytes that differ from page to page and do not compress, and prints a line.
fn weight(megabytes: u32) -> String {
    format!(
        "const block = Buffer.alloc(1 << 20);
let state = 1;
for (let i = 0; i < block.length; i += 4) {{
  state ^= state << 13; state ^= state >>> 17; state ^= state << 5;
  block.writeInt32LE(state, i);
}}
const weight = [];
for (let i = 0; i < {megabytes}; i++) {{
  const copy = Buffer.from(block);
  for (let page = 0; page < copy.length; page += 4096) copy.writeUInt32LE(i, page);
  weight.push(copy);
}}
globalThis.weight = weight;
console.log('weighs', weight.length);
"
    )
}
