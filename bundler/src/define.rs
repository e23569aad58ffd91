//! Puts in what is known before the program runs, such as `process.platform`, and removes what cannot be reached then.

use std::collections::HashMap;

use serde_json::Value;
use swc_core::common::{DUMMY_SP, Mark, SyntaxContext};
use swc_core::ecma::ast::*;
use swc_core::ecma::transforms::optimization::simplify::dead_branch_remover;
use swc_core::ecma::transforms::optimization::simplify::expr_simplifier;
use swc_core::ecma::visit::{VisitMut, VisitMutWith};

use crate::ast::{string, undefined};
use crate::diagnostics::{Diagnostic, Diagnostics, Severity};
use crate::entry::App;
use crate::{Builtins, BundleOptions};

/// What is known, by expressions of names and dots.
#[derive(Debug, Clone, Default)]
pub(crate) struct Defines(HashMap<String, Known>);

/// A value that is known.
#[derive(Debug, Clone, PartialEq)]
enum Known {
    Text(String),
    Number(f64),
    Truth(bool),
    Null,
    Undefined,
}

impl Defines {
    /// What is known of all targets, what the app's package.json says, and what the options say.
    pub(crate) fn choose(app: &App, options: &BundleOptions) -> Result<Self, Diagnostics> {
        // Nothing of Node gives ES modules one.
        let mut defines = Self(HashMap::from([("import.meta.env".to_owned(), Known::Undefined)]));
        if options.builtins == Builtins::Supported {
            defines.0.insert("process.platform".to_owned(), Known::Text("linux".to_owned()));
        }
        let stated = app.manifest.edgepack.get("define").and_then(Value::as_object);
        let stated = stated.into_iter().flatten().map(|(name, value)| (name, value, "package.json"));
        let given = options.define.iter().map(|(name, value)| (name, value, ""));
        let refused: Vec<Diagnostic> = stated
            .chain(given)
            .filter_map(|(name, value, file)| {
                let problem = defines.add(name, value).err()?;
                let hint = "A definition is a value by its name, as \"process.env.NODE_ENV\": \"production\".";
                Some(Diagnostic::of_file(Severity::Error, file, problem).with_hint(hint))
            })
            .collect();
        if refused.is_empty() { Ok(defines) } else { Err(Diagnostics(refused)) }
    }

    /// Adds one; what is no plain value is refused.
    fn add(&mut self, name: &str, value: &Value) -> Result<(), String> {
        if !name.split('.').all(|part| Ident::verify_symbol(part).is_ok()) && name != "import.meta.env" {
            return Err(format!("`{name}` cannot be defined: it is no name, and no names with dots between them."));
        }
        let known = match value {
            Value::String(text) => Known::Text(text.clone()),
            Value::Number(number) => Known::Number(number.as_f64().unwrap_or_default()),
            Value::Bool(truth) => Known::Truth(*truth),
            Value::Null => Known::Null,
            Value::Array(_) | Value::Object(_) => {
                return Err(format!("`{name}` can only be defined as a string, a number, a boolean or null."));
            }
        };
        self.0.insert(name.to_owned(), known);
        Ok(())
    }

    fn expression(&self, name: &str) -> Option<Box<Expr>> {
        Some(match self.0.get(name)? {
            Known::Text(text) => string(text),
            Known::Number(value) => Box::new(Expr::Lit(Lit::Num(Number { span: DUMMY_SP, value: *value, raw: None }))),
            Known::Truth(value) => Box::new(Expr::Lit(Lit::Bool(Bool { span: DUMMY_SP, value: *value }))),
            Known::Null => Box::new(Expr::Lit(Lit::Null(Null { span: DUMMY_SP }))),
            Known::Undefined => undefined(),
        })
    }
}

/// Replaces what is known in `program`, whose names are resolved.
pub(crate) fn apply_defines(program: &mut Program, defines: &Defines, unresolved: Mark) {
    let mut replacer =
        Replacer { defines, unresolved: SyntaxContext::empty().apply_mark(unresolved), has_replaced: false };
    program.visit_mut_with(&mut replacer);
    if replacer.has_replaced {
        expr_simplifier(unresolved, Default::default()).process(program);
        dead_branch_remover(unresolved).process(program);
    }
}

struct Replacer<'a> {
    defines: &'a Defines,
    unresolved: SyntaxContext,
    has_replaced: bool,
}

impl Replacer<'_> {
    /// `a.b.c`, also written `a?.b["c"]`, where `a` is a global.
    fn path(&self, expr: &Expr) -> Option<String> {
        let (obj, prop) = match expr {
            Expr::Ident(ident) => return (ident.ctxt == self.unresolved).then(|| ident.sym.to_string()),
            Expr::MetaProp(meta) => return (meta.kind == MetaPropKind::ImportMeta).then(|| "import.meta".to_owned()),
            Expr::Member(member) => (&member.obj, &member.prop),
            Expr::OptChain(chain) => match &*chain.base {
                OptChainBase::Member(member) => (&member.obj, &member.prop),
                OptChainBase::Call(_) => return None,
            },
            _ => return None,
        };
        let name = crate::scan::constant_member(prop)?;
        Some(format!("{}.{name}", self.path(obj)?))
    }
}

impl VisitMut for Replacer<'_> {
    fn visit_mut_expr(&mut self, expr: &mut Expr) {
        if matches!(expr, Expr::Ident(_) | Expr::Member(_) | Expr::OptChain(_))
            && let Some(known) = self.path(expr).and_then(|path| self.defines.expression(&path))
        {
            *expr = *known;
            self.has_replaced = true;
            return;
        }
        expr.visit_mut_children_with(self);
    }

    /// What is changed is not known.
    fn visit_mut_update_expr(&mut self, _: &mut UpdateExpr) {}

    fn visit_mut_unary_expr(&mut self, unary: &mut UnaryExpr) {
        if unary.op != op!("delete") {
            unary.visit_mut_children_with(self);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_values_can_be_defined() {
        let mut defines = Defines::default();
        assert_eq!(defines.add("process.env.NODE_ENV", &Value::from("production")), Ok(()));
        assert_eq!(
            defines.add("a b", &Value::Null).unwrap_err(),
            "`a b` cannot be defined: it is no name, and no names with dots between them."
        );
        assert_eq!(
            defines.add("a", &serde_json::json!([1])).unwrap_err(),
            "`a` can only be defined as a string, a number, a boolean or null."
        );
    }
}
