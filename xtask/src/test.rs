//! Everything that is tested and checked, in the order of how soon it fails; the last line counts.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::project::Project;
use crate::run::{command, run};
use crate::{bench, budget, deny, device, dist, host, node, notice, setup, tidy, tools};

/// Passed and failed.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    passed: u64,
    failed: u64,
}

/// How much is run on other machines, in qemu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// A sample.
    Fast,
    /// Everything.
    Full,
}

/// The variable by which tests know that they are in the full lane.
const FULL: &str = "EDGEPACK_TEST_FULL";

/// Sets up, builds, and runs everything; with a filter only the tests it names.
pub(crate) fn test(project: &Project, lane: Lane, filter: &[&str]) -> Result<()> {
    let mut tally = Tally::default();
    if filter.is_empty() {
        tally.check("formatting", rustfmt(project));
        tally.check("house rules", tidy::tidy(project));
    }
    setup::set_up(project)?;
    dist::stubs(project)?;
    let tests = if tools::has_nextest() { nextest(project, lane, filter) } else { cargo_test(project, lane, filter) }?;
    tally.passed += tests.passed;
    tally.failed += tests.failed;
    if filter.is_empty() {
        tally.check("stubs are as small as they have to be", budget::check(project));
        let edgepack = project.target().join("release/edgepack");
        tally.check("boots are as short as they were", bench::instructions::check(project, &edgepack));
        tally.check("the Express app is process 1 of whole machines", device::check_all(project));
        if lane == Lane::Full {
            tally.check("edgepack does on its other hosts what it does here", host::test(project));
        }
        tally.check("NOTICE is current", notice::check(project));
        tally.check("clippy", clippy(project));
        tally.check("licences and duplicates", deny::check(project));
    }
    println!("{} passed, {} failed", tally.passed, tally.failed);
    if tally.failed > 0 {
        bail!("{} of {} tests failed", tally.failed, tally.passed + tally.failed);
    }
    Ok(())
}

impl Tally {
    fn check(&mut self, name: &str, result: Result<()>) {
        match result {
            Ok(()) => {
                println!("check passed: {name}");
                self.passed += 1;
            }
            Err(error) => {
                println!("check failed: {name}: {error:#}");
                self.failed += 1;
            }
        }
    }
}

fn rustfmt(project: &Project) -> Result<()> {
    run(&mut command("cargo", ["fmt", "--all", "--check"], &project.root))
}

/// In the profile of everything else, so that build scripts and macros are built once.
fn clippy(project: &Project) -> Result<()> {
    let args = ["clippy", "--quiet"].iter().chain(dist::WHOLE).chain(&["--", "--deny", "warnings"]);
    run(&mut command("cargo", args, &project.root))
}

fn nextest(project: &Project, lane: Lane, filter: &[&str]) -> Result<Tally> {
    // Ignored are only tests that build for minutes: here they are to run too.
    let args = ["nextest", "run", "--no-fail-fast", "--run-ignored", "all"].iter().chain(dist::WHOLE).chain(filter);
    // `     Summary [   0.385s] 15 tests run: 14 passed, 1 failed, 0 skipped`
    let lines = watched(project, lane, args, Stream::Err)?;
    let summary = lines.iter().rfind(|line| line.contains("tests run:") || line.contains("test run:"));
    let summary = summary.context("cargo nextest has not run any test")?;
    let failed = ["failed", "timed out", "exec failed"].iter().map(|word| count(summary, word)).sum();
    Ok(Tally { passed: count(summary, "passed"), failed })
}

fn cargo_test(project: &Project, lane: Lane, filter: &[&str]) -> Result<Tally> {
    let args = ["test", "--no-fail-fast"].iter().chain(dist::WHOLE).chain(filter).chain(&["--", "--include-ignored"]);
    // `test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out`
    let lines = watched(project, lane, args, Stream::Out)?;
    let mut tally = Tally::default();
    for line in lines.iter().filter(|line| line.starts_with("test result:")) {
        tally.passed += count(line, "passed");
        tally.failed += count(line, "failed");
    }
    if tally.passed + tally.failed == 0 {
        bail!("cargo test has not run any test");
    }
    Ok(tally)
}

/// The number before a word: 14 of `14 passed,`.
fn count(line: &str, word: &str) -> u64 {
    let Some(at) = line.find(&format!(" {word}")) else { return 0 };
    let number = line.get(..at).and_then(|before| before.rsplit(' ').next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    Out,
    Err,
}

/// Runs cargo, shows one of its streams line by line, and keeps the lines. Failing tests are no error here.
fn watched<'a>(
    project: &Project,
    lane: Lane,
    args: impl Iterator<Item = &'a &'a str>,
    stream: Stream,
) -> Result<Vec<String>> {
    let mut cargo = command("cargo", args, &project.root);
    cargo.env("EDGEPACK_NODE", node::node(project)?);
    match lane {
        Lane::Fast => cargo.env_remove(FULL),
        Lane::Full => cargo.env(FULL, "1"),
    };
    if stream == Stream::Out {
        cargo.stdout(Stdio::piped())
    } else {
        cargo.stderr(Stdio::piped())
    };
    let mut child = cargo.spawn().context("cargo cannot be started")?;
    let output: Box<dyn std::io::Read> = match (child.stdout.take(), child.stderr.take()) {
        (Some(out), _) => Box::new(out),
        (_, Some(err)) => Box::new(err),
        _ => bail!("a stream of cargo's was to be read"),
    };
    let mut lines = Vec::new();
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        lines.push(line);
    }
    child.wait()?;
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_are_counted() {
        let line = "     Summary [   0.385s] 15 tests run: 14 passed (1 slow), 1 failed, 2 skipped";
        assert_eq!((count(line, "passed"), count(line, "failed"), count(line, "timed out")), (14, 1, 0));
        let line = "test result: FAILED. 3 passed; 2 failed; 0 ignored";
        assert_eq!((count(line, "passed"), count(line, "failed")), (3, 2));
    }
}
