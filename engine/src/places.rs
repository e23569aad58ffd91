//! Where positions in the app's script stand in its sources, for stack traces.

use core::cell::RefCell;

use edgepack_format::positions;

use crate::js::{Call, Result, Value};

thread_local! {
    /// The script's name, and its positions as they were loaded: nothing of them is read before a stack trace asks.
    static SCRIPT: RefCell<(Box<str>, Box<[u8]>)> = RefCell::default();
}

/// Replaces them.
pub(crate) fn install(script: &str, positions: &[u8]) {
    SCRIPT.set((Box::from(script), Box::from(positions)));
}

/// `originalPlace(script, line, column)`: `file:line:column`, or undefined.
pub(crate) fn original_place<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let asked = call.string(0)?;
    let place = SCRIPT.with_borrow(|(script, bytes)| {
        let place = if **script == *asked { positions::find(bytes, call.u32(1), call.u32(2)) } else { None };
        place.map(|place| format!("{}:{}:{}", place.source, place.line, place.column))
    });
    match place {
        Some(place) => call.ret(place),
        None => call.undefined(),
    }
}
