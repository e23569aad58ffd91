//! `url`: the WHATWG URL parser. `lib/internal/url.js` keeps of a URL its text and where the components begin.

mod components;
pub(crate) mod domain;
mod file_path;
mod setters;

use url::{Origin, Position, Url, quirks};

use crate::bindings::{Binding, Exports};
use crate::js::{Call, Error, Exception, Object, Result, Value, from_str};

pub(crate) const BINDING: Binding = Binding { name: "url", init };

fn init(exports: &Exports<'_>) -> Result<()> {
    exports.function("parse", 0, parse)?;
    exports.function("canParse", 0, can_parse)?;
    exports.function("update", 0, update)?;
    exports.function("format", 0, format)?;
    exports.function("pathToFileURL", 0, path_to_file_url)?;
    exports.function("getOrigin", 0, get_origin)?;
    exports.function("domainToASCII", 0, domain_to_ascii)?;
    exports.function("domainToUnicode", 0, domain_to_unicode)
}

fn parse_text(input: &str, base: Option<&str>) -> Option<Url> {
    let base = match base {
        Some(base) => Some(Url::parse(base).ok()?),
        None => None,
    };
    Url::options().base_url(base.as_ref()).parse(input).ok().map(up_to_date)
}

/// Encodes what the URL standard asks to be encoded since 2024 and the `url` crate does not: `^` in a path, and a
/// space that would end an opaque path.
fn up_to_date(mut url: Url) -> Url {
    let path = url.path();
    let is_opaque = url.cannot_be_a_base();
    if !is_opaque && path.contains('^') {
        let encoded = path.replace('^', "%5E");
        url.set_path(&encoded);
    } else if is_opaque && path.ends_with(' ') && (url.query().is_some() || url.fragment().is_some()) {
        let encoded = format!("{}%20", &path[..path.len() - 1]);
        url.set_path(&encoded);
    }
    url
}

/// Argument `index` if it is a string.
fn optional_text(call: &Call<'_, '_>, index: usize) -> Result<Option<String>> {
    if call.arg(index).is_string() { call.string(index).map(Some) } else { Ok(None) }
}

/// The text of the URL; where its components are goes to `urlComponents`.
fn answer<'js>(call: &Call<'_, 'js>, url: &Url) -> Result<Value<'js>> {
    if let Some(binding) = call.this().as_object() {
        let slots = crate::js::Bytes::from_value(&binding.get("urlComponents")?)?;
        for (slot, value) in slots.as_mut_slice().chunks_exact_mut(4).zip(components::of(url)) {
            slot.copy_from_slice(&value.to_ne_bytes());
        }
    }
    from_str(&call.ctx, url.as_str())
}

fn invalid_url(call: &Call<'_, '_>, input: Option<&str>, base: Option<&str>) -> Result<Error> {
    let error = Exception::throw_type(&call.ctx, "Invalid URL");
    let thrown = call.ctx.catch();
    let Some(object) = thrown.as_object() else { return Ok(error) };
    object.set("code", "ERR_INVALID_URL")?;
    set_text(object, "input", input)?;
    set_text(object, "base", base)?;
    Ok(call.ctx.throw(thrown))
}

fn set_text(object: &Object<'_>, name: &str, text: Option<&str>) -> Result<()> {
    match text {
        Some(text) => object.set(name, from_str(object.ctx(), text)?),
        None => Ok(()),
    }
}

/// `(input, base, whether to throw)`
fn parse<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let (input, base) = (call.string(0)?, optional_text(call, 1)?);
    match parse_text(&input, base.as_deref()) {
        Some(url) => answer(call, &url),
        None if call.bool(2) => Err(invalid_url(call, Some(&input), base.as_deref())?),
        None => call.undefined(),
    }
}

fn can_parse<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let base = optional_text(call, 1)?;
    call.ret(parse_text(&call.string(0)?, base.as_deref()).is_some())
}

/// `(href, action, value)`: a setter of `URL`; false if it has no effect.
fn update<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    const HREF: u32 = 9;
    let value = call.string(2)?;
    let action = call.u32(1);
    if action == HREF {
        return match parse_text(&value, None) {
            Some(url) => answer(call, &url),
            None => call.ret(false),
        };
    }
    let Ok(mut url) = Url::parse(&call.string(0)?) else { return call.ret(false) };
    if setters::set(&mut url, action, &value).is_err() {
        return call.ret(false);
    }
    answer(call, &up_to_date(url))
}

/// `(href, with fragment, with Unicode host, with search, with credentials)`
fn format<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let href = call.string(0)?;
    let Ok(mut url) = Url::parse(&href) else { return from_str(&call.ctx, &href) };
    if !call.bool(1) {
        url.set_fragment(None);
    }
    if !call.bool(3) {
        url.set_query(None);
    }
    if !call.bool(4) {
        // Fails only for a URL that can have no credentials.
        let _ = url.set_username("");
        let _ = url.set_password(None);
    }
    if !call.bool(2) {
        return from_str(&call.ctx, url.as_str());
    }
    let host = domain::to_unicode(&url[Position::BeforeHost..Position::AfterHost]);
    from_str(&call.ctx, &format!("{}{host}{}", &url[..Position::BeforeHost], &url[Position::AfterHost..]))
}

/// `(path, whether it is one of Windows, host)`
fn path_to_file_url<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let host = optional_text(call, 2)?;
    let style = if call.bool(1) { file_path::Style::Windows } else { file_path::Style::Posix };
    match file_path::to_url(&call.string(0)?, style, host.as_deref()) {
        Some(url) => answer(call, &url),
        None => Err(invalid_url(call, None, None)?),
    }
}

fn get_origin<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let Ok(url) = Url::parse(&call.string(0)?) else { return Err(invalid_url(call, None, None)?) };
    let origin = match url.origin() {
        Origin::Tuple(scheme, ..) if url.scheme() == "blob" && !["http", "https"].contains(&scheme.as_str()) => {
            "null".to_owned()
        }
        origin => origin.ascii_serialization(),
    };
    from_str(&call.ctx, &origin)
}

/// The host as a URL with a special scheme has it; empty if it is none.
fn host_name(domain: &str) -> String {
    let Ok(mut url) = Url::parse("ws://x") else { return String::new() };
    if domain.is_empty() || quirks::set_hostname(&mut url, domain).is_err() {
        return String::new();
    }
    quirks::hostname(&url).to_owned()
}

fn domain_to_ascii<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    from_str(&call.ctx, &host_name(&call.string(0)?))
}

fn domain_to_unicode<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    from_str(&call.ctx, &domain::to_unicode(&host_name(&call.string(0)?)))
}
