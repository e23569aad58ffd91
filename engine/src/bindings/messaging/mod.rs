//! `messaging`: structured clone. It is written in JavaScript, over what the engine knows of each value.

use crate::bindings::{Binding, Exports};
use crate::js::values::{self, Kind};
use crate::js::{Call, Object, Result, Value};

pub(crate) const BINDING: Binding = Binding { name: "messaging", init };

/// The kinds that structured clone treats each in its own way.
const KINDS: [(&str, Kind); 16] = [
    ("Array", Kind::Array),
    ("ArrayBuffer", Kind::ArrayBuffer),
    ("BigInt", Kind::BigInt),
    ("Boolean", Kind::Boolean),
    ("DataView", Kind::DataView),
    ("Date", Kind::Date),
    ("Error", Kind::Error),
    ("Map", Kind::Map),
    ("Number", Kind::Number),
    ("Plain", Kind::Plain),
    ("Proxy", Kind::Proxy),
    ("RegExp", Kind::RegExp),
    ("Set", Kind::Set),
    ("SharedArrayBuffer", Kind::SharedArrayBuffer),
    ("String", Kind::String),
    ("TypedArray", Kind::TypedArray),
];

fn init(exports: &Exports<'_>) -> Result<()> {
    let kinds = Object::new(exports.ctx.clone())?;
    for (name, kind) in KINDS {
        kinds.set(name, kind as i32)?;
    }
    exports.native.set("kinds", kinds)?;
    exports.helper("kind", 1, kind)?;
    exports.helper("className", 1, class_name)?;
    exports.helper("entries", 1, entries)
}

fn kind<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(values::kind(&call.arg(0)) as i32)
}

fn class_name<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    values::class_name(&call.arg(0))
}

/// The keys and values of a map, or the values of a set.
fn entries<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    match values::entries(&call.arg(0))? {
        Some((entries, _)) => Ok(entries),
        None => call.undefined(),
    }
}
