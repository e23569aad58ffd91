//! A host call's number becomes an answer or a failure.

use edgepack_format::policy::Capability;

/// Why a host call has no answer: `-errno` in libuv's numbering, or the refusal of a capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failure(i32);

/// What a host call answers.
pub(crate) type Answer<T> = core::result::Result<T, Failure>;

impl Failure {
    pub(crate) const PERM: Failure = Failure(-1);
    pub(crate) const NOENT: Failure = Failure(-2);
    pub(crate) const SRCH: Failure = Failure(-3);
    pub(crate) const BADF: Failure = Failure(-9);
    pub(crate) const EXIST: Failure = Failure(-17);
    pub(crate) const NOTDIR: Failure = Failure(-20);
    pub(crate) const ISDIR: Failure = Failure(-21);
    pub(crate) const INVAL: Failure = Failure(-22);
    pub(crate) const ROFS: Failure = Failure(-30);
    pub(crate) const NOSYS: Failure = Failure(-38);
    pub(crate) const NOTEMPTY: Failure = Failure(-39);
    pub(crate) const ACCES: Failure = Failure(-13);

    /// The negative number.
    pub(crate) fn number(self) -> i32 {
        self.0
    }

    /// The capability that was not granted, if that is the reason.
    pub(crate) fn refused(self) -> Option<Capability> {
        Capability::refused_by(self.0)
    }
}

/// A result of a call: negative numbers are failures.
pub(super) fn number(result: i32) -> Answer<i32> {
    if result < 0 { Err(Failure(result)) } else { Ok(result) }
}

/// A result that is a count of bytes.
pub(super) fn count(result: i32) -> Answer<usize> {
    Ok(usize::try_from(number(result)?).unwrap_or(0))
}

/// A result that says nothing but success.
pub(super) fn done(result: i32) -> Answer<()> {
    number(result).map(|_| ())
}

/// Calls with a growing buffer until the whole answer fits.
pub(super) fn filled(mut call: impl FnMut(*mut u8, usize) -> i32) -> Answer<Vec<u8>> {
    let mut buffer = vec![0; 512];
    loop {
        let length = count(call(buffer.as_mut_ptr(), buffer.len()))?;
        if length <= buffer.len() {
            buffer.truncate(length);
            return Ok(buffer);
        }
        buffer.resize(length, 0);
    }
}

/// The texts of a list: each is ended by NUL.
pub(super) fn list(bytes: &[u8]) -> Vec<String> {
    let texts = bytes.split_inclusive(|&byte| byte == 0);
    texts.map(|text| String::from_utf8_lossy(text.strip_suffix(&[0]).unwrap_or(text)).into_owned()).collect()
}

/// Calls that fill a fixed number of 64-bit numbers.
pub(super) fn numbers<const N: usize>(call: impl FnOnce(*mut u8) -> i32) -> Answer<[i64; N]> {
    let mut words = [0_i64; N];
    done(call(words.as_mut_ptr().cast()))?;
    Ok(words.map(i64::from_le))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_longer_than_the_buffer_is_asked_for_again() {
        let answer = filled(|_, capacity| if capacity < 2000 { 2000 } else { 7 });
        assert_eq!(answer.map(|bytes| bytes.len()), Ok(7));
    }

    #[test]
    fn a_refusal_names_its_capability() {
        let refusal = number(Capability::Write.denied()).expect_err("a refusal is no answer");
        assert_eq!(refusal.refused(), Some(Capability::Write));
        assert_eq!(Failure::NOENT.refused(), None);
    }

    #[test]
    fn list_texts_end_with_nul() {
        assert_eq!(list(b"a\0\0b\0"), ["a", "", "b"]);
    }
}
