//! One deflate or inflate stream as node's bindings drive it: how a write ends, and when that is an error.

use zlib_rs::{Deflate, DeflateConfig, DeflateFlush, Inflate, InflateError, InflateFlush, Method, Status, Strategy};

/// What a stream does: the numbers of `zlib.constants`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Deflate,
    Inflate,
    Gzip,
    Gunzip,
    DeflateRaw,
    InflateRaw,
    Unzip,
}

/// zlib's return codes, as far as node tells them apart.
pub(super) mod code {
    pub(in super::super) const OK: i32 = 0;
    pub(in super::super) const STREAM_END: i32 = 1;
    pub(in super::super) const NEED_DICT: i32 = 2;
    pub(in super::super) const STREAM_ERROR: i32 = -2;
    pub(in super::super) const DATA_ERROR: i32 = -3;
    pub(in super::super) const MEM_ERROR: i32 = -4;
    pub(in super::super) const BUF_ERROR: i32 = -5;
}

const FINISH: i32 = 4;
const GZIP_ID: [u8; 2] = [0x1f, 0x8b];

/// What `onerror` is called with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) message: String,
    pub(super) number: i32,
    pub(super) code: String,
}

/// How the stream was asked to work.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) window_bits: i32,
    pub(super) level: i32,
    pub(super) mem_level: i32,
    pub(super) strategy: i32,
}

/// What a write left over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) input: usize,
    pub(super) output: usize,
}

/// What to do with input behind the end of a gzip stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Members {
    /// It is the next member of the archive.
    Many,
    /// It is left over, for the caller to refuse.
    One,
}

enum Coder {
    Deflate(Box<Deflate>),
    Inflate(Box<Inflate>),
}

/// A stream.
pub(super) struct Stream {
    mode: Mode,
    settings: Settings,
    dictionary: Option<Vec<u8>>,
    members: Members,
    coder: Coder,
    /// Bytes of the gzip magic number that were seen, while it is open what the input is.
    magic_bytes_read: usize,
}

impl Stream {
    /// A stream, and why its dictionary does not fit.
    pub(super) fn new(
        mode: Mode,
        settings: Settings,
        members: Members,
        dictionary: Option<Vec<u8>>,
    ) -> (Stream, Option<Failure>) {
        let coder = coder(mode, settings);
        let mut stream = Stream { mode, settings, dictionary, members, coder, magic_bytes_read: 0 };
        let failure = stream.set_dictionary();
        (stream, failure)
    }

    /// Starts again with the same settings.
    pub(super) fn reset(&mut self) -> Option<Failure> {
        self.restart();
        self.set_dictionary()
    }

    fn restart(&mut self) {
        match &mut self.coder {
            Coder::Deflate(deflate) => deflate.reset(),
            Coder::Inflate(_) => self.coder = coder(self.mode, self.settings),
        }
    }

    /// Where the format has no place to ask for it, the dictionary is set at once.
    fn set_dictionary(&mut self) -> Option<Failure> {
        let dictionary = self.dictionary.as_ref()?;
        let is_set = match (&mut self.coder, self.mode) {
            (Coder::Deflate(deflate), Mode::Deflate | Mode::DeflateRaw) => deflate.set_dictionary(dictionary).is_ok(),
            (Coder::Inflate(inflate), Mode::InflateRaw) => inflate.set_dictionary(dictionary).is_ok(),
            _ => true,
        };
        (!is_set).then(|| failure("Failed to set dictionary", code::STREAM_ERROR))
    }

    /// Changes how hard the stream tries. `zlib-rs` cannot change the strategy of a running stream, nor the level where
    /// that changes the algorithm: the stream then goes on as before, which any reader understands as well.
    pub(super) fn set_parameters(&mut self, level: i32) {
        if let (Coder::Deflate(deflate), Mode::Deflate | Mode::DeflateRaw) = (&mut self.coder, self.mode) {
            let _ = deflate.set_level(level);
        }
    }

    /// Reads and writes as much as goes.
    pub(super) fn write(&mut self, flush: i32, input: &[u8], output: &mut [u8]) -> (Left, Option<Failure>) {
        let mut left = Left { input: input.len(), output: output.len() };
        let mut status = code::OK;
        if self.mode == Mode::Unzip {
            self.find_out_format(input);
        }
        self.step(flush, input, output, &mut left, &mut status);
        if status == code::NEED_DICT && self.mode != Mode::InflateRaw {
            self.answer_dictionary(flush, input, output, &mut left, &mut status);
        }
        // What follows may be another member of the same archive; zeros are padding.
        let takes_more = self.mode == Mode::Gunzip && self.members == Members::Many;
        while takes_more && left.input > 0 && status == code::STREAM_END && input[input.len() - left.input] != 0 {
            self.restart();
            self.step(flush, input, output, &mut left, &mut status);
        }
        let failure = self.failure(status, left, flush);
        (left, failure)
    }

