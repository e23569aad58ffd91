//! `fs_dir`: directories read in portions. The glue takes the whole list at once from `fs`.

use super::{Binding, Exports};
use crate::js::Result;

pub(crate) const BINDING: Binding = Binding { name: "fs_dir", init, glue: Some(include_str!("fs_dir.js")) };

fn init(_: &Exports<'_>) -> Result<()> {
    Ok(())
}
