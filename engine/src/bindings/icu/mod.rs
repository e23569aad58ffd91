//! `icu`: decoders for every encoding of the web but UTF-8, `buffer.transcode`, the width of text on a terminal.

mod converter;
mod transcode;
mod width;

use std::cell::RefCell;

use rquickjs::TypedArray;

use crate::bindings::buffer::encoding::Encoding;
use crate::bindings::encoding_binding::malformed;
use crate::bindings::{Binding, Exports};
use crate::js::{Bytes, Call, ErrorClass, Result, Units, Value, from_str, from_utf16, own, owned, throw_coded};

use converter::{Converter, Flags};

pub(crate) const BINDING: Binding = Binding { name: "icu", init };

/// Numbers of ICU's `UErrorCode` with their names.
const ERROR_NAMES: [(i32, &str); 3] = [
    (0, "U_ZERO_ERROR"),
    (transcode::ILLEGAL_ARGUMENT, "U_ILLEGAL_ARGUMENT_ERROR"),
    (transcode::INVALID_CHARACTER, "U_INVALID_CHAR_FOUND"),
];

fn init(exports: &Exports<'_>) -> Result<()> {
    exports.function("getConverter", 0, get_converter)?;
    exports.function("hasConverter", 0, has_converter)?;
    exports.function("decode", 0, decode)?;
    exports.helper("transcode", 3, transcode_bytes)?;
    exports.function("icuErrName", 0, icu_error_name)?;
    exports.function("getStringWidth", 0, get_string_width)
}

/// `(name, flags)`: undefined for an encoding that there is not.
fn get_converter<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    match Converter::new(&call.string(0)?, Flags::from_bits(call.u32(1))) {
        Some(converter) => own(&call.ctx, RefCell::new(converter)),
        None => call.undefined(),
    }
}

fn has_converter<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(Converter::new(&call.string(0)?, Flags::from_bits(0)).is_some())
}

/// `(converter, input, flags, name of the encoding)`
fn decode<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let Some(converter) = owned::<RefCell<Converter>>(&call.arg(0)) else {
        return call.type_error("Illegal invocation");
    };
    let Some(input) = Bytes::try_from_value(&call.arg(1)) else {
        let message =
            "The \"input\" argument must be an instance of SharedArrayBuffer, ArrayBuffer or ArrayBufferView.";
        return Err(throw_coded(&call.ctx, ErrorClass::Type, "ERR_INVALID_ARG_TYPE", message));
    };
    let decoded = converter.borrow_mut().decode(input.as_slice(), Flags::from_bits(call.u32(2)));
    match decoded {
        Some(units) => from_utf16(&call.ctx, &units),
        None => Err(malformed(call, &call.string(3)?)),
    }
}

/// `(source, from, to)`: bytes, or the number of an error.
fn transcode_bytes<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let source = call.bytes(0)?;
    let encoding = |index| call.string(index).map(|name| Encoding::parse(&name));
    let (Some(from), Some(to)) = (encoding(1)?, encoding(2)?) else { return call.ret(transcode::ILLEGAL_ARGUMENT) };
    match transcode::transcode(source.as_slice(), from, to) {
        Ok(bytes) => call.ret(TypedArray::new(call.ctx.clone(), bytes)?),
        Err(error) => call.ret(error),
    }
}

fn icu_error_name<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let number = call.i32(0);
    let known = ERROR_NAMES.iter().find(|(error, _)| *error == number);
    from_str(&call.ctx, known.map_or("[BOGUS UErrorCode]", |(_, name)| name))
}

/// `(text, whether ambiguous characters are wide)`
fn get_string_width<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let text = call.text(0)?;
    let ambiguous = if call.bool(1) { width::Ambiguous::Wide } else { width::Ambiguous::Narrow };
    call.ret(match text.units() {
        Units::Latin1(bytes) => bytes.iter().map(|byte| width::columns(char::from(*byte), ambiguous)).sum::<usize>(),
        Units::Utf16(wide) => char::decode_utf16(wide.iter().copied())
            .map(|unit| unit.map_or(1, |character| width::columns(character, ambiguous)))
            .sum(),
    })
}
