//! `cargo deny`: only permissive licences, only known sources, no advisories on purpose (they need the network's day).

use anyhow::Result;

use crate::project::Project;
use crate::run::{command, run};
use crate::tools;

/// Checks `deny.toml` against everything that is linked or run to build.
pub(crate) fn check(project: &Project) -> Result<()> {
    let tool = tools::cargo_deny(project)?;
    let args = ["--all-features", "check", "--hide-inclusion-graph", "licenses", "bans", "sources"];
    run(&mut command(&tool.display().to_string(), args, &project.root))
}
