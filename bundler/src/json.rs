//! Turns a JSON file into the CommonJS module that exports its value.

use serde_json::Value;
use swc_core::common::{DUMMY_SP, Span, Spanned, SyntaxContext};
use swc_core::ecma::ast::*;

use crate::ast::{
    FunctionKind, array, call, expr_stmt, fresh_ident, function, ident_expr, member, object, prop_name, string,
};
use crate::parse::WRAPPER_PARAMS;

/// Wraps the value of `text` as a module body; the error is serde's sentence with line and column.
///
/// `span` is that of the whole file: by it the script's bytes are known to come from there.
pub(crate) fn json_module(text: &str, span: Span, unresolved: SyntaxContext) -> Result<Function, serde_json::Error> {
    let value: Value = serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(text))?;
    let params: Vec<Ident> = WRAPPER_PARAMS.iter().map(|name| fresh_ident(name)).collect();
    let exports = member(ident_expr(&params[2].to_id()), "exports", DUMMY_SP);
    let mut value = if has_huge_numbers(&value) {
        // A number that overflows has no literal.
        let json = Ident::new("JSON".into(), DUMMY_SP, unresolved);
        call(member(Box::new(Expr::Ident(json)), "parse", DUMMY_SP), vec![string(text)], DUMMY_SP)
    } else {
        literal(&value)
    };
    value.set_span(span);
    let assign = AssignExpr {
        span,
        op: op!("="),
        left: AssignTarget::try_from(match *exports {
            Expr::Member(target) => Pat::Expr(Box::new(Expr::Member(target))),
            other => Pat::Expr(Box::new(other)),
        })
        .unwrap_or_else(|pat| AssignTarget::Pat(AssignTargetPat::Invalid(Invalid { span: pat.span() }))),
        right: value,
    };
    Ok(function(FunctionKind::Generator, params, vec![expr_stmt(Box::new(Expr::Assign(assign)))]))
}

fn has_huge_numbers(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_f64().is_none_or(|number| !number.is_finite()),
        Value::Array(items) => items.iter().any(has_huge_numbers),
        Value::Object(entries) => entries.values().any(has_huge_numbers),
        _ => false,
    }
}

fn literal(value: &Value) -> Box<Expr> {
    match value {
        Value::Null => Box::new(Expr::Lit(Lit::Null(Null { span: DUMMY_SP }))),
        Value::Bool(value) => Box::new(Expr::Lit(Lit::Bool(Bool { span: DUMMY_SP, value: *value }))),
        Value::Number(number) => {
            let value = number.as_f64().unwrap_or(f64::NAN);
            Box::new(Expr::Lit(Lit::Num(Number { span: DUMMY_SP, value, raw: None })))
        }
        Value::String(text) => string(text),
        Value::Array(items) => array(items.iter().map(literal).collect()),
        Value::Object(entries) => object(
            entries
                .iter()
                .map(|(key, value)| Prop::KeyValue(KeyValueProp { key: prop_name(key), value: literal(value) }))
                .collect(),
        ),
    }
}
