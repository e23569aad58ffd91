//! Decides which top-level code does nothing that could be noticed, so that it may go when nothing uses it.

use std::collections::{HashMap, HashSet};

use swc_core::common::comments::Comments;
use swc_core::common::{Span, SyntaxContext};
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{Visit, VisitWith};

use crate::parse::Sources;
use crate::scan::ImportBinding;

/// What is known about the names of one module.
pub(crate) struct Purity<'a> {
    sources: &'a Sources,
    unresolved: SyntaxContext,
    imports: &'a HashMap<Id, ImportBinding>,
    /// Functions, classes and object literals that are never assigned again.
    plain_objects: HashSet<Id>,
}

impl<'a> Purity<'a> {
    pub(crate) fn new(sources: &'a Sources, statements: &[Stmt], imports: &'a HashMap<Id, ImportBinding>) -> Self {
        let plain_objects = find_plain_objects(statements);
        Self { sources, unresolved: sources.unresolved_ctxt(), imports, plain_objects }
    }

    pub(crate) fn is_pure_stmt(&self, stmt: &Stmt) -> bool {
        match stmt {
            Stmt::Empty(_) => true,
            Stmt::Decl(Decl::Fn(_)) => true,
            Stmt::Decl(Decl::Class(class)) => self.is_pure_class(&class.class),
            Stmt::Decl(Decl::Var(var)) => var.decls.iter().all(|decl| {
                // Destructuring reads properties and iterates.
                decl.name.is_ident() && decl.init.as_ref().is_none_or(|init| self.is_pure(init))
            }),
            Stmt::Expr(stmt) => self.is_pure(&stmt.expr),
            Stmt::Block(block) => block.stmts.iter().all(|stmt| self.is_pure_stmt(stmt)),
            Stmt::If(stmt) => {
                self.is_pure(&stmt.test)
                    && self.is_pure_stmt(&stmt.cons)
                    && stmt.alt.as_ref().is_none_or(|alt| self.is_pure_stmt(alt))
            }
            _ => false,
        }
    }

