//! `fs`: every function does its work at once and throws; the glue delivers to requests and promises later.

mod copying;
mod descriptors;
mod directories;
mod entries;
mod modules;
mod paths;
mod removal;
mod stats;
mod whole_files;

use super::{Binding, Exports};
use crate::js::Result;

pub(crate) const BINDING: Binding = Binding { name: "fs", init };

fn init(exports: &Exports<'_>) -> Result<()> {
    descriptors::init(exports)?;
    stats::init(exports)?;
    entries::init(exports)?;
    directories::init(exports)?;
    removal::init(exports)?;
    whole_files::init(exports)?;
    modules::init(exports)?;
    copying::init(exports)
}
