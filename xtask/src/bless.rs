//! Accepts what the tests print now: the tests write their expectation files when asked by this command only.

use anyhow::{Result, bail};

use crate::dist;
use crate::project::Project;
use crate::run::{command, run};

/// The variable by which tests know that they are to write.
const BLESS: &str = "EDGEPACK_BLESS";

/// Runs every test in writing mode; look at the difference before committing it.
pub(crate) fn bless(project: &Project) -> Result<()> {
    if std::env::var_os("CI").is_some() {
        bail!(
            "expectations are not accepted in CI: run `cargo xtask bless` on your machine and commit what it changed"
        );
    }
    run(command("cargo", ["test", "--no-fail-fast"].iter().chain(dist::WHOLE), &project.root).env(BLESS, "1"))
}
