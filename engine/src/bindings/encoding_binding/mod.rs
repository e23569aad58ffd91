//! `encoding_binding`: `TextEncoder`, `TextDecoder` for UTF-8, and domain names to ASCII and back.

use rquickjs::TypedArray;

use crate::bindings::buffer::encoding::{self, Encoding};
use crate::bindings::buffer::utf8;
use crate::bindings::url::domain;
use crate::bindings::{Binding, Exports};
use crate::js::{Bytes, Call, ErrorClass, Result, Value, from_str, throw_coded};

pub(crate) const BINDING: Binding = Binding { name: "encoding_binding", init };

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

fn init(exports: &Exports<'_>) -> Result<()> {
    exports.helper("encodeInto", 2, encode_into)?;
    exports.function("encodeUtf8String", 0, encode_utf8_string)?;
    exports.function("decodeUTF8", 0, decode_utf8)?;
    exports.function("toASCII", 0, to_ascii)?;
    exports.function("toUnicode", 0, to_unicode)
}

/// `(text, target, results)`: puts how many units were read and bytes written into `results`, a `Uint32Array`.
fn encode_into<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let (text, target, results) = (call.text(0)?, call.bytes(1)?, call.bytes(2)?);
    let progress = utf8::write(text.units(), target.as_mut_slice());
    for (slot, count) in results.as_mut_slice().chunks_exact_mut(4).zip([progress.read, progress.written]) {
        slot.copy_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_ne_bytes());
    }
    call.undefined()
}

fn encode_utf8_string<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let text = call.text(0)?;
    call.ret(TypedArray::new(call.ctx.clone(), encoding::encode(text.units(), Encoding::Utf8))?)
}

/// `(bytes, keep the byte order mark, fatal)`
fn decode_utf8<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let Some(bytes) = Bytes::try_from_value(&call.arg(0)) else {
        let message = "The \"list\" argument must be an instance of SharedArrayBuffer, ArrayBuffer or ArrayBufferView.";
        return Err(throw_coded(&call.ctx, ErrorClass::Type, "ERR_INVALID_ARG_TYPE", message));
    };
    let mut bytes = bytes.as_slice();
    if call.bool(2) && std::str::from_utf8(bytes).is_err() {
        return Err(malformed(call, "utf-8"));
    }
    if !call.bool(1) {
        bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    }
    encoding::decode(&call.ctx, bytes, Encoding::Utf8)
}

/// What a fatal decoder throws.
pub(crate) fn malformed(call: &Call<'_, '_>, encoding: &str) -> crate::js::Error {
    let message = format!("The encoded data was not valid for encoding {encoding}");
    throw_coded(&call.ctx, ErrorClass::Type, "ERR_ENCODING_INVALID_ENCODED_DATA", &message)
}

fn to_ascii<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    from_str(&call.ctx, &domain::to_ascii(&call.string(0)?).unwrap_or_default())
}

fn to_unicode<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    from_str(&call.ctx, &domain::to_unicode(&call.string(0)?))
}
