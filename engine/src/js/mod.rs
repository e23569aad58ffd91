//! QuickJS as the bindings see it: native functions with cheap calls, byte views, the engine's internals.

mod bytes;
mod coded;
pub(crate) mod evaluate;
mod function;
pub(crate) mod internals;
mod memory;
mod owned;
mod text;
pub(crate) mod values;

pub(crate) use bytes::Bytes;
pub(crate) use coded::{ErrorClass, new_error, throw_coded};
pub(crate) use function::{Call, Native, function};
pub(crate) use memory::heap_bytes;
pub(crate) use owned::{own, owned};
pub(crate) use text::{Text, Units, from_latin1, from_str, from_utf16};

pub(crate) use rquickjs::function::Rest;
pub(crate) use rquickjs::object::Property;
pub(crate) use rquickjs::{
    Array, ArrayBuffer, Ctx, Error, Exception, FromJs, Function, IntoJs, Object, Persistent, Result,
    String as JsString, Value,
};
