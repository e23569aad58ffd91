//! `uv`: the system's error numbers, their names and messages.

mod exception;
mod numbers;

pub(crate) use exception::{Failed, note_refusal, settle};
pub(crate) use numbers::{message, name};

use super::{Binding, Exports};
use crate::js::{Array, Call, Result, Value};

pub(crate) const BINDING: Binding = Binding { name: "uv", init };

fn init(exports: &Exports<'_>) -> Result<()> {
    exports.function("errname", 1, errname)?;
    exports.function("getErrorMessage", 1, get_error_message)?;
    exports.helper("numbers", 0, all_numbers)?;
    exports.helper("refusal", 1, refusal)?;
    exports.helper("accessDenied", 1, refusal_error)
}

fn errname<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(name(call.i32(0)))
}

fn get_error_message<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(message(call.i32(0)))
}

/// Number, name, message, and so on, for all.
fn all_numbers<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let flat = Array::new(call.ctx.clone())?;
    for (index, (number, name, message)) in numbers::NUMBERS.iter().enumerate() {
        flat.set(index * 3, -number)?;
        flat.set(index * 3 + 1, *name)?;
        flat.set(index * 3 + 2, *message)?;
    }
    call.ret(flat)
}

/// The message of the last refusal with that number.
fn refusal<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(exception::refusal_message(call.i32(0)))
}

/// An error for the last refusal with that number.
fn refusal_error<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(exception::refusal_error(&call.ctx, call.i32(0))?)
}
