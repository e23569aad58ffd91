//! `edgepack targets`: the table of targets, one a line: its short name, then its triple.
#![expect(clippy::print_stdout, reason = "the result of the command")]

use anyhow::Result;
use edgepack_format::targets::TARGETS;

/// Runs the command.
pub(crate) fn targets() -> Result<()> {
    for target in TARGETS {
        println!("{:<8} {}", target.short, target.triple);
    }
    Ok(())
}
