//! The request methods that the parser knows, by the numbers that Node's library uses.

/// Every method, at its number.
pub(super) const ALL: [&str; 47] = [
    "DELETE",
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "CONNECT",
    "OPTIONS",
    "TRACE",
    "COPY",
    "LOCK",
    "MKCOL",
    "MOVE",
    "PROPFIND",
    "PROPPATCH",
    "SEARCH",
    "UNLOCK",
    "BIND",
    "REBIND",
    "UNBIND",
    "ACL",
    "REPORT",
    "MKACTIVITY",
    "CHECKOUT",
    "MERGE",
    "M-SEARCH",
    "NOTIFY",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "PATCH",
    "PURGE",
    "MKCALENDAR",
    "LINK",
    "UNLINK",
    "SOURCE",
    "PRI",
    "DESCRIBE",
    "ANNOUNCE",
    "SETUP",
    "PLAY",
    "PAUSE",
    "TEARDOWN",
    "GET_PARAMETER",
    "SET_PARAMETER",
    "REDIRECT",
    "RECORD",
    "FLUSH",
    "QUERY",
];

/// The number of `GET`.
const GET: u8 = 1;
/// The number of `POST`.
const POST: u8 = 3;
/// The number of `CONNECT`.
pub(super) const CONNECT: u8 = 5;
/// The number of `OPTIONS`.
const OPTIONS: u8 = 6;
/// The number of `SOURCE`, the one method of Icecast.
const SOURCE: u8 = 33;
/// The number of `PRI`, which opens an HTTP/2 connection.
pub(super) const PRI: u8 = 34;
/// The number of `DESCRIBE`, the first that belongs to RTSP alone.
const DESCRIBE: u8 = 35;
/// The number of `FLUSH`, the last that belongs to RTSP alone.
const FLUSH: u8 = 45;

/// Whether `HTTP/x.y` may follow the method.
pub(super) fn is_http(method: u8) -> bool {
    !(DESCRIBE..=FLUSH).contains(&method)
}

/// Whether `RTSP/x.y` may follow the method.
pub(super) fn is_rtsp(method: u8) -> bool {
    (DESCRIBE..=FLUSH).contains(&method) || matches!(method, GET | POST | OPTIONS)
}

/// Whether `ICE/x.y` may follow the method.
pub(super) fn is_icecast(method: u8) -> bool {
    method == SOURCE
}
