//! The host calls as C functions `edge_<name>`, for an engine compiled for this machine and linked with this
//! library: quick development, and an oracle for the sandboxed engine. Pointers are real ones and are believed.

use edgepack_format::policy::Grants;

use crate::calls::for_each_host_call;
use crate::global::{install, with_host};
use crate::host::{Host, Launch, Refusal};
use crate::memory::GuestMemory;

/// Starts the process's one host; its arguments are the process's own. A second call starts afresh.
pub fn init(grants: Grants) {
    let mut args = std::env::args_os().map(std::os::unix::ffi::OsStringExt::into_vec);
    let name = args.next().unwrap_or_default();
    init_with(grants, Launch { name, args: args.collect() });
}

/// Starts the process's one host as if it had been launched so.
pub fn init_with(grants: Grants, launch: Launch) {
    install(Host::new(grants, launch));
}

/// This process's own memory.
struct ProcessMemory;

impl GuestMemory for ProcessMemory {
    const WORD_BYTES: usize = size_of::<usize>();

    fn input(&self, pointer: usize, length: usize) -> Result<&[u8], Refusal> {
        if length == 0 {
            return Ok(&[]);
        }
        // SAFETY: the contract of the C functions: the caller's buffers are live and as long as it says.
        Ok(unsafe { std::slice::from_raw_parts(std::ptr::with_exposed_provenance(pointer), length) })
    }

    fn output(&mut self, pointer: usize, length: usize) -> Result<&mut [u8], Refusal> {
        if length == 0 {
            return Ok(&mut []);
        }
        // SAFETY: as for `input`; no other buffer of the call overlaps, as those are read before or copied.
        Ok(unsafe { std::slice::from_raw_parts_mut(std::ptr::with_exposed_provenance_mut(pointer), length) })
    }
}

macro_rules! parameter_type {
    (ptr) => { *mut u8 };
    (len) => { usize };
    (i32) => { i32 };
    (i64) => { i64 };
}

macro_rules! argument {
    (ptr, $value:expr) => {
        $value.expose_provenance()
    };
    ($kind:ident, $value:expr) => {
        $value
    };
}

macro_rules! result_type {
    (i32) => {
        i32
    };
    (i64) => {
        i64
    };
    (none) => {
        ()
    };
}

macro_rules! refused {
    (i32, $refusal:expr) => {
        $refusal.code()
    };
    (i64, $refusal:expr) => {
        i64::from($refusal.code())
    };
    (none, $refusal:expr) => {{
        let _ = $refusal;
    }};
}

macro_rules! trampolines {
    (($host:ident $memory:ident)
     $($name:ident($($param:ident: $kind:ident),*) -> $result:ident = $body:expr;)*) => {
        $(
            #[unsafe(export_name = concat!("edge_", stringify!($name)))]
            extern "C" fn $name($($param: parameter_type!($kind)),*) -> result_type!($result) {
                with_host(|host| crate::calls::$name(host, &mut ProcessMemory, $(argument!($kind, $param)),*))
                    .unwrap_or_else(|refusal| refused!($result, refusal))
            }
        )*
    };
}

for_each_host_call!(trampolines);
