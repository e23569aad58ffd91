//! A decoder that is fed chunks, with `TextDecoder`'s flags.

use encoding_rs::{Decoder, DecoderResult, Encoding, REPLACEMENT, X_USER_DEFINED};

/// `CONVERTER_FLAGS_*` of `lib/internal/encoding.js`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flags {
    /// This chunk is the last.
    pub(super) flush: bool,
    /// Malformed input is an error.
    pub(super) fatal: bool,
    /// A byte order mark is kept.
    pub(super) ignore_bom: bool,
}

impl Flags {
    pub(super) fn from_bits(bits: u32) -> Flags {
        Flags { flush: bits & 1 != 0, fatal: bits & 2 != 0, ignore_bom: bits & 4 != 0 }
    }
}

/// The decoder and what to start anew with.
pub(super) struct Converter {
    encoding: &'static Encoding,
    flags: Flags,
    decoder: Decoder,
}

impl Converter {
    /// By an encoding's label; nothing for those that ICU does not have.
    pub(super) fn new(label: &str, flags: Flags) -> Option<Converter> {
        let encoding = Encoding::for_label(label.as_bytes())?;
        if encoding == REPLACEMENT || encoding == X_USER_DEFINED {
            return None;
        }
        Some(Converter { encoding, flags, decoder: decoder(encoding, flags) })
    }

    /// The units that the chunk completes; nothing if it is malformed and that is fatal.
    pub(super) fn decode(&mut self, input: &[u8], flags: Flags) -> Option<Vec<u16>> {
        let capacity = self.decoder.max_utf16_buffer_length(input.len()).unwrap_or(0);
        let mut units = vec![0; capacity];
        let (is_well_formed, written) = if self.flags.fatal {
            let (result, _, written) = self.decoder.decode_to_utf16_without_replacement(input, &mut units, flags.flush);
            (result == DecoderResult::InputEmpty, written)
        } else {
            let (_, _, written, _) = self.decoder.decode_to_utf16(input, &mut units, flags.flush);
            (true, written)
        };
        if flags.flush || !is_well_formed {
            self.decoder = decoder(self.encoding, self.flags);
        }
        units.truncate(written);
        is_well_formed.then_some(units)
    }
}

fn decoder(encoding: &'static Encoding, flags: Flags) -> Decoder {
    if flags.ignore_bom { encoding.new_decoder_without_bom_handling() } else { encoding.new_decoder_with_bom_removal() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(label: &str, bits: u32, chunks: &[&[u8]]) -> Vec<Option<String>> {
        let mut converter = Converter::new(label, Flags::from_bits(bits)).expect("the encoding is known");
        let last = chunks.len() - 1;
        let flags = |index| Flags::from_bits(u32::from(index == last));
        let decode = |(index, chunk): (usize, &&[u8])| converter.decode(chunk, flags(index));
        let units: Vec<_> = chunks.iter().enumerate().map(decode).collect();
        units.into_iter().map(|units| units.map(|units| String::from_utf16_lossy(&units))).collect()
    }

    #[test]
    fn joins_chunks() {
        assert_eq!(decoded("shift_jis", 0, &[&[0x82, 0xa0, 0x82], &[0xa2]]), [Some("あ".into()), Some("い".into())]);
    }

    #[test]
    fn fatal_refuses_malformed_input() {
        assert_eq!(decoded("shift_jis", 2, &[&[0x82]]), [None]);
    }

    #[test]
    fn a_byte_order_mark_goes_unless_it_is_wanted() {
        assert_eq!(decoded("utf-16le", 0, &[&[0xff, 0xfe, 0x41, 0]]), [Some("A".into())]);
        assert_eq!(decoded("utf-16le", 4, &[&[0xff, 0xfe, 0x41, 0]]), [Some("\u{feff}A".into())]);
    }
}
