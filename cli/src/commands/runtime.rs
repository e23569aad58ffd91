//! `edgepack runtime`: writes `edgepack-run`, which runs containers on a device.
#![expect(clippy::print_stdout, reason = "the result of the command")]

use std::path::PathBuf;

use anyhow::Result;

use crate::args::RuntimeArgs;
use crate::embedded;
use crate::output::{self, Kind, paths};
use crate::report::size;
use crate::target::named_all;

/// The name that `#!` lines look for.
const NAME: &str = "edgepack-run";

/// Runs the command.
pub(crate) fn runtime(args: &RuntimeArgs) -> Result<()> {
    let targets = named_all(&args.target)?;
    let output = args.output.clone().unwrap_or_else(|| PathBuf::from(NAME));
    let paths = paths(&output, &targets);
    paths.iter().try_for_each(|path| output::check(path))?;
    for (path, target) in paths.iter().zip(targets) {
        let stub = embedded::stub(target)?;
        output::write(path, &stub, Kind::Executable)?;
        println!("{} ({})", path.display(), size(stub.len()));
    }
    Ok(())
}
