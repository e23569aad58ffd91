//! Reads field values, and understands those of `Connection`, `Content-Length` and `Transfer-Encoding`.

use super::alphabet;
use super::field::FieldState;
use super::machine::{Lenient, Machine, Span, State, Turn};
use super::message::{Kind, Special};
use super::words::{self, Found, Progress};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueState {
    Space,
    EmptyLineFeed,
    AfterEmptyLine,
    Start,
    Text,
    Otherwise,
    Lenient,
    Relaxed,
    LineFeed,
    AfterLine,
    Coding,
    CodingWord,
    AfterChunked,
    OtherCoding,
    CodingSpace,
    Length,
    LengthSpace,
    Option,
    OptionWord,
    AfterOption,
    OtherOption,
}

const CHUNKED: [&str; 1] = ["chunked"];
const OPTIONS: [&str; 3] = ["close", "upgrade", "keep-alive"];
const OPTION_SPECIALS: [Special; 3] =
    [Special::ConnectionClose, Special::ConnectionUpgrade, Special::ConnectionKeepAlive];
const NEXT_FIELD: State = State::Field(FieldState::Start);
const INVALID_TOKEN: &str = "HPE_INVALID_HEADER_TOKEN";
const INVALID_CHAR: &str = "Invalid header value char";

impl Machine {
    pub(super) fn value(&mut self, state: ValueState, input: &[u8]) -> Turn {
        match state {
            ValueState::Space | ValueState::EmptyLineFeed | ValueState::AfterEmptyLine => {
                self.before_value(state, input)
            }
            ValueState::Start => self.start_value(),
            ValueState::Text => {
                self.at += alphabet::FIELD_VALUE.prefix(&input[self.at..]);
                if self.at < input.len() { self.go(State::Value(ValueState::Otherwise)) } else { Turn::Starved }
            }
            ValueState::Otherwise | ValueState::Lenient | ValueState::Relaxed => self.end_value(state, input),
            ValueState::LineFeed | ValueState::AfterLine => self.after_value(state, input),
            ValueState::Coding => self.start_word(ValueState::CodingWord),
            ValueState::Option => self.before_option(input),
            ValueState::CodingWord | ValueState::AfterChunked | ValueState::OtherCoding | ValueState::CodingSpace => {
                self.transfer_coding(state, input)
            }
            ValueState::Length | ValueState::LengthSpace => self.content_length(state, input),
            ValueState::OptionWord | ValueState::AfterOption | ValueState::OtherOption => {
                self.connection_option(state, input)
            }
        }
    }

    fn before_value(&mut self, state: ValueState, input: &[u8]) -> Turn {
        let Some(&byte) = input.get(self.at) else { return Turn::Starved };
        let after_empty = State::Value(ValueState::AfterEmptyLine);
        match (state, byte) {
            (ValueState::Space, b' ' | b'\t') => self.skip(self.state),
            (ValueState::Space, b'\r') => self.skip(State::Value(ValueState::EmptyLineFeed)),
            (ValueState::Space, b'\n') => {
                self.at += 1;
                self.forgive_or_fail(Lenient::NO_CR_BEFORE_LF, after_empty, INVALID_TOKEN, INVALID_CHAR)
            }
            (ValueState::EmptyLineFeed, b'\n') => self.skip(after_empty),
            (ValueState::EmptyLineFeed, _) => {
                self.forgive_or_fail(Lenient::HEADERS, after_empty, "HPE_STRICT", "Expected LF after CR")
            }
            (ValueState::AfterEmptyLine, b' ' | b'\t') => {
                self.at += 1;
                self.forgive_or_fail(Lenient::HEADERS, State::Value(ValueState::Space), INVALID_TOKEN, INVALID_CHAR)
            }
            (ValueState::AfterEmptyLine, _) => self.empty_value(),
            _ => {
                self.open(Span::FieldValue);
                self.go(State::Value(ValueState::Start))
            }
        }
    }

