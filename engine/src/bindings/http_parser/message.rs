//! What the fields of a message mean for it: how long the body is, whether the connection goes on afterwards.

use super::body::BodyState;
use super::machine::{Event, Failure, Lenient, Machine, State, Turn};
use super::method;

/// What a connection carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Requests, read by a server.
    Request,
    /// Responses, read by a client.
    Response,
}

/// What the end of the connection means now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finish {
    /// Between messages.
    Safe,
    /// It ends the message.
    CompletesMessage,
    /// It cuts the message.
    Unsafe,
}

/// What the fields so far have said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Flags {
    pub(super) connection_keep_alive: bool,
    pub(super) connection_close: bool,
    pub(super) connection_upgrade: bool,
    pub(super) chunked: bool,
    pub(super) upgrade: bool,
    pub(super) content_length: bool,
    pub(super) transfer_encoding: bool,
    /// The caller knows that there is no body.
    pub(super) skip_body: bool,
    /// The fields are those after the last chunk.
    pub(super) trailing: bool,
}

/// Fields whose value decides about the message, and what their value has said so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Special {
    General,
    Connection,
    ContentLength,
    TransferEncoding,
    Upgrade,
    ConnectionKeepAlive,
    ConnectionClose,
    ConnectionUpgrade,
    TransferEncodingChunked,
}

/// What the caller says to the fields of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// Read the body that the fields announce.
    ReadBody,
    /// There is no body: the response to a HEAD request.
    SkipBody,
    /// There is no body and another protocol follows.
    Upgrade,
}

impl Machine {
    /// A value has ended: what it said counts from now on.
    pub(super) fn apply_special(&mut self) {
        match self.special {
            Special::ConnectionKeepAlive => self.flags.connection_keep_alive = true,
            Special::ConnectionClose => self.flags.connection_close = true,
            Special::ConnectionUpgrade => self.flags.connection_upgrade = true,
            Special::TransferEncodingChunked => {
                self.flags.chunked = true;
                return;
            }
            _ => return,
        }
        self.special = Special::Connection;
    }

    /// The blank line after the fields, or after the trailing ones.
    pub(super) fn blank_line(&mut self) -> Turn {
        if self.flags.trailing {
            self.state = State::Body(BodyState::MessageDone);
            return Turn::Emit(Event::ChunkComplete);
        }
        self.is_upgrade = if self.flags.upgrade && self.flags.connection_upgrade {
            // In a response it announces support only, unless the protocol is switched now.
            self.kind == Kind::Request || self.status == 101
        } else {
            self.method == method::CONNECT
        };
        self.state = State::HeadersDone;
        Turn::Emit(Event::HeadersComplete)
    }

    /// Takes the caller's answer to `Event::HeadersComplete`.
    pub(super) fn after_headers(&mut self, answer: Answer) {
        self.flags.skip_body |= answer != Answer::ReadBody;
        self.is_upgrade |= answer == Answer::Upgrade;
    }

    /// Which body follows.
    pub(super) fn headers_done(&mut self) -> Turn {
        let announces_body = self.flags.chunked || self.content_length > 0;
        let is_response = self.kind == Kind::Response;
        let is_tunnel = self.is_upgrade && (self.method == method::CONNECT || self.flags.skip_body || !announces_body);
        if is_tunnel || (is_response && self.status == 101) {
            self.state = State::Body(BodyState::Upgraded);
            return Turn::Emit(Event::MessageComplete);
        }
        if self.flags.skip_body || (is_response && matches!(self.status, 100 | 102 | 103 | 204 | 304)) {
            return self.complete_without_body();
        }
        if self.flags.chunked {
            return self.go(State::Body(BodyState::ChunkSizeStart));
        }
        if self.flags.transfer_encoding {
            // Without `chunked` at the end the length of a request is unknown: whoever sends it may be smuggling.
            if !is_response && !self.forgives(Lenient::CHUNKED_LENGTH | Lenient::TRANSFER_ENCODING) {
                return self.fail("HPE_INVALID_TRANSFER_ENCODING", "Request has invalid `Transfer-Encoding`");
            }
            return self.go(State::Body(BodyState::UntilEndStart));
        }
        match (self.flags.content_length, self.content_length) {
            (true, 1..) => self.go(State::Body(BodyState::LengthStart)),
            (false, _) if self.needs_end() => self.go(State::Body(BodyState::UntilEndStart)),
            _ => self.complete_without_body(),
        }
    }

    fn complete_without_body(&mut self) -> Turn {
        self.state = State::Body(BodyState::Cleanup);
        Turn::Emit(Event::MessageComplete)
    }

    /// Whether only the end of the connection ends the message.
    fn needs_end(&self) -> bool {
        if self.kind == Kind::Request || self.flags.skip_body || matches!(self.status, 100..=199 | 204 | 304) {
            return false;
        }
        if self.flags.transfer_encoding && !self.flags.chunked {
            return true;
        }
        !(self.flags.chunked || self.flags.content_length)
    }

    /// Whether another message may follow on the connection.
    pub(super) fn should_keep_alive(&self) -> bool {
        let wants_more = if self.major > 0 && self.minor > 0 {
            !self.flags.connection_close
        } else {
            self.flags.connection_keep_alive
        };
        wants_more && !self.needs_end()
    }

    /// The message is over: on to the next, or to the end of the connection.
    pub(super) fn clean_up(&mut self) -> Turn {
        let keep_alive = self.should_keep_alive();
        self.finish = Finish::Safe;
        self.flags = Flags::default();
        if keep_alive {
            self.content_length = 0;
        }
        let goes_on = keep_alive || self.forgives(Lenient::KEEP_ALIVE);
        self.go(if goes_on { State::Start } else { State::Closed })
    }

    /// The connection has ended between two inputs. `Ok(true)` if that completes a message.
    pub(super) fn end(&self) -> Result<bool, Failure> {
        match self.finish {
            Finish::Safe => Ok(false),
            Finish::CompletesMessage => Ok(true),
            Finish::Unsafe => Err(Failure { code: "HPE_INVALID_EOF_STATE", reason: "Invalid EOF state" }),
        }
    }
}
