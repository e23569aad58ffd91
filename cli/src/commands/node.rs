//! `edgepack node`: a script → the running script, as `node FILE` runs it.

use anyhow::Result;

use crate::args::NodeArgs;
use crate::build::{executable, pack_node};
use crate::failure::Failure;
use crate::launch::become_app;
use crate::target::named_one;

/// Runs the command; returns only if the script cannot be started.
pub(crate) fn node(args: &NodeArgs) -> Result<()> {
    let shown = args.file.display();
    // Node makes the path absolute, but resolves links only as it loads.
    let file = std::path::absolute(&args.file).map_err(|error| Failure::new(format!("{shown}: {error}")))?;
    let Some(file) = file.to_str() else {
        return Err(Failure::new(format!("the name of {shown} is not UTF-8")).into());
    };
    let target = named_one(args.target.as_deref())?;
    let container = pack_node(file)?;
    become_app(target, &executable(target, &container)?, "node", &args.args)?;
    Ok(())
}