    fn empty_value(&mut self) -> Turn {
        match self.special {
            Special::ContentLength => self.fail("HPE_INVALID_CONTENT_LENGTH", "Empty Content-Length"),
            Special::TransferEncoding => self.fail("HPE_INVALID_TRANSFER_ENCODING", "Empty Transfer-Encoding"),
            _ => {
                self.apply_special();
                self.open(Span::FieldValue);
                self.close(NEXT_FIELD)
            }
        }
    }

    fn start_value(&mut self) -> Turn {
        match self.special {
            Special::Upgrade => {
                self.flags.upgrade = true;
                self.special = Special::General;
                self.go(State::Value(ValueState::Text))
            }
            Special::TransferEncoding if self.flags.chunked && self.forbids_after_chunked() => {
                self.fail_after_chunked()
            }
            Special::TransferEncoding => {
                self.flags.transfer_encoding = true;
                self.flags.chunked = false;
                self.go(State::Value(ValueState::Coding))
            }
            Special::ContentLength if self.flags.content_length => {
                self.fail("HPE_UNEXPECTED_CONTENT_LENGTH", "Duplicate Content-Length")
            }
            Special::ContentLength => self.go(State::Value(ValueState::Length)),
            Special::Connection => self.go(State::Value(ValueState::Option)),
            _ => self.go(State::Value(ValueState::Text)),
        }
    }

    /// In a request `chunked` must be the last coding.
    fn forbids_after_chunked(&self) -> bool {
        self.kind == Kind::Request && !self.forgives(Lenient::TRANSFER_ENCODING)
    }

    fn fail_after_chunked(&mut self) -> Turn {
        self.close_and_fail_behind("HPE_INVALID_TRANSFER_ENCODING", "Invalid `Transfer-Encoding` header value")
    }

    fn start_word(&mut self, state: ValueState) -> Turn {
        self.word = Progress::default();
        self.go(State::Value(state))
    }

    fn transfer_coding(&mut self, state: ValueState, input: &[u8]) -> Turn {
        if state == ValueState::CodingWord {
            return match words::read(&CHUNKED, &mut self.word, input, &mut self.at, words::any_case) {
                Found::Starved => Turn::Starved,
                Found::Word(_) => self.go(State::Value(ValueState::AfterChunked)),
                Found::Nothing => self.go(State::Value(ValueState::OtherCoding)),
            };
        }
        if state == ValueState::OtherCoding {
            self.at += alphabet::LIST_ELEMENT.prefix(&input[self.at..]);
        }
        let Some(&byte) = input.get(self.at) else { return Turn::Starved };
        match (state, byte) {
            (ValueState::AfterChunked, b' ') | (ValueState::CodingSpace, b' ' | b'\t') => self.skip(self.state),
            (ValueState::AfterChunked, b'\r' | b'\n') => {
                self.special = Special::TransferEncodingChunked;
                self.go(State::Value(ValueState::Otherwise))
            }
            (ValueState::AfterChunked, b',') if self.forbids_after_chunked() => self.fail_after_chunked(),
            (ValueState::AfterChunked, b',') | (ValueState::CodingSpace, _) => {
                self.go(State::Value(ValueState::Coding))
            }
            (ValueState::AfterChunked, _) => self.go(State::Value(ValueState::OtherCoding)),
            (_, b',') => self.skip(State::Value(ValueState::CodingSpace)),
            _ => {
                self.special = Special::General;
                self.go(State::Value(ValueState::Text))
            }
        }
    }

    fn content_length(&mut self, state: ValueState, input: &[u8]) -> Turn {
        let Some(&byte) = input.get(self.at) else { return Turn::Starved };
        match byte {
            b'0'..=b'9' if state == ValueState::Length => {
                self.at += 1;
                match self.content_length.checked_mul(10).and_then(|tens| tens.checked_add(u64::from(byte - b'0'))) {
                    Some(length) => {
                        self.content_length = length;
                        Turn::Again
                    }
                    None => self.close_and_fail("HPE_INVALID_CONTENT_LENGTH", "Content-Length overflow"),
                }
            }
            b' ' | b'\t' => self.skip(State::Value(ValueState::LengthSpace)),
            b'\r' | b'\n' => {
                self.flags.content_length = true;
                self.go(State::Value(ValueState::Otherwise))
            }
            _ => self.close_and_fail("HPE_INVALID_CONTENT_LENGTH", "Invalid character in Content-Length"),
        }
    }

