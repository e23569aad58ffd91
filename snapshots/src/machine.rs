//! What the passes need of a wasm VM; `wasmer.rs` is its one implementation.

use edgepack_format::host_calls::HostCall;

/// A guest that can be asked, from outside or from inside a host call. `i32` values travel sign-extended.
pub(crate) trait Guest {
    /// Calls an export; 0 if it returns nothing.
    fn call(&mut self, export: &str, args: &[i64]) -> Result<i64, Halt>;
    /// Bytes of linear memory; `None` if they are outside of it.
    fn read(&mut self, at: u32, bytes: u32) -> Option<Vec<u8>>;
    /// Writes into linear memory; `None` if that is outside of it.
    fn write(&mut self, at: u32, bytes: &[u8]) -> Option<()>;
    /// Instructions executed since it was started; 0 if the engine does not count them.
    fn counted(&mut self) -> u64;
}

/// Who answers the guest's host calls.
pub(crate) trait Host: Send + 'static {
    /// Answers one call, or stops the guest for good.
    fn answer(&mut self, row: &'static HostCall, args: &[i64], guest: &mut dyn Guest) -> Answer;
}

/// A host call's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// This result (ignored for calls without one).
    Result(i64),
    /// The guest does not go on.
    Stop,
}

/// Why a call of an export did not return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Halt {
    /// The host stopped it.
    Stopped,
    /// It ran longer than it may.
    OutOfTime,
    /// The VM's own message.
    Trapped(String),
}

/// For tests of guests that make no host calls.
#[cfg(test)]
pub(crate) struct Nobody;

#[cfg(test)]
impl Host for Nobody {
    fn answer(&mut self, _: &'static HostCall, _: &[i64], _: &mut dyn Guest) -> Answer {
        Answer::Stop
    }
}
