//! Turns the bytes of an HTTP/1 connection into events, one at a time, across any split of the input.
//!
//! The grammar is RFC 9112's. What is beyond it (which byte an error points at, what the lenient flags forgive,
//! error codes and reasons) is what llhttp 9, the parser in node@24, lets its callers observe.

use core::ops::Range;

use super::body::BodyState;
use super::field::FieldState;
use super::message::{Finish, Flags, Kind, Special};
use super::request_line::RequestState;
use super::status_line::StatusState;
use super::url::UrlState;
use super::value::ValueState;
use super::words::Progress;

/// Something of a message was read. Ranges are into the input of this turn; a text split over inputs comes in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// The first byte of a message.
    MessageBegin,
    /// A part of some text.
    Text(Span, Range<usize>),
    /// The blank line after the fields. The machine waits for `after_headers`.
    HeadersComplete,
    /// The line with a chunk's size.
    ChunkHeader,
    /// The end of a chunk.
    ChunkComplete,
    /// The end of a message.
    MessageComplete,
}

/// Which text an `Event::Text` is a part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    /// The request target.
    Url,
    /// The reason phrase.
    Status,
    /// A field name.
    FieldName,
    /// A field value, with trailing white space.
    FieldValue,
    /// A name or a value of a chunk extension.
    ChunkExtension,
    /// Payload.
    Body,
}

/// What `Machine::step` found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// An event; there may be more in this input.
    Event(Event),
    /// All of the input was read.
    Done,
    /// The rest of the input belongs to another protocol.
    Upgraded,
    /// The input is no HTTP, and so is all that follows.
    Failed(Failure),
}

/// Why the input is no HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failure {
    /// Node's `error.code`.
    pub(super) code: &'static str,
    /// Node's `error.reason`.
    pub(super) reason: &'static str,
}

/// What one state made of the input.
pub(super) enum Turn {
    Again,
    Emit(Event),
    Starved,
    Upgraded,
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Start,
    Request(RequestState),
    Url(UrlState),
    Status(StatusState),
    Field(FieldState),
    Value(ValueState),
    HeadersDone,
    Body(BodyState),
    Closed,
    Failed,
}

/// What the parser forgives: Node's `HTTPParser.kLenient*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Lenient(pub(super) u32);

impl Lenient {
    pub(super) const HEADERS: u32 = 1;
    pub(super) const CHUNKED_LENGTH: u32 = 1 << 1;
    pub(super) const KEEP_ALIVE: u32 = 1 << 2;
    pub(super) const TRANSFER_ENCODING: u32 = 1 << 3;
    pub(super) const VERSION: u32 = 1 << 4;
    pub(super) const DATA_AFTER_CLOSE: u32 = 1 << 5;
    pub(super) const NO_LF_AFTER_CR: u32 = 1 << 6;
    pub(super) const NO_CRLF_AFTER_CHUNK: u32 = 1 << 7;
    pub(super) const NO_CR_BEFORE_LF: u32 = 1 << 8;
    pub(super) const SPACES_AFTER_CHUNK_SIZE: u32 = 1 << 9;
    pub(super) const VALUE_RELAXED: u32 = 1 << 10;
}

/// The parser of one connection.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    pub(super) kind: Kind,
    lenient: Lenient,
    pub(super) state: State,
    pub(super) at: usize,
    span: Option<Span>,
    span_start: usize,
    span_was_flushed: bool,
    pub(super) word: Progress,
    pub(super) failure: Option<Failure>,
    pub(super) finish: Finish,
    pub(super) method: u8,
    pub(super) major: u8,
    pub(super) minor: u8,
    pub(super) status: u16,
    pub(super) flags: Flags,
    pub(super) special: Special,
    /// Bytes of body that are to come, or the number being read.
    pub(super) content_length: u64,
    pub(super) is_upgrade: bool,
}

impl Machine {
    /// A parser at the start of a connection.
    pub(super) fn new(kind: Kind, lenient: Lenient) -> Machine {
        Machine {
            kind,
            lenient,
            state: State::Start,
            at: 0,
            span: None,
            span_start: 0,
            span_was_flushed: false,
            word: Progress::default(),
            failure: None,
            finish: Finish::Safe,
            method: 0,
            major: 0,
            minor: 0,
            status: 0,
            flags: Flags::default(),
            special: Special::General,
            content_length: 0,
            is_upgrade: false,
        }
    }

    /// Starts on a new input. `step` must then get the same input until it is done with it.
    pub(super) fn begin(&mut self) {
        self.at = 0;
        self.span_start = 0;
        self.span_was_flushed = false;
    }

