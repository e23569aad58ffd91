//! `block_list`: socket addresses, and lists of addresses, ranges and subnets to check them against.

mod address;
mod rules;

use std::cell::RefCell;
use std::rc::Rc;

use rquickjs::Array;
use rquickjs::convert::List;

use crate::bindings::{Binding, Exports};
use crate::js::{Call, Result, Value, from_str, own, owned};

use address::Address;
use rules::{Rule, Rules};

pub(crate) const BINDING: Binding = Binding { name: "block_list", init };

/// `AF_INET6` on Linux, as the binding's constants have it.
const AF_INET6: i32 = 10;

fn init(exports: &Exports<'_>) -> Result<()> {
    exports.helper("parse", 2, parse)?;
    exports.helper("text", 1, text)?;
    exports.helper("list", 0, list)?;
    exports.helper("addAddress", 2, add_address)?;
    exports.helper("addRange", 3, add_range)?;
    exports.helper("addSubnet", 3, add_subnet)?;
    exports.helper("removeAddress", 2, remove_address)?;
    exports.helper("removeRange", 3, remove_range)?;
    exports.helper("removeSubnet", 3, remove_subnet)?;
    exports.helper("check", 2, check)?;
    exports.helper("rules", 1, rule_texts)?;
    exports.helper("size", 1, size)?;
    exports.helper("clear", 1, clear)
}

/// `(text, family)`: an address, undefined if it is none.
fn parse<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let text = call.string(0)?;
    let parsed = if call.i32(1) == AF_INET6 { Address::parse_v6(&text) } else { Address::parse_v4(&text) };
    match parsed {
        Some(address) => own(&call.ctx, address),
        None => call.undefined(),
    }
}

/// `[text, family]` of an address.
fn text<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let address = address(call, 0)?;
    call.ret(List((from_str(&call.ctx, &address.to_string())?, address.is_v6())))
}

fn list<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    own(&call.ctx, RefCell::new(Rules::default()))
}

fn rules(call: &Call<'_, '_>) -> Result<Rc<RefCell<Rules>>> {
    match owned(&call.arg(0)) {
        Some(rules) => Ok(rules),
        None => call.type_error("Illegal invocation"),
    }
}

fn address(call: &Call<'_, '_>, index: usize) -> Result<Address> {
    match owned::<Address>(&call.arg(index)) {
        Some(address) => Ok(*address),
        None => call.type_error("Illegal invocation"),
    }
}

fn range(call: &Call<'_, '_>) -> Result<Rule> {
    Ok(Rule::Range { first: address(call, 1)?, last: address(call, 2)? })
}

fn subnet(call: &Call<'_, '_>) -> Result<Rule> {
    Ok(Rule::Subnet { network: address(call, 1)?, prefix: call.u32(2) })
}

fn add_address<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    rules(call)?.borrow_mut().add(Rule::Address(address(call, 1)?));
    call.undefined()
}

/// False if the first address comes after the last.
fn add_range<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    if address(call, 1)?.compare(address(call, 2)?) == Some(std::cmp::Ordering::Greater) {
        return call.ret(false);
    }
    rules(call)?.borrow_mut().add(range(call)?);
    call.undefined()
}

fn add_subnet<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    rules(call)?.borrow_mut().add(subnet(call)?);
    call.undefined()
}

fn remove_address<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    rules(call)?.borrow_mut().remove(Rule::Address(address(call, 1)?));
    call.undefined()
}

fn remove_range<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    rules(call)?.borrow_mut().remove(range(call)?);
    call.undefined()
}

fn remove_subnet<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    rules(call)?.borrow_mut().remove(subnet(call)?);
    call.undefined()
}

fn check<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(rules(call)?.borrow().contain(address(call, 1)?))
}

fn rule_texts<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let texts = Array::new(call.ctx.clone())?;
    for (index, text) in rules(call)?.borrow().texts().enumerate() {
        texts.set(index, text)?;
    }
    call.ret(texts)
}

fn size<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(u32::try_from(rules(call)?.borrow().len()).unwrap_or(u32::MAX))
}

fn clear<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    *rules(call)?.borrow_mut() = Rules::default();
    call.undefined()
}