    pub(crate) fn is_pure(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Lit(_) | Expr::Fn(_) | Expr::Arrow(_) | Expr::This(_) | Expr::MetaProp(_) => true,
            Expr::Ident(ident) => ident.ctxt != self.unresolved || is_safe_global(&ident.sym),
            Expr::Array(array) => array
                .elems
                .iter()
                .flatten()
                .all(|elem| (elem.spread.is_none() || elem.expr.is_array()) && self.is_pure(&elem.expr)),
            Expr::Object(object) => object.props.iter().all(|prop| self.is_pure_prop(prop)),
            Expr::Unary(unary) => match unary.op {
                op!("typeof") if unary.arg.is_ident() => true,
                op!("!") | op!("void") | op!("typeof") => self.is_pure(&unary.arg),
                op!(unary, "-") | op!(unary, "+") | op!("~") => is_primitive(&unary.arg),
                op!("delete") => false,
            },
            Expr::Bin(bin) => self.is_pure_binary(bin),
            Expr::Cond(cond) => self.is_pure(&cond.test) && self.is_pure(&cond.cons) && self.is_pure(&cond.alt),
            Expr::Seq(seq) => seq.exprs.iter().all(|expr| self.is_pure(expr)),
            Expr::Tpl(template) => template.exprs.iter().all(|hole| is_primitive(hole)),
            Expr::Class(class) => self.is_pure_class(&class.class),
            Expr::Member(member) => self.is_pure_member(member),
            Expr::Call(call) => self.is_pure_call(call),
            Expr::New(new) => self.is_pure_new(new),
            _ => false,
        }
    }

    fn is_pure_binary(&self, bin: &BinExpr) -> bool {
        let pure = self.is_pure(&bin.left) && self.is_pure(&bin.right);
        match bin.op {
            op!("===") | op!("!==") | op!("&&") | op!("||") | op!("??") => pure,
            op!("in") | op!("instanceof") => false,
            // The others convert objects, which may call their methods.
            _ => is_primitive(&bin.left) && is_primitive(&bin.right),
        }
    }

    fn is_pure_prop(&self, prop: &PropOrSpread) -> bool {
        let PropOrSpread::Prop(prop) = prop else { return false };
        let (key, value) = match &**prop {
            Prop::Shorthand(ident) => return ident.ctxt != self.unresolved || is_safe_global(&ident.sym),
            Prop::KeyValue(pair) => (&pair.key, self.is_pure(&pair.value)),
            Prop::Getter(getter) => (&getter.key, true),
            Prop::Setter(setter) => (&setter.key, true),
            Prop::Method(method) => (&method.key, true),
            Prop::Assign(_) => return false,
        };
        value && self.is_pure_key(key)
    }

    fn is_pure_key(&self, key: &PropName) -> bool {
        match key {
            PropName::Computed(computed) => is_primitive(&computed.expr) || self.is_well_known_symbol(&computed.expr),
            _ => true,
        }
    }

    fn is_well_known_symbol(&self, expr: &Expr) -> bool {
        expr.as_member().is_some_and(|member| self.is_global(&member.obj, "Symbol"))
    }

    fn is_global(&self, expr: &Expr, name: &str) -> bool {
        expr.as_ident().is_some_and(|ident| ident.ctxt == self.unresolved && ident.sym == name)
    }

    fn is_pure_class(&self, class: &Class) -> bool {
        class.decorators.is_empty()
            && class.super_class.as_ref().is_none_or(|parent| self.is_pure(parent))
            && class.body.iter().all(|member| self.is_pure_class_member(member))
    }

    fn is_pure_class_member(&self, member: &ClassMember) -> bool {
        let is_pure_value = |value: &Option<Box<Expr>>| value.as_ref().is_none_or(|value| self.is_pure(value));
        match member {
            ClassMember::Constructor(_) | ClassMember::PrivateMethod(_) | ClassMember::Empty(_) => true,
            ClassMember::TsIndexSignature(_) => true,
            ClassMember::Method(method) => method.function.decorators.is_empty() && self.is_pure_key(&method.key),
            ClassMember::ClassProp(prop) => {
                prop.decorators.is_empty()
                    && self.is_pure_key(&prop.key)
                    && (!prop.is_static || is_pure_value(&prop.value))
            }
            ClassMember::PrivateProp(prop) => !prop.is_static || is_pure_value(&prop.value),
            ClassMember::StaticBlock(block) => block.body.stmts.iter().all(|stmt| self.is_static_assignment(stmt)),
            ClassMember::AutoAccessor(_) => false,
        }
    }

    /// `this.x = pure` in a class's static block only changes the class.
    fn is_static_assignment(&self, stmt: &Stmt) -> bool {
        let Some(assign) = stmt.as_expr().and_then(|stmt| stmt.expr.as_assign()) else { return false };
        let AssignTarget::Simple(SimpleAssignTarget::Member(target)) = &assign.left else { return false };
        assign.op == op!("=") && target.obj.is_this() && target.prop.is_ident() && self.is_pure(&assign.right)
    }

    /// Only reads of built-in constants: elsewhere a property may be a getter, or its object undefined.
    fn is_pure_member(&self, member: &MemberExpr) -> bool {
        let is_known = |expr: &Expr| {
            expr.as_ident().is_some_and(|ident| ident.ctxt == self.unresolved && is_safe_namespace(&ident.sym))
        };
        if member.prop.is_computed() {
            return false;
        }
        is_known(&member.obj)
            || member.obj.as_member().is_some_and(|inner| inner.prop.is_ident_with("prototype") && is_known(&inner.obj))
    }

    fn is_pure_call(&self, call: &CallExpr) -> bool {
        let args_are_pure = || call.args.iter().all(|arg| arg.spread.is_none() && self.is_pure(&arg.expr));
        if self.is_annotated(call.span) {
            return args_are_pure();
        }
        let Callee::Expr(callee) = &call.callee else { return false };
        match &**callee {
            Expr::Member(member) if self.is_global(&member.obj, "Object") => match &member.prop {
                MemberProp::Ident(name) => {
                    matches!(&*name.sym, "freeze" | "seal" | "preventExtensions" | "create")
                        && call.args.len() == 1
                        && call
                            .args
                            .iter()
                            .all(|arg| arg.spread.is_none() && is_literal(&arg.expr) && self.is_pure(&arg.expr))
                }
                _ => false,
            },
            Expr::Member(member) if self.is_global(&member.obj, "Symbol") => {
                member.prop.is_ident_with("for") && call.args.iter().all(|arg| is_primitive(&arg.expr))
            }
            Expr::Ident(ident) if ident.ctxt == self.unresolved => {
                matches!(&*ident.sym, "Symbol" | "String" | "Number" | "Boolean" | "BigInt")
                    && call.args.iter().all(|arg| arg.spread.is_none() && is_primitive(&arg.expr))
                    && (ident.sym != "BigInt"
                        || call
                            .args
                            .first()
                            .is_some_and(|arg| matches!(&*arg.expr, Expr::Lit(Lit::Num(n)) if n.value.fract() == 0.0)))
            }
            _ => false,
        }
    }

    fn is_pure_new(&self, new: &NewExpr) -> bool {
        let args = new.args.as_deref().unwrap_or_default();
        if self.is_annotated(new.span) {
            return args.iter().all(|arg| arg.spread.is_none() && self.is_pure(&arg.expr));
        }
        let Some(ident) = new.callee.as_ident().filter(|ident| ident.ctxt == self.unresolved) else { return false };
        match &*ident.sym {
            "WeakMap" | "WeakSet" | "Map" => args.is_empty(),
            "Set" => match args {
                [] => true,
                [items] => items.spread.is_none() && items.expr.is_array() && self.is_pure(&items.expr),
                _ => false,
            },
            "Object" => args.is_empty(),
            "Error" | "TypeError" | "RangeError" => args.iter().all(|arg| is_primitive(&arg.expr)),
            _ => false,
        }
    }

    fn is_annotated(&self, span: Span) -> bool {
        span.is_pure() || (!span.is_dummy() && self.sources.comments.has_flag(span.lo, "PURE"))
    }
}

