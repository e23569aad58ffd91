//! `string_decoder`: decodes a stream of chunks without splitting characters. What is incomplete waits in seven bytes
//! that JavaScript holds.

use crate::bindings::buffer::encoding::{self, Encoding};
use crate::bindings::{Binding, Exports};
use crate::js::{Bytes, Call, ErrorClass, Result, Value, from_latin1, throw_coded};

pub(crate) const BINDING: Binding = Binding { name: "string_decoder", init };

/// Bytes of an incomplete character or group, at most.
const INCOMPLETE_MAX: usize = 4;
const MISSING: usize = 4;
const BUFFERED: usize = 5;
const ENCODING: usize = 6;
const STATE_SIZE: usize = 7;

fn init(exports: &Exports<'_>) -> Result<()> {
    exports.function("decode", 0, decode)?;
    exports.function("flush", 0, flush)
}

/// The state as JavaScript keeps it.
struct State {
    incomplete: [u8; INCOMPLETE_MAX],
    missing: usize,
    buffered: usize,
    encoding: Encoding,
}

impl State {
    fn load(bytes: &Bytes<'_>) -> Option<State> {
        let bytes = bytes.as_slice().get(..STATE_SIZE)?;
        let mut incomplete = [0; INCOMPLETE_MAX];
        incomplete.copy_from_slice(&bytes[..INCOMPLETE_MAX]);
        let buffered = usize::from(bytes[BUFFERED]).min(INCOMPLETE_MAX);
        let missing = usize::from(bytes[MISSING]).min(INCOMPLETE_MAX - buffered);
        Some(State { incomplete, missing, buffered, encoding: Encoding::from_number(u32::from(bytes[ENCODING])) })
    }

    fn store(&self, bytes: &Bytes<'_>) {
        let Some(bytes) = bytes.as_mut_slice().get_mut(..STATE_SIZE) else { return };
        bytes[..INCOMPLETE_MAX].copy_from_slice(&self.incomplete);
        bytes[MISSING] = self.missing.to_le_bytes()[0];
        bytes[BUFFERED] = self.buffered.to_le_bytes()[0];
    }

    /// Takes what completes the incomplete character out of `chunk`: its bytes once nothing is missing.
    fn complete(&mut self, chunk: &mut &[u8]) -> Option<([u8; INCOMPLETE_MAX], usize)> {
        if self.encoding == Encoding::Utf8 {
            let continuing = chunk.iter().take(self.missing).take_while(|byte| **byte & 0xc0 == 0x80).count();
            if continuing < chunk.len().min(self.missing) {
                // A new character starts too early: the old one ends here, malformed.
                self.missing = continuing;
            }
        }
        let count = chunk.len().min(self.missing);
        self.incomplete[self.buffered..self.buffered + count].copy_from_slice(&chunk[..count]);
        *chunk = &chunk[count..];
        self.buffered += count;
        self.missing -= count;
        if self.missing > 0 {
            return None;
        }
        Some((self.incomplete, std::mem::take(&mut self.buffered)))
    }

    /// Sets aside the incomplete end of `chunk`.
    fn set_aside(&mut self, chunk: &mut &[u8]) {
        let (buffered, missing) = match self.encoding {
            Encoding::Utf8 => incomplete_utf8(chunk),
            Encoding::Utf16Le if chunk.len() % 2 == 1 => (1, 1),
            Encoding::Utf16Le if chunk.last().is_some_and(|byte| is_lead(*byte)) => (2, 2),
            Encoding::Base64 | Encoding::Base64Url => (chunk.len() % 3, (3 - chunk.len() % 3) % 3),
            _ => (0, 0),
        };
        let rest = chunk.len() - buffered;
        self.incomplete[..buffered].copy_from_slice(&chunk[rest..]);
        *chunk = &chunk[..rest];
        (self.buffered, self.missing) = (buffered, missing);
    }
}

/// Whether the high byte of a UTF-16 unit makes it the first half of a pair.
fn is_lead(byte: u8) -> bool {
    byte & 0xfc == 0xd8
}

/// How many bytes at the end begin a character that is not complete, and how many it lacks.
fn incomplete_utf8(chunk: &[u8]) -> (usize, usize) {
    for (index, byte) in chunk.iter().rev().enumerate().take(INCOMPLETE_MAX) {
        let buffered = index + 1;
        let length = match byte {
            0x80..=0xbf => continue,
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf7 => 4,
            _ => 0,
        };
        return if buffered < length { (buffered, length - buffered) } else { (0, 0) };
    }
    (0, 0)
}

/// `(state, chunk)`
fn decode<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let state_bytes = call.bytes(0)?;
    let Some(chunk) = Bytes::try_from_value(&call.arg(1)) else {
        let message = "The \"buf\" argument must be an instance of Buffer, TypedArray, or DataView.";
        return Err(throw_coded(&call.ctx, ErrorClass::Type, "ERR_INVALID_ARG_TYPE", message));
    };
    let Some(mut state) = State::load(&state_bytes) else { return call.type_error("The decoder's state is too short") };
    let mut chunk = chunk.as_slice();
    let mut text = Vec::new();
    if state.missing > 0
        && let Some((completed, length)) = state.complete(&mut chunk)
    {
        text.extend_from_slice(&completed[..length]);
    }
    let completed = text.len();
    if !chunk.is_empty() {
        state.set_aside(&mut chunk);
    }
    state.store(&state_bytes);
    if completed == 0 {
        return encoding::decode(&call.ctx, chunk, state.encoding);
    }
    if state.encoding == Encoding::Utf8 && std::str::from_utf8(&text).is_err() {
        return decode_apart(call, &text, chunk);
    }
    text.extend_from_slice(chunk);
    encoding::decode(&call.ctx, &text, state.encoding)
}

/// A malformed character is replaced by itself: its bytes must not join those that follow.
fn decode_apart<'js>(call: &Call<'_, 'js>, first: &[u8], second: &[u8]) -> Result<Value<'js>> {
    let text = format!("{}{}", String::from_utf8_lossy(first), String::from_utf8_lossy(second));
    crate::js::from_str(&call.ctx, &text)
}

/// `(state)`: what was set aside, as it is.
fn flush<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let state_bytes = call.bytes(0)?;
    let Some(mut state) = State::load(&state_bytes) else { return from_latin1(&call.ctx, b"") };
    let mut rest = state.buffered;
    if state.encoding == Encoding::Utf16Le {
        rest &= !1;
    }
    (state.buffered, state.missing) = (0, 0);
    state.store(&state_bytes);
    encoding::decode(&call.ctx, &state.incomplete[..rest], state.encoding)
}
