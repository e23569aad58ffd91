//! `HTTPParser.prototype.execute` and `finish`: drives the machine and calls JavaScript for what it finds.
//!
//! No borrow of the connection is held while JavaScript runs: callbacks pause, finish and even initialise the parser.

use core::cell::RefCell;
use core::ops::Range;

use super::connection::{Call as Callback, Connection};
use super::machine::{Event, Failure, Span, Step};
use super::message::{Answer, Kind};
use crate::host::waiting;
use crate::js::{
    Array, ArrayBuffer, Bytes, Call, Ctx, Error, Exception, Function, IntoJs, Object, Rest, Result, Value, from_latin1,
};

const ON_MESSAGE_BEGIN: u32 = 0;
const ON_HEADERS: u32 = 1;
const ON_HEADERS_COMPLETE: u32 = 2;
const ON_BODY: u32 = 3;
const ON_MESSAGE_COMPLETE: u32 = 4;

const HEADERS_REFUSED: Failure = Failure { code: "HPE_CB_HEADERS_COMPLETE", reason: "User callback error" };
const MESSAGE_REFUSED: Failure =
    Failure { code: "HPE_CB_MESSAGE_COMPLETE", reason: "`on_message_complete` callback error" };
const THROWN: Failure = Failure { code: "HPE_JS_EXCEPTION", reason: "JS Exception" };

/// One `execute`: the parser object, and `enter(parser, callback, ...args)`, which calls back.
struct Run<'a, 'js> {
    ctx: &'a Ctx<'js>,
    parser: Object<'js>,
    connection: &'a RefCell<Connection>,
    enter: Function<'js>,
}

/// `(connection, parser, enter, bytes)`: how many bytes were read, or an error as value.
pub(super) fn execute<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let connection = super::connection(call, 0)?;
    let run = Run { ctx: &call.ctx, parser: call.object(1)?, connection: &connection, enter: call.function(2)? };
    let bytes = call.bytes(3)?;
    if let Some(obstacle) = connection.borrow().obstacle() {
        return run.answer(0, Some(obstacle));
    }
    connection.borrow_mut().machine.begin();
    let generation = connection.borrow().generation;
    loop {
        let step = connection.borrow_mut().machine.step(bytes.as_slice());
        let position = connection.borrow().machine.position();
        match step {
            Step::Done => return run.answer(bytes.len(), None),
            Step::Upgraded => return run.answer(position, None),
            Step::Failed(failure) => return run.answer(position, Some(failure)),
            Step::Event(event) => run.happen(event, &bytes)?,
        }
        if connection.borrow().generation != generation {
            return run.answer(position, None);
        }
    }
}

/// `(connection, parser, enter)`: the connection has ended. An error as value, or undefined.
pub(super) fn finish<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let connection = super::connection(call, 0)?;
    let run = Run { ctx: &call.ctx, parser: call.object(1)?, connection: &connection, enter: call.function(2)? };
    if connection.borrow().obstacle().is_some() {
        return call.undefined();
    }
    let end = connection.borrow().machine.end();
    match end {
        Ok(false) => call.undefined(),
        Ok(true) => {
            connection.borrow_mut().complete_message();
            run.complete_message()?;
            call.undefined()
        }
        Err(_) if connection.borrow().machine.is_upgrade => call.undefined(),
        Err(failure) => run.answer(0, Some(failure)),
    }
}

