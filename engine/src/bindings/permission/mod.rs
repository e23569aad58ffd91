//! `permission`: Node's permission model is off; the sandbox is under it, and not of Node's making.

use super::{Binding, Exports};
use crate::js::{Call, Result, Value};

pub(crate) const BINDING: Binding = Binding { name: "permission", init };

fn init(exports: &Exports<'_>) -> Result<()> {
    exports.function("has", 2, has)?;
    exports.function("drop", 2, drop_permission)
}

fn has<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(false)
}

fn drop_permission<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.undefined()
}
