//! The line in front of a container that makes it a program of its own, where `edgepack-run` is installed.

/// What `edgepack build --shebang` writes.
pub const SHEBANG: &str = "#!/usr/bin/env edgepack-run\n";

/// Linux reads no more of the line (`BINPRM_BUF_SIZE`).
const LINE_BYTES_MAX: usize = 256;

/// The bytes behind such a line, whatever program it names; all of them if there is none.
#[must_use]
pub fn without_shebang(bytes: &[u8]) -> &[u8] {
    if !bytes.starts_with(b"#!") {
        return bytes;
    }
    let end = bytes.iter().take(LINE_BYTES_MAX).position(|&byte| byte == b'\n');
    end.and_then(|end| bytes.get(end..)?.get(1..)).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::{SHEBANG, without_shebang};

    #[test]
    fn one_line_is_left_out() {
        let file = [SHEBANG.as_bytes(), b"\0asm\n"].concat();
        assert_eq!(without_shebang(&file), b"\0asm\n");
        assert_eq!(without_shebang(b"\0asm\n#!"), b"\0asm\n#!");
        assert_eq!(without_shebang(b"#!"), b"#!");
        assert_eq!(without_shebang(b"#!\n"), b"");
    }
}
