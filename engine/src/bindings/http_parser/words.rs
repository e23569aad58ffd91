//! Recognises one of several words byte by byte, across any split of the input.

/// How far a word has been read: a word that begins with what was read, and how much of it that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Progress {
    candidate: u8,
    matched: u8,
}

/// What the bytes so far make of the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// This word was read to its end. The byte asked about is not part of it.
    Word(u8),
    /// No word begins so. The byte asked about is the first that does not fit.
    Nothing,
    /// More bytes are needed.
    Starved,
}

/// Reads on from `at`, taking the longest word; compares with `fold` applied to the input.
pub(super) fn read(words: &[&str], progress: &mut Progress, input: &[u8], at: &mut usize, fold: fn(u8) -> u8) -> Found {
    loop {
        let prefix = &bytes(words, progress.candidate)[..usize::from(progress.matched)];
        let mut longer = words.iter().filter(|word| word.len() > prefix.len() && word.as_bytes().starts_with(prefix));
        let whole = position(words, |word| word == prefix);
        if let (Some(word), None) = (whole, longer.clone().next()) {
            return Found::Word(word);
        }
        let Some(&byte) = input.get(*at) else { return Found::Starved };
        let next = longer
            .find(|word| word.as_bytes()[prefix.len()] == fold(byte))
            .and_then(|&next| position(words, |word| word == next.as_bytes()));
        match (next, whole) {
            (Some(candidate), _) => *progress = Progress { candidate, matched: progress.matched + 1 },
            (None, Some(word)) => return Found::Word(word),
            (None, None) => return Found::Nothing,
        }
        *at += 1;
    }
}

fn bytes<'a>(words: &[&'a str], index: u8) -> &'a [u8] {
    words[usize::from(index)].as_bytes()
}

fn position(words: &[&str], is_meant: impl Fn(&[u8]) -> bool) -> Option<u8> {
    words.iter().position(|word| is_meant(word.as_bytes())).and_then(|index| u8::try_from(index).ok())
}

/// For words that must stand exactly so.
pub(super) fn exact(byte: u8) -> u8 {
    byte
}

/// For words in lower case whose case does not matter.
pub(super) fn any_case(byte: u8) -> u8 {
    byte.to_ascii_lowercase()
}
