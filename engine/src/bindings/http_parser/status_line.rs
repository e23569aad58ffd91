//! Reads `HTTP/x.y 200 reason`.

use super::field::FieldState;
use super::machine::{Lenient, Machine, Span, State, Turn};
use super::request_line::read_protocol;
use super::words::Found;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StatusState {
    Protocol,
    Slash,
    Major,
    Dot,
    Minor,
    SpaceAfterVersion,
    Digit1,
    Digit2,
    Digit3,
    AfterCode,
    ReasonStart,
    Reason,
    LineFeed,
}

const EXPECTED_PROTOCOL: &str = "Expected HTTP/, RTSP/ or ICE/";
const HEADERS: State = State::Field(FieldState::AfterFirstLine);

impl Machine {
    pub(super) fn status_line(&mut self, state: StatusState, input: &[u8]) -> Turn {
        if state == StatusState::Protocol {
            return match read_protocol(&mut self.word, input, &mut self.at) {
                Found::Starved => Turn::Starved,
                Found::Word(_) => self.go(State::Status(StatusState::Slash)),
                Found::Nothing => self.fail("HPE_INVALID_CONSTANT", EXPECTED_PROTOCOL),
            };
        }
        let Some(&byte) = input.get(self.at) else { return Turn::Starved };
        match state {
            StatusState::Slash if byte == b'/' => self.skip(State::Status(StatusState::Major)),
            StatusState::Slash | StatusState::Protocol => self.fail("HPE_INVALID_CONSTANT", EXPECTED_PROTOCOL),
            StatusState::Major => self.read_major(byte, State::Status(StatusState::Dot)),
            StatusState::Dot => self.read_dot(byte, State::Status(StatusState::Minor)),
            StatusState::Minor => self.read_minor(byte, State::Status(StatusState::SpaceAfterVersion)),
            StatusState::SpaceAfterVersion if byte == b' ' => {
                self.status = 0;
                self.skip(State::Status(StatusState::Digit1))
            }
            StatusState::SpaceAfterVersion => self.fail("HPE_INVALID_VERSION", "Expected space after version"),
            StatusState::Digit1 => self.read_status_digit(byte, StatusState::Digit2),
            StatusState::Digit2 => self.read_status_digit(byte, StatusState::Digit3),
            StatusState::Digit3 => self.read_status_digit(byte, StatusState::AfterCode),
            StatusState::AfterCode => self.after_status_code(byte),
            StatusState::ReasonStart | StatusState::Reason => self.read_reason(state, input),
            StatusState::LineFeed if byte == b'\n' => self.skip(HEADERS),
            StatusState::LineFeed => {
                self.forgive_or_fail(Lenient::NO_LF_AFTER_CR, HEADERS, "HPE_STRICT", "Expected LF after CR")
            }
        }
    }

    fn read_status_digit(&mut self, byte: u8, next: StatusState) -> Turn {
        if !byte.is_ascii_digit() {
            return self.fail("HPE_INVALID_STATUS", "Invalid status code");
        }
        self.status = self.status * 10 + u16::from(byte - b'0');
        self.skip(State::Status(next))
    }

    fn after_status_code(&mut self, byte: u8) -> Turn {
        let reason = "Invalid response status";
        match byte {
            b' ' => self.skip(State::Status(StatusState::ReasonStart)),
            b'\r' => self.skip(State::Status(StatusState::LineFeed)),
            b'\n' => {
                self.at += 1;
                self.forgive_or_fail(Lenient::NO_CR_BEFORE_LF, HEADERS, "HPE_INVALID_STATUS", reason)
            }
            _ => self.fail("HPE_INVALID_STATUS", reason),
        }
    }

    fn read_reason(&mut self, state: StatusState, input: &[u8]) -> Turn {
        if state == StatusState::ReasonStart {
            self.open(Span::Status);
            self.state = State::Status(StatusState::Reason);
        }
        let rest = &input[self.at..];
        self.at += rest.iter().position(|&byte| byte == b'\r' || byte == b'\n').unwrap_or(rest.len());
        match input.get(self.at) {
            None => Turn::Starved,
            Some(b'\r') => self.close_and_skip(State::Status(StatusState::LineFeed)),
            Some(_) if self.forgives(Lenient::NO_CR_BEFORE_LF) => self.close_and_skip(HEADERS),
            Some(_) => self.close_and_fail_behind("HPE_CR_EXPECTED", "Missing expected CR after response line"),
        }
    }
}