/// The binding to which `X.y = pure` and `X.prototype.y = pure` belong: they matter only if `X` is used.
pub(crate) fn attached_to(stmt: &Stmt, purity: &Purity<'_>) -> Option<Id> {
    let assign = stmt.as_expr()?.expr.as_assign()?;
    let AssignTarget::Simple(SimpleAssignTarget::Member(target)) = &assign.left else { return None };
    if assign.op != op!("=") || target.prop.is_computed() || target.prop.is_ident_with("__proto__") {
        return None;
    }
    let owner = match &*target.obj {
        Expr::Ident(owner) => owner,
        Expr::Member(inner) if inner.prop.is_ident_with("prototype") => inner.obj.as_ident()?,
        _ => return None,
    };
    let id = owner.to_id();
    let is_local = purity.plain_objects.contains(&id) && !purity.imports.contains_key(&id);
    (is_local && purity.is_pure(&assign.right)).then_some(id)
}

fn find_plain_objects(statements: &[Stmt]) -> HashSet<Id> {
    let mut found = HashSet::new();
    for stmt in statements {
        match stmt {
            Stmt::Decl(Decl::Fn(function)) => drop(found.insert(function.ident.to_id())),
            Stmt::Decl(Decl::Class(class)) => {
                // A parent class that is not known may have setters.
                let parent = class.class.super_class.as_ref();
                let parent_is_plain =
                    parent.is_none_or(|parent| parent.as_ident().is_some_and(|parent| found.contains(&parent.to_id())));
                if parent_is_plain && !has_setter(&class.class) {
                    found.insert(class.ident.to_id());
                }
            }
            _ => {}
        }
    }
    let reassigned = find_reassigned(statements);
    found.retain(|id| !reassigned.contains(id));
    found
}

/// What is assigned after it has been declared.
pub(crate) fn find_reassigned(statements: &[Stmt]) -> HashSet<Id> {
    let mut reassigned = Reassigned(HashSet::new());
    statements.visit_with(&mut reassigned);
    reassigned.0
}

fn has_setter(class: &Class) -> bool {
    class.body.iter().any(|member| matches!(member, ClassMember::Method(method) if method.kind == MethodKind::Setter))
}

struct Reassigned(HashSet<Id>);

