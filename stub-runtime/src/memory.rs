//! The guest's memory as host calls see it: pointer arguments become checked slices.
//!
//! A call borrows memory either for reading or, once, for writing, so the borrow checker rules out that an input
//! and an output of one call overlap. Small inputs of calls that also write are copied (`text`).

use std::io::IoSlice;

use crate::host::Refusal;

/// Access to the memory that a call's pointers are about.
pub trait GuestMemory {
    /// The bytes at `pointer`.
    fn input(&self, pointer: usize, length: usize) -> Result<&[u8], Refusal>;

    /// The bytes at `pointer`, to be written.
    fn output(&mut self, pointer: usize, length: usize) -> Result<&mut [u8], Refusal>;

    /// Bytes of one pointer or length inside a vector of (pointer, length) pairs.
    const WORD_BYTES: usize;

    /// A copy of the UTF-8 text at `pointer`.
    fn text(&self, pointer: usize, length: usize) -> Result<String, Refusal> {
        let bytes = self.input(pointer, length)?.to_vec();
        String::from_utf8(bytes).map_err(|_| Refusal::Errno(rustix::io::Errno::ILSEQ))
    }

    /// A copy of the `N` bytes at `pointer`.
    fn record<const N: usize>(&self, pointer: usize) -> Result<[u8; N], Refusal> {
        self.input(pointer, N)?.try_into().map_err(|_| Refusal::OutOfBounds)
    }

    /// The slices that `count` (pointer, length) pairs at `pointer` describe.
    fn vectors(&self, pointer: usize, count: usize) -> Result<Vec<IoSlice<'_>>, Refusal> {
        let pair_bytes = Self::WORD_BYTES * 2;
        let pairs = self.input(pointer, count.checked_mul(pair_bytes).ok_or(Refusal::OutOfBounds)?)?;
        let slices = pairs.chunks_exact(pair_bytes).map(|pair| {
            let (start, length) = pair.split_at(Self::WORD_BYTES);
            Ok(IoSlice::new(self.input(word(start)?, word(length)?)?))
        });
        slices.collect()
    }
}

fn word(bytes: &[u8]) -> Result<usize, Refusal> {
    let mut wide = [0; 8];
    wide.get_mut(..bytes.len()).ok_or(Refusal::OutOfBounds)?.copy_from_slice(bytes);
    usize::try_from(u64::from_le_bytes(wide)).map_err(|_| Refusal::OutOfBounds)
}

/// Memory that the host owns: for tests, and for guests run by a virtual machine.
#[derive(Debug, Default)]
pub struct OwnedMemory(pub Vec<u8>);

impl GuestMemory for OwnedMemory {
    const WORD_BYTES: usize = 4;

    fn input(&self, pointer: usize, length: usize) -> Result<&[u8], Refusal> {
        let end = pointer.checked_add(length).ok_or(Refusal::OutOfBounds)?;
        self.0.get(pointer..end).ok_or(Refusal::OutOfBounds)
    }

    fn output(&mut self, pointer: usize, length: usize) -> Result<&mut [u8], Refusal> {
        let end = pointer.checked_add(length).ok_or(Refusal::OutOfBounds)?;
        self.0.get_mut(pointer..end).ok_or(Refusal::OutOfBounds)
    }
}

/// Copies an answer into the caller's buffer if it fits; the length of the whole answer either way.
pub(crate) fn fill(buffer: &mut [u8], answer: &[u8]) -> Result<i32, Refusal> {
    if let Some(target) = buffer.get_mut(..answer.len()) {
        target.copy_from_slice(answer);
    }
    length(answer.len())
}

/// A length as a result.
pub(crate) fn length(bytes: usize) -> Result<i32, Refusal> {
    i32::try_from(bytes).map_err(|_| Refusal::Errno(rustix::io::Errno::OVERFLOW))
}

/// Writes the numbers one after the other; the buffer is exactly as long as they are.
pub(crate) fn fill_numbers(buffer: &mut [u8], numbers: &[i64]) {
    for (slot, number) in buffer.chunks_exact_mut(8).zip(numbers) {
        slot.copy_from_slice(&number.to_le_bytes());
    }
}
