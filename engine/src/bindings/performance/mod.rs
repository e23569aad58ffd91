//! `performance.now` and the process's milestones.

use super::{Binding, Exports};
use crate::host::waiting;
use crate::js::{Call, Result, Value};

pub(crate) const BINDING: Binding = Binding { name: "performance", init };

fn init(exports: &Exports<'_>) -> Result<()> {
    exports.helper("clock", 0, super::edge_loop::clock)?;
    exports.helper("clockNanoseconds", 0, clock_nanoseconds)?;
    exports.helper("timestampMicroseconds", 0, timestamp_microseconds)
}

fn clock_nanoseconds<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(waiting::monotonic_nanoseconds())
}

fn timestamp_microseconds<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(waiting::timestamp_microseconds())
}