    /// How much of the input was read.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Reads on until something happens.
    pub(super) fn step(&mut self, input: &[u8]) -> Step {
        loop {
            match self.turn(input) {
                Turn::Again => {}
                Turn::Emit(event) => return Step::Event(event),
                Turn::Starved => return self.starve(input),
                Turn::Upgraded => return Step::Upgraded,
                Turn::Failed => return Step::Failed(self.failure.unwrap_or(UNKNOWN)),
            }
        }
    }

    /// The caller refuses what the last event said.
    pub(super) fn refuse(&mut self, failure: Failure) {
        self.state = State::Failed;
        self.failure = Some(failure);
    }

    fn turn(&mut self, input: &[u8]) -> Turn {
        match self.state {
            State::Start => self.start(input),
            State::Request(state) => self.request_line(state, input),
            State::Url(state) => self.url(state, input),
            State::Status(state) => self.status_line(state, input),
            State::Field(state) => self.field(state, input),
            State::Value(state) => self.value(state, input),
            State::HeadersDone => self.headers_done(),
            State::Body(state) => self.body(state, input),
            State::Closed => self.closed(input),
            State::Failed => Turn::Failed,
        }
    }

    /// Blank lines before a message are skipped.
    fn start(&mut self, input: &[u8]) -> Turn {
        while let Some(&byte) = input.get(self.at) {
            if byte != b'\r' && byte != b'\n' {
                self.finish = Finish::Unsafe;
                self.word = Progress::default();
                self.state = match self.kind {
                    Kind::Request => State::Request(RequestState::Method),
                    Kind::Response => State::Status(StatusState::Protocol),
                };
                return Turn::Emit(Event::MessageBegin);
            }
            self.at += 1;
        }
        Turn::Starved
    }

    /// After the last message of a connection only line ends may follow.
    fn closed(&mut self, input: &[u8]) -> Turn {
        while let Some(&byte) = input.get(self.at) {
            self.at += 1;
            if byte != b'\r' && byte != b'\n' && !self.forgives(Lenient::DATA_AFTER_CLOSE) {
                return self.fail("HPE_CLOSED_CONNECTION", "Data after `Connection: close`");
            }
        }
        Turn::Starved
    }

    /// At the end of an input the text being read is handed over as far as it goes.
    fn starve(&mut self, input: &[u8]) -> Step {
        match self.span {
            Some(span) if !self.span_was_flushed => {
                self.span_was_flushed = true;
                Step::Event(Event::Text(span, self.span_start..input.len()))
            }
            _ => Step::Done,
        }
    }

    pub(super) fn forgives(&self, flag: u32) -> bool {
        self.lenient.0 & flag != 0
    }

    pub(super) fn go(&mut self, state: State) -> Turn {
        self.state = state;
        Turn::Again
    }

    /// Goes on behind the byte looked at.
    pub(super) fn skip(&mut self, state: State) -> Turn {
        self.at += 1;
        self.go(state)
    }

    /// Fails at the byte looked at.
    pub(super) fn fail(&mut self, code: &'static str, reason: &'static str) -> Turn {
        self.refuse(Failure { code, reason });
        Turn::Failed
    }

    /// Fails behind the byte looked at.
    pub(super) fn fail_behind(&mut self, code: &'static str, reason: &'static str) -> Turn {
        self.at += 1;
        self.fail(code, reason)
    }

    /// `success` if the flag forgives, otherwise the failure, at the current position.
    pub(super) fn forgive_or_fail(
        &mut self,
        flag: u32,
        success: State,
        code: &'static str,
        reason: &'static str,
    ) -> Turn {
        if self.forgives(flag) { self.go(success) } else { self.fail(code, reason) }
    }

    /// Starts a text at the byte looked at.
    pub(super) fn open(&mut self, span: Span) {
        self.span = Some(span);
        self.span_start = self.at;
    }

    /// Ends the text before the byte looked at and goes on with that byte.
    pub(super) fn close(&mut self, state: State) -> Turn {
        self.state = state;
        match self.span.take() {
            Some(span) => Turn::Emit(Event::Text(span, self.span_start..self.at)),
            None => Turn::Again,
        }
    }

    /// Ends the text before the byte looked at and goes on behind that byte.
    pub(super) fn close_and_skip(&mut self, state: State) -> Turn {
        let turn = self.close(state);
        self.at += 1;
        turn
    }

    /// Ends the text before the byte looked at, and fails there.
    pub(super) fn close_and_fail(&mut self, code: &'static str, reason: &'static str) -> Turn {
        self.failure = Some(Failure { code, reason });
        self.close(State::Failed)
    }

    /// Ends the text before the byte looked at, and fails behind it.
    pub(super) fn close_and_fail_behind(&mut self, code: &'static str, reason: &'static str) -> Turn {
        let turn = self.close_and_fail(code, reason);
        self.at += 1;
        turn
    }
}

/// Never seen: a failed machine knows why.
const UNKNOWN: Failure = Failure { code: "HPE_INTERNAL", reason: "Unknown error" };
