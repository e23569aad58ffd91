//! `buffer`: text and bytes into each other, searching, comparing and filling.

pub(crate) mod encoding;
pub(crate) mod utf8;

mod arguments;
mod base64;
mod bytes;
mod hex;
mod search;
mod text;

use crate::bindings::{Binding, Exports};
use crate::js::Result;

pub(crate) const BINDING: Binding = Binding { name: "buffer", init };

fn init(exports: &Exports<'_>) -> Result<()> {
    text::init(exports)?;
    bytes::init(exports)
}
