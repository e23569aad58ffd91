//! One HTTP/1.1 request → its response, with what may differ between two right answers taken out.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// Status line, headers as sent, body as it reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Response {
    status: String,
    headers: Vec<String>,
    body: String,
}

/// Sends a request of `case.json` on a connection of its own.
pub(crate) fn send(port: u16, request: &Value) -> Result<Response, String> {
    let text = |key: &str| request[key].as_str().unwrap_or_default();
    let mut head = format!("{} {} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n", text("method"), text("path"));
    for (name, value) in request["headers"].as_object().into_iter().flatten() {
        head.push_str(&format!("{name}: {}\r\n", value.as_str().unwrap_or_default()));
    }
    let body = text("body");
    if !body.is_empty() {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    let failed = |error: std::io::Error| format!("{} {}: {error}", text("method"), text("path"));
    let mut socket = TcpStream::connect(("127.0.0.1", port)).map_err(failed)?;
    socket.set_read_timeout(Some(Duration::from_secs(20))).map_err(failed)?;
    socket.write_all(format!("{head}\r\n{body}").as_bytes()).map_err(failed)?;
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).map_err(failed)?;
    parse(&bytes).ok_or_else(|| format!("{} {}: no HTTP answer", text("method"), text("path")))
}

fn parse(bytes: &[u8]) -> Option<Response> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n").map(str::to_owned);
    let status = lines.next()?;
    let mut headers: Vec<String> = lines.collect();
    let has = |headers: &[String], wanted: &str| headers.iter().any(|header| header.eq_ignore_ascii_case(wanted));
    let mut body = bytes[end + 4..].to_vec();
    if has(&headers, "transfer-encoding: chunked") {
        body = dechunk(&body)?;
    }
    if has(&headers, "content-encoding: gzip") {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(body.as_slice()).read_to_end(&mut plain).ok()?;
        body = plain;
        // Two compressors may need different numbers of bytes for the same text.
        headers.retain(|header| !header.to_ascii_lowercase().starts_with("content-length:"));
    }
    headers.retain(|header| !header.to_ascii_lowercase().starts_with("date:"));
    Some(Response { status, headers, body: String::from_utf8_lossy(&body).into_owned() })
}

fn dechunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line_end = rest.windows(2).position(|window| window == b"\r\n")?;
        let length = usize::from_str_radix(str::from_utf8(&rest[..line_end]).ok()?.trim(), 16).ok()?;
        rest = rest.get(line_end + 2..)?;
        if length == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..length)?);
        rest = rest.get(length + 2..)?;
    }
}
