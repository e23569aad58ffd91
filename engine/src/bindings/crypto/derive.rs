//! HMAC, PBKDF2 and HKDF over any digest. The RustCrypto crates for these are generic over the digest, which would
//! compile them once for each of nineteen; here they are written once over the enum.

use super::digest::Digest;

/// HMAC (RFC 2104) in the making.
#[derive(Clone)]
pub(super) struct Hmac {
    inner: Digest,
    outer: Digest,
}

impl Hmac {
    /// Starts with a key of any length.
    pub(super) fn new(id: u8, key: &[u8]) -> Hmac {
        let (mut inner, mut outer) = (Digest::new(id), Digest::new(id));
        let mut block = if key.len() > inner.block_length() { hash(id, key) } else { key.to_vec() };
        block.resize(inner.block_length(), 0);
        block.iter_mut().for_each(|byte| *byte ^= 0x36);
        inner.update(&block);
        block.iter_mut().for_each(|byte| *byte ^= 0x36 ^ 0x5c);
        outer.update(&block);
        Hmac { inner, outer }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.inner.update(bytes);
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        let length = self.inner.length();
        self.outer.update(&self.inner.finish(length));
        self.outer.finish(length)
    }
}

/// The digest of `bytes` at its own length.
pub(super) fn hash(id: u8, bytes: &[u8]) -> Vec<u8> {
    let mut digest = Digest::new(id);
    digest.update(bytes);
    let length = digest.length();
    digest.finish(length)
}

fn mac(keyed: &Hmac, parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = keyed.clone();
    for part in parts {
        mac.update(part);
    }
    mac.finish()
}

/// PBKDF2 (RFC 8018).
pub(super) fn pbkdf2(id: u8, password: &[u8], salt: &[u8], iterations: u32, length: usize) -> Vec<u8> {
    let keyed = Hmac::new(id, password);
    let mut output = Vec::with_capacity(length);
    for index in 1_u32.. {
        if output.len() >= length {
            break;
        }
        let mut last = mac(&keyed, &[salt, &index.to_be_bytes()]);
        let mut block = last.clone();
        for _ in 1..iterations {
            last = mac(&keyed, &[&last]);
            block.iter_mut().zip(&last).for_each(|(sum, byte)| *sum ^= byte);
        }
        output.extend_from_slice(&block);
    }
    output.truncate(length);
    output
}

/// HKDF (RFC 5869). `None` if more is asked for than there can be.
pub(super) fn hkdf(id: u8, key: &[u8], salt: &[u8], info: &[u8], length: usize) -> Option<Vec<u8>> {
    if length > hkdf_length_max(id) {
        return None;
    }
    let pseudorandom = mac(&Hmac::new(id, salt), &[key]);
    let keyed = Hmac::new(id, &pseudorandom);
    let mut output = Vec::with_capacity(length);
    let mut last = Vec::new();
    for index in 1..=u8::MAX {
        if output.len() >= length {
            break;
        }
        last = mac(&keyed, &[&last, info, &[index]]);
        output.extend_from_slice(&last);
    }
    output.truncate(length);
    Some(output)
}

/// The most bytes that HKDF gives.
pub(super) fn hkdf_length_max(id: u8) -> usize {
    Digest::new(id).length() * 255
}

/// Why scrypt's parameters cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScryptRefusal {
    /// They make no sense.
    Parameters,
    /// They need more memory than allowed.
    Memory,
}

/// What scrypt is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct ScryptCost {
    pub(super) cost: u64,
    pub(super) block_size: u64,
    pub(super) parallelization: u64,
    pub(super) memory_bytes_max: u64,
}

/// OpenSSL's limit of `p * r`.
const SCRYPT_PRODUCT_MAX: u64 = (1 << 30) - 1;

/// Checks as OpenSSL does.
pub(super) fn check_scrypt(wanted: ScryptCost) -> Result<scrypt::Params, ScryptRefusal> {
    let ScryptCost { cost, block_size, parallelization, memory_bytes_max } = wanted;
    if cost < 2 || !cost.is_power_of_two() || block_size < 1 || parallelization < 1 {
        return Err(ScryptRefusal::Parameters);
    }
    if parallelization > SCRYPT_PRODUCT_MAX / block_size || (16 * block_size <= 63 && cost >= 1 << (16 * block_size)) {
        return Err(ScryptRefusal::Memory);
    }
    let blocks = parallelization * 128 * block_size;
    let table = (32 * 4 * block_size).checked_mul(cost + 2).ok_or(ScryptRefusal::Memory)?;
    if blocks.checked_add(table).is_none_or(|total| total > memory_bytes_max) {
        return Err(ScryptRefusal::Memory);
    }
    let log_cost = u8::try_from(cost.trailing_zeros()).unwrap_or(u8::MAX);
    let narrow = |number: u64| u32::try_from(number).map_err(|_| ScryptRefusal::Parameters);
    scrypt::Params::new(log_cost, narrow(block_size)?, narrow(parallelization)?).map_err(|_| ScryptRefusal::Parameters)
}
