//! What the module loaders ask.

use super::paths::GivenPath;
use crate::bindings::Exports;
use crate::file_tree;
use crate::js::{Call, Result, Value};

/// `internalBinding('constants').internal`.
const EXTENSIONLESS_JAVASCRIPT: i32 = 0;
const EXTENSIONLESS_WASM: i32 = 1;

pub(super) fn init(exports: &Exports<'_>) -> Result<()> {
    exports.function("internalModuleStat", 1, module_stat)?;
    exports.function("getFormatOfExtensionlessFile", 1, format_of_extensionless_file)?;
    exports.helper("legacyMain", 2, legacy_main)?;
    exports.helper("pathOfUrl", 1, path_of_url)
}

/// 0 a file, 1 a directory, below 0 nothing. The path is the last argument.
fn module_stat<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let path = GivenPath::of(call, call.len().saturating_sub(1))?;
    let kind = path.located().and_then(|located| file_tree::kind(&located));
    call.ret(kind.unwrap_or_else(|failure| failure.number()))
}

fn format_of_extensionless_file<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let path = GivenPath::of(call, 0)?;
    let is_wasm = path.located().and_then(|located| file_tree::open(&located, 0, 0)).is_ok_and(|file| {
        let mut magic = [0; 4];
        let read = file_tree::read(file, &mut magic, 0);
        let closed = file_tree::close(file);
        read == Ok(4) && closed.is_ok() && magic == *b"\0asm"
    });
    call.ret(if is_wasm { EXTENSIONLESS_WASM } else { EXTENSIONLESS_JAVASCRIPT })
}

/// (package directory with a slash, main or undefined): which of Node's ten candidates is a file, or -1.
fn legacy_main<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    const BY_MAIN: [&str; 7] = ["", ".js", ".json", ".node", "/index.js", "/index.json", "/index.node"];
    const BY_PACKAGE: [&str; 3] = ["index.js", "index.json", "index.node"];
    let package = call.string(0)?;
    let is_file = |path: String| file_tree::absolute(&path).and_then(|path| file_tree::kind(&path)) == Ok(0);
    if call.arg(1).is_string() {
        let main = call.string(1)?;
        if let Some(index) = BY_MAIN.iter().position(|ending| is_file(format!("{package}/{main}{ending}"))) {
            return call.ret(i32::try_from(index).unwrap_or(-1));
        }
    }
    let found = BY_PACKAGE.iter().position(|file| is_file(format!("{package}/{file}")));
    call.ret(found.and_then(|index| i32::try_from(index + BY_MAIN.len()).ok()).unwrap_or(-1))
}

/// The path in a `file:` URL, percent escapes decoded; any other text as it is.
fn path_of_url<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let url = call.string(0)?;
    let Some(path) = url.strip_prefix("file://") else { return call.ret(url) };
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let escaped = tail.split_at_checked(2).filter(|_| byte == b'%').and_then(|(digits, after)| {
            let digits = std::str::from_utf8(digits).ok()?;
            Some((u8::from_str_radix(digits, 16).ok()?, after))
        });
        let (decoded, after) = escaped.unwrap_or((byte, tail));
        bytes.push(decoded);
        rest = after;
    }
    call.ret(String::from_utf8_lossy(&bytes).into_owned())
}
