//! The current async context frame, carried by promise reactions.

use super::{Binding, Exports};
use crate::js::{Call, Result, Value, internals};

pub(crate) const BINDING: Binding = Binding { name: "async_context_frame", init };

fn init(exports: &Exports<'_>) -> Result<()> {
    exports.function("getContinuationPreservedEmbedderData", 0, get)?;
    exports.function("setContinuationPreservedEmbedderData", 1, set)
}

fn get<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    Ok(internals::frame(&call.ctx))
}

fn set<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    internals::set_frame(&call.arg(0));
    call.undefined()
}
