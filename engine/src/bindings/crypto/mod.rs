//! `internalBinding('crypto')`: digests, HMAC, key derivation, random bytes and secret keys. What needs ciphers,
//! key pairs or certificates is not here yet.

mod derive;
mod digest;
mod names;

use core::cell::RefCell;
use std::rc::Rc;

use subtle::ConstantTimeEq;

use super::{Binding, Exports};
use crate::host::random;
use crate::js::{ArrayBuffer, Call, Result, Value, own, owned};
use derive::{Hmac, ScryptCost, ScryptRefusal};
use digest::Digest;

/// The binding.
pub(crate) const BINDING: Binding = Binding { name: "crypto", init };

fn init(exports: &Exports<'_>) -> Result<()> {
    exports.helper("find", 1, find)?;
    exports.helper("digestLength", 1, digest_length)?;
    exports.helper("isExtendable", 1, is_extendable)?;
    exports.helper("createDigest", 1, create_digest)?;
    exports.helper("copyDigest", 1, copy_digest)?;
    exports.helper("updateDigest", 2, update_digest)?;
    exports.helper("finishDigest", 2, finish_digest)?;
    exports.helper("hash", 3, hash)?;
    exports.helper("createHmac", 2, create_hmac)?;
    exports.helper("updateHmac", 2, update_hmac)?;
    exports.helper("finishHmac", 1, finish_hmac)?;
    exports.helper("pbkdf2", 5, pbkdf2)?;
    exports.helper("hkdf", 5, hkdf)?;
    exports.helper("hkdfLengthMax", 1, hkdf_length_max)?;
    exports.helper("checkScrypt", 4, check_scrypt)?;
    exports.helper("scrypt", 6, scrypt)?;
    exports.helper("fillRandom", 3, fill_random)?;
    exports.helper("isEqual", 2, is_equal)
}

/// A digest, until it is finished.
type HeldDigest = RefCell<Option<Digest>>;
/// An HMAC, until it is finished.
type HeldHmac = RefCell<Option<Hmac>>;

fn memory<'js>(call: &Call<'_, 'js>, bytes: &[u8]) -> Result<Value<'js>> {
    Ok(ArrayBuffer::new_copy(call.ctx.clone(), bytes)?.into_value())
}

fn held<T: 'static>(call: &Call<'_, '_>) -> Result<Rc<T>> {
    match owned(&call.arg(0)) {
        Some(value) => Ok(value),
        None => call.type_error("Illegal invocation"),
    }
}

/// The number of an algorithm, which `find` gave.
fn id(call: &Call<'_, '_>, index: usize) -> u8 {
    u8::try_from(call.u32(index)).unwrap_or(0)
}

/// `(name)`: the number of the digest of that name, or -1.
fn find<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(names::find(&call.string(0)?).map_or(-1, i32::from))
}

fn digest_length<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(Digest::new(id(call, 0)).length())
}

fn is_extendable<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(Digest::new(id(call, 0)).is_extendable())
}

fn create_digest<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    own(&call.ctx, HeldDigest::new(Some(Digest::new(id(call, 0)))))
}

fn copy_digest<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let copy = held::<HeldDigest>(call)?.borrow().clone();
    own(&call.ctx, HeldDigest::new(copy))
}

/// `(digest, bytes or text)`: `false` if the digest is finished.
fn update_digest<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let digest = held::<HeldDigest>(call)?;
    let mut digest = digest.borrow_mut();
    let Some(digest) = digest.as_mut() else { return call.ret(false) };
    if call.arg(1).is_string() {
        digest.update(call.string(1)?.as_bytes());
    } else {
        digest.update(call.bytes(1)?.as_slice());
    }
    call.ret(true)
}

/// `(digest, length)`
fn finish_digest<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let digest = held::<HeldDigest>(call)?.take();
    memory(call, &digest.map(|digest| digest.finish(call.usize(1))).unwrap_or_default())
}

/// `(algorithm, bytes or text, length)`
fn hash<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let mut digest = Digest::new(id(call, 0));
    if call.arg(1).is_string() {
        digest.update(call.string(1)?.as_bytes());
    } else {
        digest.update(call.bytes(1)?.as_slice());
    }
    memory(call, &digest.finish(call.usize(2)))
}

/// `(algorithm, key)`
fn create_hmac<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    own(&call.ctx, HeldHmac::new(Some(Hmac::new(id(call, 0), call.bytes(1)?.as_slice()))))
}

/// `(hmac, bytes or text)`: `false` if it is finished.
fn update_hmac<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let hmac = held::<HeldHmac>(call)?;
    let mut hmac = hmac.borrow_mut();
    let Some(hmac) = hmac.as_mut() else { return call.ret(false) };
    if call.arg(1).is_string() {
        hmac.update(call.string(1)?.as_bytes());
    } else {
        hmac.update(call.bytes(1)?.as_slice());
    }
    call.ret(true)
}

fn finish_hmac<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let hmac = held::<HeldHmac>(call)?.take();
    memory(call, &hmac.map(Hmac::finish).unwrap_or_default())
}

/// `(algorithm, password, salt, iterations, length)`
fn pbkdf2<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let (password, salt) = (call.bytes(1)?, call.bytes(2)?);
    memory(call, &derive::pbkdf2(id(call, 0), password.as_slice(), salt.as_slice(), call.u32(3), call.usize(4)))
}

/// `(algorithm, key, salt, info, length)`
fn hkdf<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let (key, salt, info) = (call.bytes(1)?, call.bytes(2)?, call.bytes(3)?);
    let output = derive::hkdf(id(call, 0), key.as_slice(), salt.as_slice(), info.as_slice(), call.usize(4));
    memory(call, &output.unwrap_or_default())
}

fn hkdf_length_max<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(derive::hkdf_length_max(id(call, 0)))
}

fn scrypt_cost(call: &Call<'_, '_>) -> ScryptCost {
    let number = |index| call.i64(index).and_then(|number| u64::try_from(number).ok()).unwrap_or(0);
    ScryptCost { cost: number(0), block_size: number(1), parallelization: number(2), memory_bytes_max: number(3) }
}

/// `(cost, blockSize, parallelization, memoryMax)`: 0, or 1 for senseless parameters, 2 for too much memory.
fn check_scrypt<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(match derive::check_scrypt(scrypt_cost(call)) {
        Ok(_) => 0,
        Err(ScryptRefusal::Parameters) => 1,
        Err(ScryptRefusal::Memory) => 2,
    })
}

/// `(cost, blockSize, parallelization, memoryMax, password, salt, length)`
fn scrypt<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let mut output = vec![0; call.usize(6)];
    let (password, salt) = (call.bytes(4)?, call.bytes(5)?);
    if let (Ok(parameters), false) = (derive::check_scrypt(scrypt_cost(call)), output.is_empty()) {
        let derived = ::scrypt::scrypt(password.as_slice(), salt.as_slice(), &parameters, &mut output);
        if derived.is_err() {
            return call.range_error("Invalid key length");
        }
    }
    memory(call, &output)
}

/// `(buffer, offset, length)`: `false` if the host has no random bytes.
fn fill_random<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let bytes = call.bytes(0)?;
    let (start, length) = (call.usize(1), call.usize(2));
    match bytes.as_mut_slice().get_mut(start..start.saturating_add(length)) {
        Some(part) => call.ret(random::fill(part)),
        None => call.ret(false),
    }
}

/// Whether two views of equal length hold the same, in constant time.
fn is_equal<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let (left, right) = (call.bytes(0)?, call.bytes(1)?);
    call.ret(bool::from(left.as_slice().ct_eq(right.as_slice())))
}