    fn step(&mut self, flush: i32, input: &[u8], output: &mut [u8], left: &mut Left, status: &mut i32) {
        let input = &input[input.len() - left.input..];
        let start = output.len() - left.output;
        let output = &mut output[start..];
        let (read, written) = match &mut self.coder {
            Coder::Deflate(deflate) => {
                let before = (deflate.total_in(), deflate.total_out());
                *status = match deflate.compress(
                    input,
                    output,
                    DeflateFlush::try_from(flush).unwrap_or(DeflateFlush::NoFlush),
                ) {
                    Ok(status) => number(status),
                    Err(error) => error as i32,
                };
                (deflate.total_in() - before.0, deflate.total_out() - before.1)
            }
            Coder::Inflate(inflate) => {
                let before = (inflate.total_in(), inflate.total_out());
                // Inflate knows no other kinds of flush: they only matter to compression.
                *status = match inflate.decompress(
                    input,
                    output,
                    InflateFlush::try_from(flush).unwrap_or(InflateFlush::NoFlush),
                ) {
                    Ok(status) => number(status),
                    Err(InflateError::NeedDict { .. }) => code::NEED_DICT,
                    Err(InflateError::StreamError) => code::STREAM_ERROR,
                    Err(InflateError::DataError) => code::DATA_ERROR,
                    Err(InflateError::MemError) => code::MEM_ERROR,
                };
                (inflate.total_in() - before.0, inflate.total_out() - before.1)
            }
        };
        left.input -= usize::try_from(read).unwrap_or(0);
        left.output -= usize::try_from(written).unwrap_or(0);
    }

    fn answer_dictionary(&mut self, flush: i32, input: &[u8], output: &mut [u8], left: &mut Left, status: &mut i32) {
        let (Some(dictionary), Coder::Inflate(inflate)) = (&self.dictionary, &mut self.coder) else { return };
        // A dictionary that does not fit leaves the status as it is: the dictionary is to blame, not the input.
        if inflate.set_dictionary(dictionary).is_ok() {
            self.step(flush, input, output, left, status);
        }
    }

    /// Gzip begins with a magic number that zlib's own header cannot be.
    fn find_out_format(&mut self, input: &[u8]) {
        for &byte in input.iter().take(GZIP_ID.len() - self.magic_bytes_read) {
            if byte != GZIP_ID[self.magic_bytes_read] {
                self.mode = Mode::Inflate;
                return;
            }
            self.magic_bytes_read += 1;
            if self.magic_bytes_read == GZIP_ID.len() {
                self.mode = Mode::Gunzip;
                return;
            }
        }
    }

    fn failure(&self, status: i32, left: Left, flush: i32) -> Option<Failure> {
        let fallback = match status {
            code::OK | code::BUF_ERROR if left.output != 0 && flush == FINISH => "unexpected end of file",
            code::OK | code::BUF_ERROR | code::STREAM_END => return None,
            code::NEED_DICT if self.dictionary.is_none() => "Missing dictionary",
            code::NEED_DICT => "Bad dictionary",
            _ => "Zlib error",
        };
        let own = match &self.coder {
            Coder::Deflate(_) => None,
            Coder::Inflate(inflate) => inflate.error_message().filter(|_| status == code::DATA_ERROR),
        };
        Some(failure(own.unwrap_or(fallback), status))
    }
}

fn coder(mode: Mode, settings: Settings) -> Coder {
    let Settings { window_bits, level, mem_level, strategy } = settings;
    let format_bits = match mode {
        Mode::Deflate | Mode::Inflate => window_bits,
        Mode::Gzip | Mode::Gunzip => window_bits + 16,
        Mode::DeflateRaw | Mode::InflateRaw => -window_bits,
        Mode::Unzip => window_bits + 32,
    };
    match mode {
        Mode::Deflate | Mode::Gzip | Mode::DeflateRaw => {
            Coder::Deflate(Box::new(Deflate::new_with_config(DeflateConfig {
                level,
                method: Method::Deflated,
                window_bits: format_bits,
                mem_level,
                strategy: Strategy::try_from(strategy).unwrap_or(Strategy::Default),
            })))
        }
        _ => {
            let bits = u8::try_from(format_bits.unsigned_abs()).unwrap_or(15);
            Coder::Inflate(Box::new(Inflate::new(format_bits >= 0, bits)))
        }
    }
}

fn number(status: Status) -> i32 {
    match status {
        Status::Ok => code::OK,
        Status::BufError => code::BUF_ERROR,
        Status::StreamEnd => code::STREAM_END,
    }
}

fn failure(message: &str, number: i32) -> Failure {
    let code = match number {
        code::NEED_DICT => "Z_NEED_DICT",
        code::STREAM_ERROR => "Z_STREAM_ERROR",
        code::DATA_ERROR => "Z_DATA_ERROR",
        code::MEM_ERROR => "Z_MEM_ERROR",
        code::BUF_ERROR => "Z_BUF_ERROR",
        code::STREAM_END => "Z_STREAM_END",
        _ => "Z_OK",
    };
    Failure { message: message.to_owned(), number, code: code.to_owned() }
}
