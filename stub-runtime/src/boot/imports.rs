//! The functions that wasm2c's code calls for imports: `Z_<module>Z_<name>(instance, arguments…)`.

use std::ffi::c_void;

use crate::calls::for_each_host_call;
use crate::global::with_host;
use crate::host::Refusal;
use crate::memory::GuestMemory;

use super::memory::LinearMemory;
use super::stop;

macro_rules! parameter_type {
    (i64) => {
        i64
    };
    ($kind:ident) => {
        u32
    };
}

macro_rules! argument {
    (ptr, $value:expr) => {
        usize::try_from($value).unwrap_or(usize::MAX)
    };
    (len, $value:expr) => {
        usize::try_from($value).unwrap_or(usize::MAX)
    };
    (i32, $value:expr) => {
        $value.cast_signed()
    };
    (i64, $value:expr) => {
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
        code($refusal)
    };
    (i64, $refusal:expr) => {
        i64::from(code($refusal))
    };
    (none, $refusal:expr) => {{
        let _ = code($refusal);
    }};
}

macro_rules! trampolines {
    (($host:ident $memory:ident)
     $($name:ident($($param:ident: $kind:ident),*) -> $result:ident = $body:expr;)*) => {
        $(
            #[unsafe(export_name = concat!("Z_edgeZ_", stringify!($name)))]
            extern "C" fn $name(_instance: *mut c_void, $($param: parameter_type!($kind)),*) -> result_type!($result) {
                with_host(|host| crate::calls::$name(host, &mut LinearMemory, $(argument!($kind, $param)),*))
                    .unwrap_or_else(|refusal| refused!($result, refusal))
            }
        )*
    };
}

for_each_host_call!(trampolines);

/// A bad pointer is the engine's bug and ends it, as the access itself would have.
fn code(refusal: Refusal) -> i32 {
    if refusal == Refusal::OutOfBounds {
        stop::trap("the engine stopped: a host call's pointer is out of bounds");
    }
    refusal.code()
}

/// WASI's errno for a bad argument.
const WASI_EINVAL: u32 = 28;

/// The few functions of WASI that the guest's C library may still call.
#[unsafe(export_name = "Z_wasi_snapshot_preview1Z_clock_time_get")]
extern "C" fn wasi_clock_time_get(_instance: *mut c_void, clock: u32, _precision: u64, answer: u32) -> u32 {
    let time = with_host(|host| match clock {
        0 => crate::calls::clock_realtime(host, &mut LinearMemory),
        _ => crate::calls::clock_monotonic(host, &mut LinearMemory),
    });
    let Ok(time) = time else { return WASI_EINVAL };
    super::memory::write(answer, &time.to_le_bytes()).map_err(code).map_or(WASI_EINVAL, |()| 0)
}

#[unsafe(export_name = "Z_wasi_snapshot_preview1Z_fd_write")]
extern "C" fn wasi_fd_write(_instance: *mut c_void, handle: u32, vectors: u32, count: u32, answer: u32) -> u32 {
    let write = with_host(|host| {
        let vectors = LinearMemory.vectors(argument!(ptr, vectors), argument!(len, count))?;
        let mut written = 0;
        for vector in vectors {
            written += crate::stdio::write(host, handle.cast_signed(), &vector)?;
        }
        Ok(written)
    });
    match write {
        Ok(written) => super::memory::write(answer, &written.to_le_bytes()).map_err(code).map_or(WASI_EINVAL, |()| 0),
        Err(refusal) => {
            code(refusal);
            WASI_EINVAL
        }
    }
}

#[unsafe(export_name = "Z_wasi_snapshot_preview1Z_proc_exit")]
extern "C" fn wasi_proc_exit(_instance: *mut c_void, exit_code: u32) {
    program_exit(std::ptr::null_mut(), exit_code);
}
