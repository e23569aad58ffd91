//! How long it takes to build the Express app: as it was when it was built last, and after a change.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;

use super::build::express;
use super::median;
use crate::dist;
use crate::project::Project;
use crate::run::{command, output};

/// How often each is built.
const ROUNDS: usize = 9;

/// The last part of `bench/boot.md`.
pub(crate) fn builds(project: &Project) -> Result<String> {
    let edgepack = dist::command_itself(project)?;
    let folder = project.cache.join("bench/builds");
    let _ = fs::remove_dir_all(&folder);
    output(command("cp", ["-R"], &project.root).arg(express(project)?).arg(&folder))?;
    let entry = folder.join("index.js");
    let text = fs::read_to_string(&entry)?;
    let build = || -> Result<f64> {
        let start = Instant::now();
        output(command(&edgepack.display().to_string(), ["build", ".", "-o"], &folder).arg(folder.join("app")))?;
        Ok(start.elapsed().as_secs_f64() * 1e3)
    };
    build()?;
    let unchanged = median((0..ROUNDS).map(|_| build()).collect::<Result<_>>()?);
    let changed = |round: usize| {
        change(&entry, &text, round)?;
        build()
    };
    let changed = median((0..ROUNDS).map(changed).collect::<Result<_>>()?);
    let mut table = format!("\n## Building Express, warm: medians of {ROUNDS}\n\n| | ms |\n| --- | ---: |\n");
    writeln!(table, "| nothing has changed | {unchanged:.0} |")?;
    writeln!(table, "| its entry has | {changed:.0} |")?;
    Ok(table)
}

/// A change that no build has seen, and that the script shows.
fn change(entry: &Path, text: &str, round: usize) -> Result<()> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_nanos();
    fs::write(entry, format!("{text}\nglobalThis.change = '{now} {round}';\n")).map_err(Into::into)
}
