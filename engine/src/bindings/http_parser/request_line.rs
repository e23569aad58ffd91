//! Reads `METHOD target HTTP/x.y`, without the target.

use super::field::FieldState;
use super::machine::{Lenient, Machine, State, Turn};
use super::method;
use super::url::UrlState;
use super::words::{self, Found, Progress};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestState {
    Method,
    SpaceAfterMethod,
    SpacesBeforeUrl,
    SpacesBeforeProtocol,
    Protocol,
    Slash,
    Major,
    Dot,
    Minor,
    LineEnd,
    LineFeed,
    Http2Preface,
}

const PROTOCOLS: [&str; 3] = ["HTTP", "RTSP", "ICE"];
/// What follows the first line of an HTTP/2 connection.
const HTTP2_PREFACE: [&str; 1] = ["\r\n\r\nSM\r\n\r\n"];
const EXPECTED_PROTOCOL: &str = "Expected HTTP/, RTSP/ or ICE/";

impl Machine {
    pub(super) fn request_line(&mut self, state: RequestState, input: &[u8]) -> Turn {
        match state {
            RequestState::Method => return self.read_method(input),
            RequestState::Protocol => return self.read_request_protocol(input),
            RequestState::Http2Preface => return self.read_http2_preface(input),
            _ => {}
        }
        let Some(&byte) = input.get(self.at) else { return Turn::Starved };
        match (state, byte) {
            (RequestState::SpaceAfterMethod, b' ') => self.skip(State::Request(RequestState::SpacesBeforeUrl)),
            (RequestState::SpaceAfterMethod, _) => self.fail("HPE_INVALID_METHOD", "Expected space after method"),
            (RequestState::SpacesBeforeUrl | RequestState::SpacesBeforeProtocol, b' ') => self.skip(self.state),
            (RequestState::SpacesBeforeUrl, _) if self.method == method::CONNECT => {
                self.go(State::Url(UrlState::ConnectEntry))
            }
            (RequestState::SpacesBeforeUrl, _) => self.go(State::Url(UrlState::Entry)),
            (RequestState::SpacesBeforeProtocol, _) => {
                self.word = Progress::default();
                self.go(State::Request(RequestState::Protocol))
            }
            (RequestState::Slash, b'/') => self.skip(State::Request(RequestState::Major)),
            (RequestState::Slash, _) => self.fail("HPE_INVALID_CONSTANT", EXPECTED_PROTOCOL),
            (RequestState::Major, _) => self.read_major(byte, State::Request(RequestState::Dot)),
            (RequestState::Dot, _) => self.read_dot(byte, State::Request(RequestState::Minor)),
            (RequestState::Minor, _) => self.read_request_minor(byte),
            _ => self.request_line_end(state, byte),
        }
    }

    fn read_method(&mut self, input: &[u8]) -> Turn {
        match words::read(&method::ALL, &mut self.word, input, &mut self.at, words::exact) {
            Found::Starved => Turn::Starved,
            Found::Nothing => self.fail("HPE_INVALID_METHOD", "Invalid method encountered"),
            Found::Word(method) => {
                self.method = method;
                self.go(State::Request(RequestState::SpaceAfterMethod))
            }
        }
    }

    fn read_request_protocol(&mut self, input: &[u8]) -> Turn {
        let (fits, reason) = match words::read(&PROTOCOLS, &mut self.word, input, &mut self.at, words::exact) {
            Found::Starved => return Turn::Starved,
            Found::Word(0) => (method::is_http(self.method), "Invalid method for HTTP/x.x request"),
            Found::Word(1) => (method::is_rtsp(self.method), "Invalid method for RTSP/x.x request"),
            Found::Word(_) => (method::is_icecast(self.method), "Expected SOURCE method for ICE/x.x request"),
            Found::Nothing => (false, EXPECTED_PROTOCOL),
        };
        if fits { self.go(State::Request(RequestState::Slash)) } else { self.fail("HPE_INVALID_CONSTANT", reason) }
    }

    fn read_request_minor(&mut self, byte: u8) -> Turn {
        if self.method == method::PRI {
            self.word = Progress::default();
            return self.read_minor(byte, State::Request(RequestState::Http2Preface));
        }
        self.read_minor(byte, State::Request(RequestState::LineEnd))
    }

    fn request_line_end(&mut self, state: RequestState, byte: u8) -> Turn {
        let reason = "Expected CRLF after version";
        match (state, byte) {
            (RequestState::LineEnd, b'\r') => self.skip(State::Request(RequestState::LineFeed)),
            (RequestState::LineEnd, b'\n') => {
                self.at += 1;
                self.forgive_or_fail(
                    Lenient::NO_CR_BEFORE_LF,
                    State::Request(RequestState::LineFeed),
                    "HPE_INVALID_VERSION",
                    reason,
                )
            }
            (RequestState::LineFeed, b'\n') => self.skip(State::Field(FieldState::AfterFirstLine)),
            (RequestState::LineFeed, _) => self.forgive_or_fail(
                Lenient::NO_LF_AFTER_CR,
                State::Field(FieldState::AfterFirstLine),
                "HPE_STRICT",
                reason,
            ),
            _ => self.fail("HPE_INVALID_VERSION", reason),
        }
    }

    fn read_http2_preface(&mut self, input: &[u8]) -> Turn {
        match words::read(&HTTP2_PREFACE, &mut self.word, input, &mut self.at, words::exact) {
            Found::Starved => Turn::Starved,
            Found::Word(_) => self.fail("HPE_PAUSED_H2_UPGRADE", "Pause on PRI/Upgrade"),
            Found::Nothing => self.fail("HPE_INVALID_VERSION", "Expected HTTP/2 Connection Preface"),
        }
    }

    pub(super) fn read_major(&mut self, byte: u8, next: State) -> Turn {
        if !byte.is_ascii_digit() {
            return self.fail("HPE_INVALID_VERSION", "Invalid major version");
        }
        self.major = byte - b'0';
        self.skip(next)
    }

    pub(super) fn read_dot(&mut self, byte: u8, next: State) -> Turn {
        if byte == b'.' { self.skip(next) } else { self.fail("HPE_INVALID_VERSION", "Expected dot") }
    }

    pub(super) fn read_minor(&mut self, byte: u8, next: State) -> Turn {
        if !byte.is_ascii_digit() {
            return self.fail("HPE_INVALID_VERSION", "Invalid minor version");
        }
        self.minor = byte - b'0';
        let is_known = matches!((self.major, self.minor), (0, 9) | (1, 0 | 1) | (2, 0));
        if is_known || self.forgives(Lenient::VERSION) {
            return self.skip(next);
        }
        self.fail_behind("HPE_INVALID_VERSION", "Invalid HTTP version")
    }
}

/// The protocol names of a response line.
pub(super) fn read_protocol(progress: &mut Progress, input: &[u8], at: &mut usize) -> Found {
    words::read(&PROTOCOLS, progress, input, at, words::exact)
}
