//! Reads field names, up to the colon, and the blank line that ends the fields.

use super::alphabet;
use super::machine::{Lenient, Machine, Span, State, Turn};
use super::message::Special;
use super::value::ValueState;
use super::words::{self, Found, Progress};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldState {
    AfterFirstLine,
    Start,
    SpecialName,
    Colon,
    SpacesBeforeColon,
    Name,
    BlankLine,
}

/// Names whose values the machine reads itself, and what they are.
const SPECIAL_NAMES: [&str; 5] = ["connection", "content-length", "proxy-connection", "transfer-encoding", "upgrade"];
const SPECIALS: [Special; 5] =
    [Special::Connection, Special::ContentLength, Special::Connection, Special::TransferEncoding, Special::Upgrade];

const INVALID_TOKEN: &str = "HPE_INVALID_HEADER_TOKEN";

impl Machine {
    pub(super) fn field(&mut self, state: FieldState, input: &[u8]) -> Turn {
        if state == FieldState::SpecialName {
            return self.read_special_name(input);
        }
        if state == FieldState::Name {
            self.at += alphabet::TOKEN.prefix(&input[self.at..]);
        }
        let Some(&byte) = input.get(self.at) else { return Turn::Starved };
        match (state, byte) {
            (FieldState::AfterFirstLine, b' ') => {
                self.at += 1;
                self.forgive_or_fail(
                    Lenient::HEADERS,
                    State::Field(FieldState::Start),
                    "HPE_UNEXPECTED_SPACE",
                    "Unexpected space after start line",
                )
            }
            (FieldState::AfterFirstLine, _) => self.go(State::Field(FieldState::Start)),
            (FieldState::Start, _) => self.start_field(byte),
            (FieldState::Colon | FieldState::Name, b':') => self.end_name(),
            (FieldState::Colon, b' ') if self.forgives(Lenient::HEADERS) => {
                self.go(State::Field(FieldState::SpacesBeforeColon))
            }
            (FieldState::Colon, b' ') => self.close_and_fail_behind(INVALID_TOKEN, "Invalid header field char"),
            (FieldState::SpacesBeforeColon, b' ') => self.skip(self.state),
            (FieldState::SpacesBeforeColon, _) => self.go(State::Field(FieldState::Colon)),
            (FieldState::Colon, _) => {
                self.special = Special::General;
                self.go(State::Field(FieldState::Name))
            }
            (FieldState::Name | FieldState::SpecialName, _) => self.fail(INVALID_TOKEN, "Invalid header token"),
            (FieldState::BlankLine, b'\n') => {
                self.at += 1;
                self.blank_line()
            }
            (FieldState::BlankLine, _) if self.forgives(Lenient::NO_LF_AFTER_CR) => self.blank_line(),
            (FieldState::BlankLine, _) => self.fail("HPE_STRICT", "Expected LF after headers"),
        }
    }

    fn start_field(&mut self, byte: u8) -> Turn {
        match byte {
            b'\r' => self.skip(State::Field(FieldState::BlankLine)),
            b'\n' if self.forgives(Lenient::NO_CR_BEFORE_LF) => {
                self.at += 1;
                self.blank_line()
            }
            b'\n' => self.fail_behind(INVALID_TOKEN, "Invalid header field char"),
            b':' => self.fail(INVALID_TOKEN, "Invalid header token"),
            _ => {
                self.open(Span::FieldName);
                self.word = Progress::default();
                self.go(State::Field(FieldState::SpecialName))
            }
        }
    }

    fn read_special_name(&mut self, input: &[u8]) -> Turn {
        match words::read(&SPECIAL_NAMES, &mut self.word, input, &mut self.at, words::any_case) {
            Found::Starved => Turn::Starved,
            Found::Word(word) => {
                self.special = SPECIALS[usize::from(word)];
                self.go(State::Field(FieldState::Colon))
            }
            Found::Nothing => {
                self.special = Special::General;
                self.go(State::Field(FieldState::Name))
            }
        }
    }

    /// A message with both lengths is read differently by different parsers: that is how requests are smuggled.
    fn end_name(&mut self) -> Turn {
        let forgives = self.forgives(Lenient::CHUNKED_LENGTH);
        match self.special {
            Special::TransferEncoding if self.flags.content_length && !forgives => self.close_and_fail_behind(
                "HPE_INVALID_TRANSFER_ENCODING",
                "Transfer-Encoding can't be present with Content-Length",
            ),
            Special::ContentLength if self.flags.transfer_encoding && !forgives => self.close_and_fail_behind(
                "HPE_INVALID_CONTENT_LENGTH",
                "Content-Length can't be present with Transfer-Encoding",
            ),
            _ => self.close_and_skip(State::Value(ValueState::Space)),
        }
    }
}
