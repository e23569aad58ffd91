//! What stands for `launch_linux.rs` elsewhere: executables are for Linux, so they are built here and run there.

use std::convert::Infallible;
use std::ffi::OsString;

use edgepack_format::targets::Target;

use crate::failure::Failure;

/// Says that the app has to be run on Linux.
pub(crate) fn become_app(
    target: &Target,
    _executable: &[u8],
    name: &str,
    _args: &[OsString],
) -> Result<Infallible, Failure> {
    let sentence = format!("{name} cannot be run here: {} executables need Linux", target.triple);
    Err(Failure::new(sentence).hint("`edgepack build` works here; run the result on a Linux machine"))
}
