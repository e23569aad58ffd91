//! The digests under `Hash`, `Hmac` and the key derivations: one enum over all algorithms.

use blake2::{Blake2b512, Blake2s256};
use digest::{Digest as _, ExtendableOutput as _, Update as _};
use md5::Md5;
use ripemd::Ripemd160;
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512, Sha512_224, Sha512_256};
use sha3::{Sha3_224, Sha3_256, Sha3_384, Sha3_512};
use shake::{Shake128, Shake256};
use sm3::Sm3;

/// A digest in the making.
#[derive(Clone)]
pub(super) enum Digest {
    Md5(Md5),
    Ripemd160(Ripemd160),
    Sha1(Sha1),
    Sha224(Sha224),
    Sha256(Sha256),
    Sha3_224(Sha3_224),
    Sha3_256(Sha3_256),
    Sha3_384(Sha3_384),
    Sha3_512(Sha3_512),
    Sha384(Sha384),
    Sha512(Sha512),
    Sha512_224(Sha512_224),
    Sha512_256(Sha512_256),
    Sm3(Sm3),
    Blake2b512(Blake2b512),
    Blake2s256(Blake2s256),
    Md5Sha1(Md5, Sha1),
    Shake128(Shake128),
    Shake256(Shake256),
}

/// Runs an expression on whichever fixed-length digest it is; the others have arms of their own.
macro_rules! each {
    ($digest:expr, $inner:ident => $work:expr, $($other:pat => $special:expr),+ $(,)?) => {
        match $digest {
            $($other => $special,)+
            Digest::Md5($inner) => $work,
            Digest::Ripemd160($inner) => $work,
            Digest::Sha1($inner) => $work,
            Digest::Sha224($inner) => $work,
            Digest::Sha256($inner) => $work,
            Digest::Sha3_224($inner) => $work,
            Digest::Sha3_256($inner) => $work,
            Digest::Sha3_384($inner) => $work,
            Digest::Sha3_512($inner) => $work,
            Digest::Sha384($inner) => $work,
            Digest::Sha512($inner) => $work,
            Digest::Sha512_224($inner) => $work,
            Digest::Sha512_256($inner) => $work,
            Digest::Sm3($inner) => $work,
            Digest::Blake2b512($inner) => $work,
            Digest::Blake2s256($inner) => $work,
        }
    };
}

impl Digest {
    /// The digest of that number in `names::ALGORITHMS`.
    pub(super) fn new(id: u8) -> Digest {
        match id {
            0 => Digest::Md5(Md5::default()),
            1 => Digest::Ripemd160(Ripemd160::default()),
            2 => Digest::Sha1(Sha1::default()),
            3 => Digest::Sha224(Sha224::default()),
            5 => Digest::Sha3_224(Sha3_224::default()),
            6 => Digest::Sha3_256(Sha3_256::default()),
            7 => Digest::Sha3_384(Sha3_384::default()),
            8 => Digest::Sha3_512(Sha3_512::default()),
            9 => Digest::Sha384(Sha384::default()),
            10 => Digest::Sha512(Sha512::default()),
            11 => Digest::Sha512_224(Sha512_224::default()),
            12 => Digest::Sha512_256(Sha512_256::default()),
            13 => Digest::Sm3(Sm3::default()),
            14 => Digest::Blake2b512(Blake2b512::default()),
            15 => Digest::Blake2s256(Blake2s256::default()),
            16 => Digest::Md5Sha1(Md5::default(), Sha1::default()),
            17 => Digest::Shake128(Shake128::default()),
            18 => Digest::Shake256(Shake256::default()),
            _ => Digest::Sha256(Sha256::default()),
        }
    }

    /// Takes more input.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        each!(self, inner => digest::Digest::update(inner, bytes),
            Digest::Md5Sha1(md5, sha1) => {
                digest::Digest::update(md5, bytes);
                digest::Digest::update(sha1, bytes);
            },
            Digest::Shake128(inner) => inner.update(bytes),
            Digest::Shake256(inner) => inner.update(bytes),
        );
    }

    /// The result, `length` bytes long where the algorithm lets one choose.
    pub(super) fn finish(self, length: usize) -> Vec<u8> {
        each!(self, inner => inner.finalize().to_vec(),
            Digest::Md5Sha1(md5, sha1) => [md5.finalize().as_slice(), sha1.finalize().as_slice()].concat(),
            Digest::Shake128(inner) => squeeze(inner.finalize_xof(), length),
            Digest::Shake256(inner) => squeeze(inner.finalize_xof(), length),
        )
    }

    /// Bytes of the result, if one does not choose.
    pub(super) fn length(&self) -> usize {
        each!(self, inner => output_length(inner),
            Digest::Md5Sha1(..) => 36,
            Digest::Shake128(_) => 16,
            Digest::Shake256(_) => 32,
        )
    }

    /// Bytes that HMAC fills up its key to.
    pub(super) fn block_length(&self) -> usize {
        match self {
            Digest::Sha384(_)
            | Digest::Sha512(_)
            | Digest::Sha512_224(_)
            | Digest::Sha512_256(_)
            | Digest::Blake2b512(_) => 128,
            Digest::Sha3_224(_) => 144,
            Digest::Sha3_256(_) | Digest::Shake256(_) => 136,
            Digest::Sha3_384(_) => 104,
            Digest::Sha3_512(_) => 72,
            Digest::Shake128(_) => 168,
            _ => 64,
        }
    }

    /// Whether the length of the result can be chosen.
    pub(super) fn is_extendable(&self) -> bool {
        matches!(self, Digest::Shake128(_) | Digest::Shake256(_))
    }
}

fn output_length<D: digest::Digest>(_: &D) -> usize {
    <D as digest::Digest>::output_size()
}

fn squeeze(mut reader: impl digest::XofReader, length: usize) -> Vec<u8> {
    let mut output = vec![0; length];
    reader.read(&mut output);
    output
}
