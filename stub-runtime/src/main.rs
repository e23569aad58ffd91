//! The loader in every executable. The C library's `main`, as the engine's process needs nothing of Rust's start-up.
#![no_main]
#![deny(clippy::as_conversions)]

use std::ffi::{c_char, c_int};

/// Boots the app inside, or the container named by the first argument.
#[unsafe(no_mangle)]
extern "C" fn main(argc: c_int, argv: *const *const c_char) -> c_int {
    edgepack_stub::boot::main(argc, argv)
}
