//! Turns a JSON file into the CommonJS module that exports its value.

use std::borrow::Cow;
use std::fmt::Formatter;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
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
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut value = match serde_json::from_str(text) {
        Ok(Literal(value)) => value,
        // JSON that only serde refuses: a number that overflows, half of a surrogate pair, deep nesting.
        Err(_) if serde_json::from_str::<IgnoredAny>(text).is_ok() => {
            let json = Ident::new("JSON".into(), DUMMY_SP, unresolved);
            call(member(Box::new(Expr::Ident(json)), "parse", DUMMY_SP), vec![string(text)], DUMMY_SP)
        }
        Err(error) => return Err(error),
    };
    let params: Vec<Ident> = WRAPPER_PARAMS.iter().map(|name| fresh_ident(name)).collect();
    let exports = member(ident_expr(&params[2].to_id()), "exports", DUMMY_SP);
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

/// A JSON value as the literal that makes it.
struct Literal(Box<Expr>);

impl<'de> Deserialize<'de> for Literal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LiteralVisitor).map(Literal)
    }
}

struct LiteralVisitor;

impl<'de> Visitor<'de> for LiteralVisitor {
    type Value = Box<Expr>;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Box::new(Expr::Lit(Lit::Null(Null { span: DUMMY_SP }))))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Box::new(Expr::Lit(Lit::Bool(Bool { span: DUMMY_SP, value }))))
    }

    #[expect(clippy::cast_precision_loss, reason = "JavaScript's numbers are such")]
    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Self::Value, E> {
        self.visit_f64(value as f64)
    }

    #[expect(clippy::cast_precision_loss, reason = "JavaScript's numbers are such")]
    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Self::Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Box::new(Expr::Lit(Lit::Num(Number { span: DUMMY_SP, value, raw: None }))))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(string(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut found = Vec::new();
        while let Some(Literal(item)) = items.next_element()? {
            found.push(item);
        }
        Ok(array(found))
    }

    /// A key that is there twice keeps its place and has the last value, in a literal as in JSON.
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut found = Vec::new();
        while let Some((key, Literal(value))) = entries.next_entry::<Cow<'de, str>, Literal>()? {
            found.push(Prop::KeyValue(KeyValueProp { key: prop_name(&key), value }));
        }
        Ok(object(found))
    }
}