impl<'js> Run<'_, 'js> {
    /// How far the input was read, or why no further. Behind an upgrade errors do not count.
    fn answer(&self, position: usize, failure: Option<Failure>) -> Result<Value<'js>> {
        let position = i32::try_from(position).unwrap_or(i32::MAX);
        match failure {
            Some(failure) if !self.connection.borrow().machine.is_upgrade => {
                let error = Exception::from_message(self.ctx.clone(), "Parse Error")?;
                error.as_object().set("bytesParsed", position)?;
                error.as_object().set("code", failure.code)?;
                error.as_object().set("reason", failure.reason)?;
                Ok(error.into_object().into_value())
            }
            _ => position.into_js(self.ctx),
        }
    }

    fn happen(&self, event: Event, bytes: &Bytes<'js>) -> Result<()> {
        let noted = self.connection.borrow_mut().note(event, bytes.as_slice(), waiting::monotonic_nanoseconds);
        let refusal = match noted {
            Ok(Callback::None) => return Ok(()),
            Ok(Callback::MessageBegin) => return self.begin_message(),
            Ok(Callback::Flush(span, range)) => return self.flush_before(span, range, bytes),
            Ok(Callback::HeadersComplete) => return self.complete_headers(),
            Ok(Callback::Body(range)) => return self.pass_body(range, bytes),
            Ok(Callback::MessageComplete) => return self.complete_message(),
            Err(failure) => failure,
        };
        self.connection.borrow_mut().machine.refuse(refusal);
        Ok(())
    }

    /// The callback in slot `index` of the parser, if there is one.
    fn callback(&self, index: u32) -> Result<Option<Function<'js>>> {
        Ok(self.parser.get::<_, Value<'js>>(index)?.into_function())
    }

    /// An exception of a callback ends the parsing for good, and goes on to whoever called `execute`.
    fn guard<T>(&self, result: Result<T>, failure: Failure) -> Result<T> {
        if matches!(result, Err(Error::Exception)) {
            self.connection.borrow_mut().machine.refuse(failure);
        }
        result
    }

    fn begin_message(&self) -> Result<()> {
        let Some(callback) = self.callback(ON_MESSAGE_BEGIN)? else { return Ok(()) };
        let result: Result<Value<'js>> = self.enter.call((self.parser.clone(), callback));
        self.guard(result, THROWN).map(drop)
    }

    fn flush_before(&self, span: Span, range: Range<usize>, bytes: &Bytes<'js>) -> Result<()> {
        self.flush()?;
        self.connection.borrow_mut().add_text(span, range, bytes.as_slice());
        Ok(())
    }

    /// Hands over the fields so far, and the URL.
    fn flush(&self) -> Result<()> {
        let Some(callback) = self.callback(ON_HEADERS)? else {
            self.connection.borrow_mut().forget_fields();
            return Ok(());
        };
        let fields = self.fields()?;
        let url = from_latin1(self.ctx, self.connection.borrow().url())?;
        self.connection.borrow_mut().forget_flushed();
        let result: Result<Value<'js>> = self.enter.call((self.parser.clone(), callback, fields, url));
        self.guard(result, THROWN).map(drop)
    }

    fn fields(&self) -> Result<Array<'js>> {
        let array = Array::new(self.ctx.clone())?;
        for (index, text) in self.connection.borrow().fields().enumerate() {
            array.set(index, from_latin1(self.ctx, text)?)?;
        }
        Ok(array)
    }

    fn complete_headers(&self) -> Result<()> {
        let Some(callback) = self.callback(ON_HEADERS_COMPLETE)? else { return Ok(()) };
        let undefined = Value::new_undefined(self.ctx.clone());
        let is_request = self.connection.borrow().machine.kind == Kind::Request;
        let (mut fields, mut url) = (undefined.clone(), undefined.clone());
        if self.connection.borrow().has_flushed {
            self.flush()?;
        } else {
            fields = self.fields()?.into_value();
            if is_request {
                url = from_latin1(self.ctx, self.connection.borrow().url())?;
            }
        }
        self.connection.borrow_mut().forget_fields();
        let (mut method, mut status, mut reason) = (undefined.clone(), undefined.clone(), undefined);
        let (major, minor, is_upgrade, keep_alive) = {
            let connection = self.connection.borrow();
            let machine = &connection.machine;
            if is_request {
                method = machine.method.into_js(self.ctx)?;
            } else {
                status = machine.status.into_js(self.ctx)?;
                reason = from_latin1(self.ctx, connection.reason())?;
            }
            (machine.major, machine.minor, machine.is_upgrade, machine.should_keep_alive())
        };
        let arguments: [Value<'js>; 9] = [
            major.into_js(self.ctx)?,
            minor.into_js(self.ctx)?,
            fields,
            method,
            url,
            status,
            reason,
            is_upgrade.into_js(self.ctx)?,
            keep_alive.into_js(self.ctx)?,
        ];
        let rest = Rest(arguments.into());
        let answer: Value<'js> = self.guard(self.enter.call((self.parser.clone(), callback, rest)), HEADERS_REFUSED)?;
        self.take_answer(&answer);
        Ok(())
    }

    /// 1: no body, as for HEAD; 2: no body and another protocol follows.
    fn take_answer(&self, answer: &Value<'js>) {
        let number = answer.as_number().or_else(|| answer.as_bool().map(f64::from)).unwrap_or(0.0);
        let machine = &mut self.connection.borrow_mut().machine;
        match number.trunc() {
            1.0 => machine.after_headers(Answer::SkipBody),
            2.0 => machine.after_headers(Answer::Upgrade),
            number if number == 0.0 || number.is_nan() => machine.after_headers(Answer::ReadBody),
            _ => machine.refuse(HEADERS_REFUSED),
        }
    }

    fn pass_body(&self, range: Range<usize>, bytes: &Bytes<'js>) -> Result<()> {
        let Some(callback) = self.callback(ON_BODY)? else { return Ok(()) };
        let part = bytes.as_slice().get(range).unwrap_or_default();
        let copy = ArrayBuffer::new_copy(self.ctx.clone(), part)?;
        let result: Result<Value<'js>> = self.enter.call((self.parser.clone(), callback, copy));
        self.guard(result, THROWN).map(drop)
    }

    fn complete_message(&self) -> Result<()> {
        if self.connection.borrow().has_fields() {
            // The fields after the last chunk.
            self.flush()?;
        }
        let Some(callback) = self.callback(ON_MESSAGE_COMPLETE)? else { return Ok(()) };
        let result: Result<Value<'js>> = self.enter.call((self.parser.clone(), callback));
        self.guard(result, MESSAGE_REFUSED).map(drop)
    }
}
