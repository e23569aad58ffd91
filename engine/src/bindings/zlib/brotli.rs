//! One brotli stream to decompress.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::stream::{Failure, Left, code};

/// `BROTLI_OPERATION_FINISH`: there is no more input.
const FINISH: i32 = 2;

/// A stream.
pub(super) struct Brotli {
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    takes_large_windows: bool,
}

impl Brotli {
    pub(super) fn new(takes_large_windows: bool) -> Brotli {
        let mut state = BrotliState::new(StandardAlloc::default(), StandardAlloc::default(), StandardAlloc::default());
        state.large_window = takes_large_windows;
        Brotli { state, takes_large_windows }
    }

    pub(super) fn reset(&mut self) {
        *self = Brotli::new(self.takes_large_windows);
    }

    /// Reads and writes as much as goes.
    pub(super) fn write(&mut self, operation: i32, input: &[u8], output: &mut [u8]) -> (Left, Option<Failure>) {
        let mut left = Left { input: input.len(), output: output.len() };
        let (mut read, mut written, mut total) = (0, 0, 0);
        let result = BrotliDecompressStream(
            &mut left.input,
            &mut read,
            input,
            &mut left.output,
            &mut written,
            output,
            &mut total,
            &mut self.state,
        );
        let failure = match result {
            BrotliResult::ResultFailure => Some(self.failure()),
            BrotliResult::NeedsMoreInput if operation == FINISH => Some(Failure {
                message: "unexpected end of file".to_owned(),
                number: code::BUF_ERROR,
                code: "Z_BUF_ERROR".to_owned(),
            }),
            _ => None,
        };
        (left, failure)
    }

    fn failure(&self) -> Failure {
        let name = format!("{:?}", self.state.error_code);
        Failure {
            message: "Decompression failed".to_owned(),
            number: self.state.error_code as i32,
            code: format!("ERR_{}", name.strip_prefix("BROTLI_DECODER").unwrap_or(&name)),
        }
    }
}
