//! One parser as JavaScript sees it: collects the texts of a message and knows since when it has been going on.

use core::ops::Range;

use super::machine::{Event, Failure, Lenient, Machine, Span};
use super::message::Kind;

/// With this many fields collected, those before are handed to JavaScript.
const FIELDS_MAX: usize = 32;
/// Bytes of chunk extensions in one message.
const EXTENSION_BYTES_MAX: u64 = 16_384;

/// Bytes of memory for texts that a parser keeps between messages.
const TEXT_BYTES_KEPT: usize = 2048;

const HEADER_OVERFLOW: Failure = Failure { code: "HPE_HEADER_OVERFLOW", reason: "Header overflow" };
const EXTENSION_OVERFLOW: Failure =
    Failure { code: "HPE_CHUNK_EXTENSIONS_OVERFLOW", reason: "Chunk extensions overflow" };
const PAUSED: Failure = Failure { code: "HPE_PAUSED", reason: "Paused" };

/// What JavaScript has to be told about an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Call {
    /// Nothing.
    None,
    /// `kOnMessageBegin`.
    MessageBegin,
    /// `kOnHeaders`: too many fields for one call. The text belongs to a field that starts behind them.
    Flush(Span, Range<usize>),
    /// `kOnHeadersComplete`.
    HeadersComplete,
    /// `kOnBody`.
    Body(Range<usize>),
    /// `kOnMessageComplete`.
    MessageComplete,
}

/// A text inside `Connection::texts`.
type Text = Range<usize>;

/// The state of an `HTTPParser`.
pub(super) struct Connection {
    pub(super) machine: Machine,
    /// Counts `initialize`, so that an `execute` on the stack notices it.
    pub(super) generation: u32,
    is_paused: bool,
    texts: Vec<u8>,
    url: Text,
    reason: Text,
    names: Vec<Text>,
    values: Vec<Text>,
    header_bytes: u64,
    header_bytes_max: u64,
    extension_bytes: u64,
    pub(super) has_flushed: bool,
    pub(super) has_headers: bool,
    /// Monotonic nanoseconds; 0 between messages.
    pub(super) started_ns: f64,
    pub(super) is_listed: bool,
    pub(super) is_active: bool,
    pub(super) has_list: bool,
}

impl Connection {
    /// A parser that `initialize` has not been called on.
    pub(super) fn new() -> Connection {
        Connection {
            machine: Machine::new(Kind::Request, Lenient::default()),
            generation: 0,
            is_paused: false,
            texts: Vec::new(),
            url: 0..0,
            reason: 0..0,
            names: Vec::new(),
            values: Vec::new(),
            header_bytes: 0,
            header_bytes_max: 0,
            extension_bytes: 0,
            has_flushed: false,
            has_headers: false,
            started_ns: 0.0,
            is_listed: false,
            is_active: false,
            has_list: false,
        }
    }

    /// Starts a connection. `started_ns` is given if a list of connections watches it.
    pub(super) fn initialize(&mut self, machine: Machine, header_bytes_max: u64, started_ns: Option<f64>) {
        let generation = self.generation.wrapping_add(1);
        let watched = started_ns.is_some();
        *self = Connection {
            machine,
            generation,
            header_bytes_max,
            // Sending nothing at all must time out as well.
            started_ns: started_ns.unwrap_or(self.started_ns),
            is_listed: watched,
            is_active: watched,
            has_list: watched,
            texts: core::mem::take(&mut self.texts),
            names: core::mem::take(&mut self.names),
            values: core::mem::take(&mut self.values),
            ..Connection::new()
        };
        self.forget_texts();
    }

    /// Takes the parser out of its list.
    pub(super) fn leave_list(&mut self) {
        self.is_listed = false;
        self.is_active = false;
    }

    pub(super) fn pause(&mut self) {
        self.is_paused |= self.machine.failure.is_none();
    }

    pub(super) fn resume(&mut self) {
        self.is_paused = false;
    }

    /// Why nothing more can be read now.
    pub(super) fn obstacle(&self) -> Option<Failure> {
        self.machine.failure.or(self.is_paused.then_some(PAUSED))
    }

