//! Reads what follows the fields: a body of known length, chunks, or everything until the connection ends.

use super::alphabet;
use super::field::FieldState;
use super::machine::{Event, Lenient, Machine, Span, State, Turn};
use super::message::Finish;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyState {
    LengthStart,
    Length,
    UntilEndStart,
    UntilEnd,
    ChunkSizeStart,
    ChunkSizeFirstDigit,
    ChunkSize,
    ChunkSizeSpace,
    Extension,
    ExtensionName,
    ExtensionValueStart,
    ExtensionValue,
    ExtensionQuoted,
    ExtensionQuotedPair,
    ExtensionAfterQuoted,
    ChunkLineFeed,
    ChunkHeader,
    ChunkDataStart,
    ChunkData,
    ChunkDataEnd,
    ChunkDataLineFeed,
    ChunkDone,
    MessageDone,
    AfterMessage,
    Upgraded,
    Cleanup,
}

const LINE_FEED: State = State::Body(BodyState::ChunkLineFeed);
const INVALID_SIZE: &str = "HPE_INVALID_CHUNK_SIZE";

impl Machine {
    pub(super) fn body(&mut self, state: BodyState, input: &[u8]) -> Turn {
        match state {
            BodyState::LengthStart => self.start_data(BodyState::Length, input),
            BodyState::ChunkDataStart => self.start_data(BodyState::ChunkData, input),
            BodyState::Length => self.read_data(BodyState::MessageDone, input),
            BodyState::ChunkData => self.read_data(BodyState::ChunkDataEnd, input),
            BodyState::UntilEndStart => {
                self.finish = Finish::CompletesMessage;
                self.start_data(BodyState::UntilEnd, input)
            }
            BodyState::UntilEnd => {
                self.at = input.len();
                Turn::Starved
            }
            BodyState::ChunkSizeStart => {
                self.content_length = 0;
                self.go(State::Body(BodyState::ChunkSizeFirstDigit))
            }
            BodyState::ChunkHeader => self.after_chunk_header(),
            BodyState::ChunkDone => {
                self.state = State::Body(BodyState::ChunkSizeStart);
                Turn::Emit(Event::ChunkComplete)
            }
            BodyState::MessageDone => {
                self.state = State::Body(BodyState::AfterMessage);
                Turn::Emit(Event::MessageComplete)
            }
            BodyState::AfterMessage if !self.is_upgrade => self.clean_up(),
            BodyState::AfterMessage | BodyState::Upgraded => {
                self.state = State::Body(BodyState::Cleanup);
                Turn::Upgraded
            }
            BodyState::Cleanup => self.clean_up(),
            _ => self.chunk_line(state, input),
        }
    }

    fn start_data(&mut self, state: BodyState, input: &[u8]) -> Turn {
        if self.at == input.len() {
            return Turn::Starved;
        }
        self.open(Span::Body);
        self.go(State::Body(state))
    }

    fn read_data(&mut self, next: BodyState, input: &[u8]) -> Turn {
        let available = input.len() - self.at;
        match usize::try_from(self.content_length) {
            Ok(length) if length <= available => {
                self.at += length;
                self.content_length = 0;
                self.close(State::Body(next))
            }
            _ => {
                // The part that is there is not counted twice: the position moves behind it.
                self.content_length -= u64::try_from(available).unwrap_or(0);
                self.at = input.len();
                Turn::Starved
            }
        }
    }

    fn after_chunk_header(&mut self) -> Turn {
        if self.content_length > 0 {
            return self.go(State::Body(BodyState::ChunkDataStart));
        }
        self.flags.trailing = true;
        self.go(State::Field(FieldState::Start))
    }

    fn chunk_line(&mut self, state: BodyState, input: &[u8]) -> Turn {
        let Some(&byte) = input.get(self.at) else { return Turn::Starved };
        match state {
            BodyState::ChunkSizeFirstDigit | BodyState::ChunkSize => self.chunk_size(state, byte),
            BodyState::ChunkSizeSpace => self.after_chunk_size(byte),
            BodyState::Extension | BodyState::ExtensionName => self.extension_name(state, byte),
            BodyState::ExtensionValueStart | BodyState::ExtensionValue => self.extension_value(state, byte),
            BodyState::ExtensionQuoted | BodyState::ExtensionQuotedPair | BodyState::ExtensionAfterQuoted => {
                self.extension_quoted(state, byte)
            }
            BodyState::ChunkLineFeed => self.chunk_line_feed(byte),
            _ => self.chunk_data_end(state, byte),
        }
    }

    fn chunk_size(&mut self, state: BodyState, byte: u8) -> Turn {
        let Some(digit) = char::from(byte).to_digit(16) else {
            if state == BodyState::ChunkSize {
                return self.go(State::Body(BodyState::ChunkSizeSpace));
            }
            return self.fail(INVALID_SIZE, "Invalid character in chunk size");
        };
        self.at += 1;
        match self.content_length.checked_mul(16) {
            Some(high) => {
                self.content_length = high | u64::from(digit);
                self.go(State::Body(BodyState::ChunkSize))
            }
            None => self.fail(INVALID_SIZE, "Chunk size overflow"),
        }
    }

