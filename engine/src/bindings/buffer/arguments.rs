//! Arguments as Node's native buffer code reads them, and the errors it throws.

use rquickjs::Coerced;

use crate::js::{Bytes, Call, Error, ErrorClass, Result, Text, throw_coded};

/// Argument `index` as the bytes of a buffer.
pub(super) fn buffer<'js>(call: &Call<'_, 'js>, index: usize) -> Result<Bytes<'js>> {
    Bytes::try_from_value(&call.arg(index))
        .ok_or_else(|| throw_coded(&call.ctx, ErrorClass::Type, "ERR_INVALID_ARG_TYPE", "argument must be a buffer"))
}

/// Argument `index` as a string.
pub(super) fn text<'js>(call: &Call<'_, 'js>, index: usize) -> Result<Text<'js>> {
    let value = call.arg(index);
    if value.is_string() {
        return Text::from_value(&value);
    }
    Err(throw_coded(&call.ctx, ErrorClass::Type, "ERR_INVALID_ARG_TYPE", "argument must be a string"))
}

/// Argument `index` as an index, `default` if it is undefined.
pub(super) fn index_or(call: &Call<'_, '_>, index: usize, default: usize) -> Result<usize> {
    let value = call.arg(index);
    if value.is_undefined() {
        return Ok(default);
    }
    let number = match value.as_number() {
        Some(number) => number,
        None => value.get::<Coerced<f64>>()?.0,
    };
    if number <= -1.0 {
        return Err(out_of_range(call, "Index out of range"));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturating is meant, NaN is 0")]
    let index = number as usize;
    Ok(index)
}

/// `ERR_OUT_OF_RANGE`.
pub(super) fn out_of_range(call: &Call<'_, '_>, message: &str) -> Error {
    throw_coded(&call.ctx, ErrorClass::Range, "ERR_OUT_OF_RANGE", message)
}