impl Visit for Reassigned {
    fn visit_assign_expr(&mut self, assign: &AssignExpr) {
        match &assign.left {
            AssignTarget::Simple(SimpleAssignTarget::Ident(ident)) => drop(self.0.insert(ident.to_id())),
            AssignTarget::Pat(pat) => self.0.extend(swc_core::ecma::utils::find_pat_ids::<_, Id>(pat)),
            AssignTarget::Simple(_) => {}
        }
        assign.visit_children_with(self);
    }

    fn visit_update_expr(&mut self, update: &UpdateExpr) {
        self.0.extend(update.arg.as_ident().map(Ident::to_id));
        update.visit_children_with(self);
    }

    fn visit_for_head(&mut self, head: &ForHead) {
        if let ForHead::Pat(pat) = head {
            self.0.extend(swc_core::ecma::utils::find_pat_ids::<_, Id>(pat));
        }
        head.visit_children_with(self);
    }
}

fn is_literal(expr: &Expr) -> bool {
    matches!(expr, Expr::Lit(_) | Expr::Array(_) | Expr::Object(_) | Expr::Fn(_) | Expr::Arrow(_))
}

/// Surely no object: converting it calls nothing.
fn is_primitive(expr: &Expr) -> bool {
    match expr {
        Expr::Lit(lit) => !matches!(lit, Lit::Regex(_) | Lit::BigInt(_)),
        Expr::Tpl(template) => template.exprs.iter().all(|hole| is_primitive(hole)),
        Expr::Unary(unary) => match unary.op {
            op!("typeof") => unary.arg.is_ident() || is_primitive(&unary.arg),
            op!("delete") => false,
            _ => is_primitive(&unary.arg),
        },
        Expr::Bin(bin) => {
            !matches!(bin.op, op!("in") | op!("instanceof")) && is_primitive(&bin.left) && is_primitive(&bin.right)
        }
        _ => false,
    }
}

/// Globals that surely exist: reading another one may throw, and `process.env` and its like are inputs.
fn is_safe_global(name: &str) -> bool {
    is_safe_namespace(name)
        || matches!(
            name,
            "undefined"
                | "NaN"
                | "Infinity"
                | "globalThis"
                | "process"
                | "console"
                | "parseInt"
                | "parseFloat"
                | "isNaN"
                | "isFinite"
                | "encodeURIComponent"
                | "decodeURIComponent"
                | "encodeURI"
                | "decodeURI"
                | "escape"
                | "unescape"
                | "setTimeout"
                | "clearTimeout"
                | "setInterval"
                | "clearInterval"
                | "setImmediate"
                | "clearImmediate"
                | "queueMicrotask"
                | "structuredClone"
                | "Buffer"
                | "URL"
                | "URLSearchParams"
                | "TextEncoder"
                | "TextDecoder"
                | "AbortController"
                | "AbortSignal"
                | "Event"
                | "EventTarget"
                | "fetch"
                | "Headers"
                | "Request"
                | "Response"
                | "FormData"
                | "Blob"
                | "performance"
                | "arguments"
        )
}

/// Built-in objects whose properties are plain.
fn is_safe_namespace(name: &str) -> bool {
    matches!(
        name,
        "Object"
            | "Array"
            | "Function"
            | "String"
            | "Number"
            | "Boolean"
            | "Symbol"
            | "BigInt"
            | "Math"
            | "JSON"
            | "Reflect"
            | "Date"
            | "RegExp"
            | "Promise"
            | "Map"
            | "Set"
            | "WeakMap"
            | "WeakSet"
            | "WeakRef"
            | "Proxy"
            | "Error"
            | "TypeError"
            | "RangeError"
            | "SyntaxError"
            | "ReferenceError"
            | "EvalError"
            | "URIError"
            | "AggregateError"
            | "ArrayBuffer"
            | "SharedArrayBuffer"
            | "DataView"
            | "Uint8Array"
            | "Int8Array"
            | "Uint8ClampedArray"
            | "Uint16Array"
            | "Int16Array"
            | "Uint32Array"
            | "Int32Array"
            | "Float32Array"
            | "Float64Array"
            | "BigInt64Array"
            | "BigUint64Array"
            | "Atomics"
            | "Intl"
            | "FinalizationRegistry"
    )
}