    fn after_chunk_size(&mut self, byte: u8) -> Turn {
        let invalid = "Invalid character in chunk size";
        match byte {
            b' ' | b'\t' => {
                self.at += 1;
                self.forgive_or_fail(Lenient::SPACES_AFTER_CHUNK_SIZE, self.state, INVALID_SIZE, invalid)
            }
            b'\r' => self.skip(LINE_FEED),
            b'\n' => {
                self.at += 1;
                self.forgive_or_fail(
                    Lenient::NO_CR_BEFORE_LF,
                    LINE_FEED,
                    "HPE_CR_EXPECTED",
                    "Missing expected CR after chunk size",
                )
            }
            b';' => self.skip(State::Body(BodyState::Extension)),
            _ => self.fail(INVALID_SIZE, invalid),
        }
    }

    fn extension_name(&mut self, state: BodyState, byte: u8) -> Turn {
        if state == BodyState::Extension {
            if matches!(byte, b' ' | b'\r') {
                return self.fail_behind("HPE_STRICT", "Invalid character in chunk extensions");
            }
            self.open(Span::ChunkExtension);
            return self.go(State::Body(BodyState::ExtensionName));
        }
        match byte {
            _ if alphabet::TOKEN.has(byte) => self.skip(self.state),
            b'=' => self.close_and_skip(State::Body(BodyState::ExtensionValueStart)),
            b';' => self.close_and_skip(State::Body(BodyState::Extension)),
            b'\r' => self.close_and_skip(LINE_FEED),
            b'\n' => self.extension_bare_line_feed("Missing expected CR after chunk extension name"),
            _ => self.close_and_fail_behind("HPE_STRICT", "Invalid character in chunk extensions name"),
        }
    }

    fn extension_bare_line_feed(&mut self, reason: &'static str) -> Turn {
        if self.forgives(Lenient::NO_CR_BEFORE_LF) {
            return self.close(LINE_FEED);
        }
        self.close_and_fail("HPE_CR_EXPECTED", reason)
    }

    fn extension_value(&mut self, state: BodyState, byte: u8) -> Turn {
        if state == BodyState::ExtensionValueStart {
            self.open(Span::ChunkExtension);
            return self.go(State::Body(BodyState::ExtensionValue));
        }
        match byte {
            b'"' => self.skip(State::Body(BodyState::ExtensionQuoted)),
            _ if alphabet::TOKEN.has(byte) => self.skip(self.state),
            b';' => self.close_and_skip(State::Body(BodyState::Extension)),
            b'\r' => self.close_and_skip(LINE_FEED),
            b'\n' => self.extension_bare_line_feed("Missing expected CR after chunk extension value"),
            _ => self.close_and_fail_behind("HPE_STRICT", "Invalid character in chunk extensions value"),
        }
    }

    fn extension_quoted(&mut self, state: BodyState, byte: u8) -> Turn {
        match (state, byte) {
            (BodyState::ExtensionQuoted, b'"') => {
                self.at += 1;
                self.close(State::Body(BodyState::ExtensionAfterQuoted))
            }
            (BodyState::ExtensionQuoted, b'\\') => self.skip(State::Body(BodyState::ExtensionQuotedPair)),
            (BodyState::ExtensionQuoted, _) if alphabet::QUOTED_TEXT.has(byte) => self.skip(self.state),
            (BodyState::ExtensionQuoted, _) => {
                self.close_and_fail_behind("HPE_STRICT", "Invalid character in chunk extensions quoted value")
            }
            (BodyState::ExtensionQuotedPair, _) if alphabet::FIELD_VALUE.has(byte) => {
                self.skip(State::Body(BodyState::ExtensionQuoted))
            }
            (BodyState::ExtensionQuotedPair, _) => {
                self.close_and_fail_behind("HPE_STRICT", "Invalid quoted-pair in chunk extensions quoted value")
            }
            (_, b';') => self.skip(State::Body(BodyState::Extension)),
            (_, b'\r') => self.skip(LINE_FEED),
            (_, b'\n') => self.forgive_or_fail(
                Lenient::NO_CR_BEFORE_LF,
                LINE_FEED,
                "HPE_CR_EXPECTED",
                "Missing expected CR after chunk extension value",
            ),
            _ => self.fail("HPE_STRICT", "Invalid character in chunk extensions quote value"),
        }
    }

    fn chunk_line_feed(&mut self, byte: u8) -> Turn {
        if byte == b'\n' {
            self.at += 1;
        } else if !self.forgives(Lenient::NO_LF_AFTER_CR) {
            return self.fail("HPE_STRICT", "Expected LF after chunk size");
        }
        self.state = State::Body(BodyState::ChunkHeader);
        Turn::Emit(Event::ChunkHeader)
    }

    fn chunk_data_end(&mut self, state: BodyState, byte: u8) -> Turn {
        let done = State::Body(BodyState::ChunkDone);
        match (state, byte) {
            (BodyState::ChunkDataEnd, b'\r') => self.skip(State::Body(BodyState::ChunkDataLineFeed)),
            (BodyState::ChunkDataLineFeed, b'\n') => self.skip(done),
            (_, b'\n') => {
                self.at += 1;
                self.forgive_or_fail(
                    Lenient::NO_CR_BEFORE_LF,
                    done,
                    "HPE_CR_EXPECTED",
                    "Missing expected CR after chunk data",
                )
            }
            _ => self.forgive_or_fail(Lenient::NO_CRLF_AFTER_CHUNK, done, "HPE_STRICT", "Expected LF after chunk data"),
        }
    }
}
