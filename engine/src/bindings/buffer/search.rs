//! `indexOf` and `lastIndexOf` over bytes.

use memchr::memmem;

/// Which way, and from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct From {
    /// Where to start; below zero counts from the end.
    pub(super) offset: i64,
    /// Towards the end; else towards the start.
    pub(super) is_forward: bool,
}

/// What one element of the haystack is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// A byte.
    Byte,
    /// Two bytes: matches start at even offsets.
    Pair,
}

/// The index of `needle`.
pub(super) fn find(haystack: &[u8], needle: &[u8], from: From, unit: Unit) -> Option<usize> {
    let start = start(haystack.len(), needle.len(), from)?;
    if needle.is_empty() {
        // Behind a pair that is cut off there is nothing to be found.
        return Some(if unit == Unit::Pair { start.min(haystack.len() & !1) } else { start });
    }
    let last = haystack.len().checked_sub(needle.len())?;
    if from.is_forward && start > last {
        return None;
    }
    if unit == Unit::Pair {
        return find_pairs(haystack, needle, start, from.is_forward);
    }
    if from.is_forward {
        return memmem::find(&haystack[start..], needle).map(|index| start + index);
    }
    memmem::rfind(&haystack[..start.min(last) + needle.len()], needle)
}

/// The index of a byte.
pub(super) fn find_byte(haystack: &[u8], byte: u8, from: From) -> Option<usize> {
    let start = start(haystack.len(), 1, from)?;
    if haystack.is_empty() {
        return None;
    }
    if from.is_forward {
        return memchr::memchr(byte, &haystack[start..]).map(|index| start + index);
    }
    memchr::memrchr(byte, &haystack[..=start])
}

/// Where the search starts, at most `length`; nothing if it cannot find anything.
fn start(length: usize, needle: usize, from: From) -> Option<usize> {
    let length_signed = i64::try_from(length).ok()?;
    let needle_signed = i64::try_from(needle).ok()?;
    let index = if from.offset < 0 {
        match from.offset.saturating_add(length_signed) {
            index if index >= 0 => index,
            _ if from.is_forward || needle == 0 => 0,
            _ => return None,
        }
    } else if from.offset.saturating_add(needle_signed) <= length_signed {
        from.offset
    } else if needle == 0 {
        length_signed
    } else if from.is_forward {
        return None;
    } else {
        length_signed - 1
    };
    usize::try_from(index).ok()
}

fn find_pairs(haystack: &[u8], needle: &[u8], start: usize, is_forward: bool) -> Option<usize> {
    let needle = &needle[..needle.len() & !1];
    let haystack = &haystack[..haystack.len() & !1];
    if needle.is_empty() {
        return None;
    }
    let last = haystack.len().checked_sub(needle.len())?;
    let matches = |pair: &usize| haystack[*pair * 2..].starts_with(needle);
    let pair = if is_forward {
        (start / 2..=last / 2).find(matches)
    } else {
        (0..=(start / 2).min(last / 2)).rev().find(matches)
    };
    pair.map(|pair| pair * 2)
}