    /// Takes note of an event; an error refuses it.
    pub(super) fn note(&mut self, event: Event, input: &[u8], now_ns: impl Fn() -> f64) -> Result<Call, Failure> {
        match event {
            Event::MessageBegin => {
                self.begin_message(now_ns());
                Ok(Call::MessageBegin)
            }
            Event::Text(Span::Body, range) => Ok(if range.is_empty() { Call::None } else { Call::Body(range) }),
            Event::Text(Span::ChunkExtension, range) => {
                self.extension_bytes += length(&range);
                if self.extension_bytes > EXTENSION_BYTES_MAX { Err(EXTENSION_OVERFLOW) } else { Ok(Call::None) }
            }
            Event::Text(span, range) => self.note_text(span, range, input),
            Event::HeadersComplete => {
                self.has_headers = true;
                self.header_bytes = 0;
                Ok(Call::HeadersComplete)
            }
            Event::ChunkHeader => {
                self.header_bytes = 0;
                self.extension_bytes = 0;
                Ok(Call::None)
            }
            Event::ChunkComplete => {
                self.header_bytes = 0;
                Ok(Call::None)
            }
            Event::MessageComplete => {
                self.complete_message();
                Ok(Call::MessageComplete)
            }
        }
    }

    fn begin_message(&mut self, now_ns: f64) {
        self.forget_texts();
        self.has_headers = false;
        self.extension_bytes = 0;
        self.started_ns = now_ns;
        self.is_active = self.has_list;
        self.is_listed = self.has_list;
    }

    pub(super) fn complete_message(&mut self) {
        self.started_ns = 0.0;
        self.is_active = false;
        self.is_listed = self.has_list;
    }

    fn note_text(&mut self, span: Span, range: Range<usize>, input: &[u8]) -> Result<Call, Failure> {
        self.header_bytes += length(&range);
        if self.header_bytes >= self.header_bytes_max {
            return Err(HEADER_OVERFLOW);
        }
        if span == Span::FieldName && self.names.len() == self.values.len() && self.names.len() + 1 == FIELDS_MAX {
            return Ok(Call::Flush(span, range));
        }
        self.add_text(span, range, input);
        Ok(Call::None)
    }

    /// Adds a part of a text to what was collected.
    pub(super) fn add_text(&mut self, span: Span, range: Range<usize>, input: &[u8]) {
        let end = self.texts.len();
        match span {
            Span::FieldName if self.names.len() == self.values.len() => self.names.push(end..end),
            Span::FieldValue if self.names.len() != self.values.len() => self.values.push(end..end),
            Span::Url if self.url.is_empty() => self.url = end..end,
            Span::Status if self.reason.is_empty() => self.reason = end..end,
            _ => {}
        }
        self.texts.extend_from_slice(input.get(range).unwrap_or_default());
        let end = self.texts.len();
        let text = match span {
            Span::FieldName => self.names.last_mut(),
            Span::FieldValue => self.values.last_mut(),
            Span::Url => Some(&mut self.url),
            _ => Some(&mut self.reason),
        };
        if let Some(text) = text {
            text.end = end;
        }
    }

    pub(super) fn has_fields(&self) -> bool {
        !self.names.is_empty()
    }

    /// Names and values in turn, values without trailing white space.
    pub(super) fn fields(&self) -> impl Iterator<Item = &[u8]> {
        let text = |range: &Text| self.texts.get(range.clone()).unwrap_or_default();
        self.names
            .iter()
            .zip(&self.values)
            .flat_map(move |(name, value)| [text(name), without_trailing_space(text(value))])
    }

    pub(super) fn url(&self) -> &[u8] {
        self.texts.get(self.url.clone()).unwrap_or_default()
    }

    pub(super) fn reason(&self) -> &[u8] {
        self.texts.get(self.reason.clone()).unwrap_or_default()
    }

    /// The fields were handed over.
    pub(super) fn forget_fields(&mut self) {
        self.names.clear();
        self.values.clear();
    }

    /// The fields and the URL were handed over.
    pub(super) fn forget_flushed(&mut self) {
        self.forget_fields();
        self.url = 0..0;
        self.has_flushed = true;
        let reason = self.reason().to_vec();
        self.reason = 0..reason.len();
        self.texts = reason;
    }

    fn forget_texts(&mut self) {
        self.texts.clear();
        // Parsers are kept for reuse: one large message must not stay in memory for each.
        self.texts.shrink_to(TEXT_BYTES_KEPT);
        self.url = 0..0;
        self.reason = 0..0;
        self.forget_fields();
    }
}

fn without_trailing_space(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| !matches!(byte, b' ' | b'\t')).map_or(0, |last| last + 1);
    &text[..end]
}

fn length(range: &Range<usize>) -> u64 {
    u64::try_from(range.len()).unwrap_or(u64::MAX)
}
