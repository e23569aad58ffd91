//! `edgepack node`: a script → the running script, as `node FILE` runs it.

use anyhow::Result;

use crate::args::NodeArgs;
use crate::build::{executable, pack_node};
use crate::commands::build::target;
use crate::failure::Failure;
use crate::launch::become_app;

/// Runs the command; returns only if the script cannot be started.
pub(crate) fn node(args: &NodeArgs) -> Result<()> {
    let shown = args.file.display();
    // Node makes the path absolute, but resolves links only as it loads.
    let file = std::path::absolute(&args.file).map_err(|error| Failure::new(format!("{shown}: {error}")))?;
    let Some(file) = file.to_str() else {
        return Err(Failure::new(format!("the name of {shown} is not UTF-8")).into());
    };
    let target = target(None)?;
    let container = pack_node(file, target)?;
    become_app(&executable(target, &container)?, "node", &args.args)?;
    Ok(())
}
