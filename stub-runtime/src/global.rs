//! The process's one host, for the C functions that the engine calls.

use std::sync::{Mutex, PoisonError};

use edgepack_format::policy::Grants;

use crate::host::{Host, Launch, Refusal};
use crate::moments;

static HOST: Mutex<Option<Host>> = Mutex::new(None);

/// Puts the host in place.
pub(crate) fn install(host: Host) {
    *HOST.lock().unwrap_or_else(PoisonError::into_inner) = Some(host);
}

/// Runs a call on it; before `install` it is one that grants nothing.
pub(crate) fn with_host<T>(call: impl FnOnce(&mut Host) -> Result<T, Refusal>) -> Result<T, Refusal> {
    moments::note(&moments::HOST_CALL);
    let mut host = HOST.lock().unwrap_or_else(PoisonError::into_inner);
    call(host.get_or_insert_with(|| Host::new(Grants::default(), Launch::default())))
}
