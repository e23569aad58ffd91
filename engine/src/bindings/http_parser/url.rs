//! Reads the request target: `/path?query#fragment`, `scheme://host/…`, `*`, or `host:port` after `CONNECT`.

use super::alphabet;
use super::field::FieldState;
use super::machine::{Machine, Span, State, Turn};
use super::request_line::RequestState;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UrlState {
    Entry,
    ConnectEntry,
    Start,
    Schema,
    SchemaSlash,
    SchemaSecondSlash,
    Server,
    ServerAfterAt,
    Path,
    Query,
    Fragment,
    Space,
    AfterSpace,
    CarriageReturn,
    LineFeed,
    BareLineFeed,
    AfterLine,
}

const INVALID: &str = "HPE_INVALID_URL";

impl Machine {
    pub(super) fn url(&mut self, state: UrlState, input: &[u8]) -> Turn {
        if state == UrlState::Path || state == UrlState::Query || state == UrlState::Fragment {
            self.at += alphabet::URL.prefix(&input[self.at..]);
        }
        let Some(&byte) = input.get(self.at) else { return Turn::Starved };
        if matches!(byte, b'\t' | b'\x0c') && state != UrlState::SchemaSecondSlash && state != UrlState::LineFeed {
            return self.fail_behind(INVALID, "Invalid characters in url");
        }
        match state {
            UrlState::Entry | UrlState::ConnectEntry => {
                self.open(Span::Url);
                self.go(State::Url(if state == UrlState::Entry { UrlState::Start } else { UrlState::Server }))
            }
            UrlState::Start | UrlState::Schema | UrlState::SchemaSlash | UrlState::SchemaSecondSlash => {
                self.url_start(state, byte)
            }
            UrlState::Server | UrlState::ServerAfterAt => self.url_server(state, byte),
            UrlState::Path | UrlState::Query | UrlState::Fragment => self.url_path(state, byte),
            _ => self.url_end(state, byte),
        }
    }

    fn url_start(&mut self, state: UrlState, byte: u8) -> Turn {
        let in_schema = "Unexpected char in url schema";
        match (state, byte) {
            (UrlState::Start | UrlState::Schema | UrlState::SchemaSlash, b' ' | b'\r' | b'\n') => {
                self.fail_behind(INVALID, "Invalid characters in url")
            }
            (UrlState::Start, b'/' | b'*') => self.skip(State::Url(UrlState::Path)),
            (UrlState::Start, _) if alphabet::ALPHA.has(byte) => self.go(State::Url(UrlState::Schema)),
            (UrlState::Start, _) => self.fail(INVALID, "Unexpected start char in url"),
            (UrlState::Schema, b':') => self.skip(State::Url(UrlState::SchemaSlash)),
            (UrlState::Schema, _) if alphabet::ALPHA.has(byte) => self.skip(self.state),
            (UrlState::SchemaSlash, b'/') => self.skip(State::Url(UrlState::SchemaSecondSlash)),
            (UrlState::SchemaSecondSlash, b'/') => self.skip(State::Url(UrlState::Server)),
            _ => self.fail(INVALID, in_schema),
        }
    }

    fn url_server(&mut self, state: UrlState, byte: u8) -> Turn {
        match (state, byte) {
            (_, b' ' | b'\r' | b'\n') => self.end_url(byte),
            (_, b'/') => self.skip(State::Url(UrlState::Path)),
            (_, b'?') => self.skip(State::Url(UrlState::Query)),
            (UrlState::ServerAfterAt, b'@') => self.fail_behind(INVALID, "Double @ in url"),
            (_, b'@') => self.skip(State::Url(UrlState::ServerAfterAt)),
            (_, b'[' | b']') => self.skip(State::Url(UrlState::Server)),
            _ if alphabet::USER_INFO.has(byte) => self.skip(State::Url(UrlState::Server)),
            _ => self.fail(INVALID, "Unexpected char in url server"),
        }
    }

    fn url_path(&mut self, state: UrlState, byte: u8) -> Turn {
        match (state, byte) {
            (_, b' ' | b'\r' | b'\n') => self.end_url(byte),
            (UrlState::Path | UrlState::Query, b'#') => self.skip(State::Url(UrlState::Fragment)),
            (UrlState::Path, b'?') => self.skip(State::Url(UrlState::Query)),
            (UrlState::Query, b'?') | (UrlState::Fragment, b'?' | b'#') => self.skip(self.state),
            (UrlState::Path, _) => self.fail(INVALID, "Invalid char in url path"),
            (UrlState::Query, _) => self.fail(INVALID, "Invalid char in url query"),
            _ => self.fail(INVALID, "Invalid char in url fragment start"),
        }
    }

    fn end_url(&mut self, byte: u8) -> Turn {
        match byte {
            b' ' => self.close(State::Url(UrlState::Space)),
            b'\r' => self.close(State::Url(UrlState::CarriageReturn)),
            _ => self.close(State::Url(UrlState::BareLineFeed)),
        }
    }

    /// A line that ends after the target is a request of HTTP/0.9.
    fn url_end(&mut self, state: UrlState, byte: u8) -> Turn {
        match (state, byte) {
            (UrlState::Space, _) => self.skip(State::Url(UrlState::AfterSpace)),
            (UrlState::CarriageReturn, _) => self.skip(State::Url(UrlState::LineFeed)),
            (UrlState::BareLineFeed, _) => self.skip(State::Url(UrlState::AfterLine)),
            (UrlState::AfterSpace, _) => self.go(State::Request(RequestState::SpacesBeforeProtocol)),
            (UrlState::LineFeed, b'\n') => self.skip(State::Url(UrlState::AfterLine)),
            (UrlState::LineFeed, _) => self.fail(INVALID, "Expected CRLF"),
            _ => {
                self.major = 0;
                self.minor = 9;
                self.go(State::Field(FieldState::AfterFirstLine))
            }
        }
    }
}
