//! The names under which OpenSSL knows the digests.

/// Every algorithm at the number that node's alias table gives it, with all its names in lower case.
const ALGORITHMS: [&[&str]; 19] = [
    &["md5", "rsa-md5", "ssl3-md5", "md5withrsaencryption", "1.2.840.113549.2.5"],
    &["ripemd160", "ripemd", "rmd160", "ripemd-160", "rsa-ripemd160", "ripemd160withrsa", "1.3.36.3.2.1"],
    &["sha1", "sha-1", "rsa-sha1", "rsa-sha1-2", "ssl3-sha1", "sha1withrsaencryption", "1.3.14.3.2.26"],
    &["sha224", "sha-224", "sha2-224", "rsa-sha224", "sha224withrsaencryption", "2.16.840.1.101.3.4.2.4"],
    &["sha256", "sha-256", "sha2-256", "rsa-sha256", "sha256withrsaencryption", "2.16.840.1.101.3.4.2.1"],
    &["sha3-224", "rsa-sha3-224", "id-rsassa-pkcs1-v1_5-with-sha3-224", "2.16.840.1.101.3.4.2.7"],
    &["sha3-256", "rsa-sha3-256", "id-rsassa-pkcs1-v1_5-with-sha3-256", "2.16.840.1.101.3.4.2.8"],
    &["sha3-384", "rsa-sha3-384", "id-rsassa-pkcs1-v1_5-with-sha3-384", "2.16.840.1.101.3.4.2.9"],
    &["sha3-512", "rsa-sha3-512", "id-rsassa-pkcs1-v1_5-with-sha3-512", "2.16.840.1.101.3.4.2.10"],
    &["sha384", "sha-384", "sha2-384", "rsa-sha384", "sha384withrsaencryption", "2.16.840.1.101.3.4.2.2"],
    &["sha512", "sha-512", "sha2-512", "rsa-sha512", "sha512withrsaencryption", "2.16.840.1.101.3.4.2.3"],
    &[
        "sha512-224",
        "sha-512/224",
        "sha2-512/224",
        "rsa-sha512/224",
        "sha512-224withrsaencryption",
        "2.16.840.1.101.3.4.2.5",
    ],
    &[
        "sha512-256",
        "sha-512/256",
        "sha2-512/256",
        "rsa-sha512/256",
        "sha512-256withrsaencryption",
        "2.16.840.1.101.3.4.2.6",
    ],
    &["sm3", "rsa-sm3", "sm3withrsaencryption", "1.2.156.10197.1.401"],
    &["blake2b512", "blake2b-512", "1.3.6.1.4.1.1722.12.2.1.16"],
    &["blake2s256", "blake2s-256", "1.3.6.1.4.1.1722.12.2.2.8"],
    &["md5-sha1"],
    &["shake128", "shake-128", "2.16.840.1.101.3.4.2.11"],
    &["shake256", "shake-256", "2.16.840.1.101.3.4.2.12"],
];

/// The number of the algorithm of that name, in any case.
pub(super) fn find(name: &str) -> Option<u8> {
    let name = name.to_ascii_lowercase();
    ALGORITHMS.iter().position(|names| names.contains(&name.as_str())).and_then(|index| u8::try_from(index).ok())
}