    fn before_option(&mut self, input: &[u8]) -> Turn {
        match input.get(self.at) {
            None => Turn::Starved,
            Some(b' ' | b'\t') => self.skip(self.state),
            Some(_) => self.start_word(ValueState::OptionWord),
        }
    }

    fn connection_option(&mut self, state: ValueState, input: &[u8]) -> Turn {
        if state == ValueState::OptionWord {
            return match words::read(&OPTIONS, &mut self.word, input, &mut self.at, words::any_case) {
                Found::Starved => Turn::Starved,
                Found::Word(word) => {
                    self.special = OPTION_SPECIALS[usize::from(word)];
                    self.go(State::Value(ValueState::AfterOption))
                }
                Found::Nothing => self.go(State::Value(ValueState::OtherOption)),
            };
        }
        if state == ValueState::OtherOption {
            self.at += alphabet::LIST_ELEMENT.prefix(&input[self.at..]);
        }
        let Some(&byte) = input.get(self.at) else { return Turn::Starved };
        match (state, byte) {
            (ValueState::AfterOption, b',') => {
                self.apply_special();
                self.skip(State::Value(ValueState::Option))
            }
            (ValueState::AfterOption, b' ' | b'\t') => self.skip(self.state),
            (ValueState::AfterOption, b'\r' | b'\n') => self.go(State::Value(ValueState::Otherwise)),
            (ValueState::AfterOption, _) => {
                // `close-me` is another option than `close`.
                self.special = Special::General;
                self.go(State::Value(ValueState::OtherOption))
            }
            (_, b',') => self.skip(State::Value(ValueState::Option)),
            _ => self.go(State::Value(ValueState::Otherwise)),
        }
    }

    /// At a byte that no value contains.
    fn end_value(&mut self, state: ValueState, input: &[u8]) -> Turn {
        if state == ValueState::Lenient {
            let rest = &input[self.at..];
            self.at += rest.iter().position(|&byte| byte == b'\r' || byte == b'\n').unwrap_or(rest.len());
        }
        let Some(&byte) = input.get(self.at) else { return Turn::Starved };
        let line_feed = State::Value(ValueState::LineFeed);
        match (state, byte) {
            (ValueState::Relaxed, 1..) if byte != b'\r' && byte != b'\n' => self.skip(State::Value(ValueState::Text)),
            (ValueState::Relaxed, _) => self.close_and_fail(INVALID_TOKEN, INVALID_CHAR),
            (_, b'\r') => self.close_and_skip(line_feed),
            (_, b'\n') if state == ValueState::Lenient || self.forgives(Lenient::NO_CR_BEFORE_LF) => {
                self.close(line_feed)
            }
            (_, b'\n') => self.close_and_fail("HPE_CR_EXPECTED", "Missing expected CR after header value"),
            _ if self.forgives(Lenient::HEADERS) => self.go(State::Value(ValueState::Lenient)),
            _ if self.forgives(Lenient::VALUE_RELAXED) => self.go(State::Value(ValueState::Relaxed)),
            _ => self.close_and_fail(INVALID_TOKEN, INVALID_CHAR),
        }
    }

    fn after_value(&mut self, state: ValueState, input: &[u8]) -> Turn {
        let Some(&byte) = input.get(self.at) else { return Turn::Starved };
        match (state, byte) {
            (ValueState::LineFeed, b'\n') => self.skip(State::Value(ValueState::AfterLine)),
            (ValueState::LineFeed, _) => self.fail("HPE_LF_EXPECTED", "Missing expected LF after header value"),
            (_, b' ' | b'\t') if self.forgives(Lenient::HEADERS) => {
                if self.special == Special::TransferEncodingChunked {
                    self.special = Special::General;
                }
                self.open(Span::FieldValue);
                self.go(State::Value(ValueState::Start))
            }
            (_, b' ' | b'\t') => self.fail(INVALID_TOKEN, "Unexpected whitespace after header value"),
            _ => {
                self.apply_special();
                self.go(NEXT_FIELD)
            }
        }
    }
}
