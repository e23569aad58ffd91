//! Errors with a `code`, as Node's own native code throws them.

use rquickjs::{Ctx, Error, Exception};

/// The constructor of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorClass {
    /// `TypeError`.
    Type,
    /// `RangeError`.
    Range,
}

/// Throws an error of that class with a `code` property.
pub(crate) fn throw_coded(ctx: &Ctx<'_>, class: ErrorClass, code: &str, message: &str) -> Error {
    let thrown = match class {
        ErrorClass::Type => Exception::throw_type(ctx, message),
        ErrorClass::Range => Exception::throw_range(ctx, message),
    };
    let error = ctx.catch();
    match error.as_object().map(|object| object.set("code", code)) {
        Some(Ok(())) => ctx.throw(error),
        _ => thrown,
    }
}
