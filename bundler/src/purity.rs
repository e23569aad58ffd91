//! Decides which top-level code does nothing that could be noticed, so that it may go when nothing uses it.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use swc_core::atoms::Atom;
use swc_core::common::comments::Comments;
use swc_core::common::{Span, Spanned, SyntaxContext};
use swc_core::ecma::ast::*;

use crate::parse::Sources;
use crate::pure_names::{PureNames, setters_of};
use crate::scan::ImportBinding;

/// What is known about the names of one module.
pub(crate) struct Purity<'a> {
    sources: &'a Sources,
    unresolved: SyntaxContext,
    imports: &'a HashMap<Id, ImportBinding>,
    names: PureNames,
    /// Imports that have to be without effects when called, for what was asked last to be pure.
    assumed: RefCell<Vec<Id>>,
}

/// Whether a statement can be noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effects {
    Some,
    None,
    /// None, if these imports are functions or classes without effects.
    NoneIf(Vec<Id>),
}

impl<'a> Purity<'a> {
    /// `exported_at` is where `export` stands in front of what is declared.
    pub(crate) fn new(
        sources: &'a Sources,
        statements: &[Stmt],
        imports: &'a HashMap<Id, ImportBinding>,
        exported_at: &HashMap<Id, Span>,
    ) -> Self {
        let mut purity = Self {
            sources,
            unresolved: sources.unresolved_ctxt(),
            imports,
            names: PureNames::of(statements),
            assumed: RefCell::default(),
        };
        for stmt in statements {
            purity.learn(stmt, exported_at);
        }
        purity
    }

    /// Names that hold what other modules export: reading their properties runs nothing that matters.
    pub(crate) fn trust(&mut self, modules: impl Iterator<Item = Id>) {
        self.names.without_getters.extend(modules);
    }

    /// What other modules may call without an effect.
    pub(crate) fn into_callable(self) -> HashSet<Id> {
        self.names.functions.into_iter().chain(self.names.constructors.into_keys()).collect()
    }

    pub(crate) fn effects(&self, stmt: &Stmt) -> Effects {
        self.assumed.borrow_mut().clear();
        match (self.is_pure_stmt(stmt), self.assumed.take()) {
            (false, _) => Effects::Some,
            (true, assumed) if assumed.is_empty() => Effects::None,
            (true, assumed) => Effects::NoneIf(assumed),
        }
    }

    /// Without a look at what other modules export.
    fn is_surely_pure(&self, expr: &Expr) -> bool {
        self.assumed.borrow_mut().clear();
        self.is_pure(expr) && self.assumed.take().is_empty()
    }

    /// A call of `id` with pure arguments does nothing, or may do nothing.
    fn is_pure_callee(&self, id: &Id) -> bool {
        if self.imports.contains_key(id) {
            self.assumed.borrow_mut().push(id.clone());
            return true;
        }
        self.names.functions.contains(id)
    }

    /// Takes in what a statement declares, in the order of the program.
    fn learn(&mut self, stmt: &Stmt, exported_at: &HashMap<Id, Span>) {
        let is_exported_free = |id: &Id| exported_at.get(id).is_some_and(|span| self.is_free_of_effects(*span));
        match stmt {
            Stmt::Decl(Decl::Class(decl)) => {
                let id = decl.ident.to_id();
                self.assumed.borrow_mut().clear();
                let args_max = self.pure_constructor(&decl.class).filter(|_| self.names.is_fixed(&id));
                if let Some(args_max) = args_max.filter(|_| self.assumed.take().is_empty()) {
                    self.names.constructors.insert(id, args_max);
                }
            }
            Stmt::Decl(Decl::Fn(decl)) => {
                let id = decl.ident.to_id();
                let is_free = self.is_free_of_effects(decl.function.span) || is_exported_free(&id);
                if is_free && self.names.is_fixed(&id) {
                    self.names.functions.insert(id);
                }
            }
            Stmt::Decl(Decl::Var(var)) => {
                for decl in &var.decls {
                    let (Some(name), Some(init)) = (decl.name.as_ident(), &decl.init) else { continue };
                    let id = name.to_id();
                    if !self.names.is_fixed(&id) {
                        continue;
                    }
                    let is_annotated = [var.span, init.span()].into_iter().any(|span| self.is_free_of_effects(span));
                    let is_annotated =
                        is_annotated || exported_at.get(&id).is_some_and(|span| self.is_free_of_effects(*span));
                    if is_annotated && matches!(&**init, Expr::Fn(_) | Expr::Arrow(_)) {
                        self.names.functions.insert(id);
                    } else if var.kind == VarDeclKind::Const && self.is_primitive(init) {
                        if self.is_text(init) {
                            self.names.texts.insert(id.clone());
                        }
                        self.names.constants.insert(id);
                    }
                }
            }
            _ => {}
        }
    }

    /// `/* @__NO_SIDE_EFFECTS__ */` in front of a function.
    fn is_free_of_effects(&self, span: Span) -> bool {
        !span.is_dummy() && self.sources.comments.has_flag(span.lo, "NO_SIDE_EFFECTS")
    }

    /// How many arguments a constructor may be given to do nothing but fill its object.
    fn pure_constructor(&self, class: &Class) -> Option<usize> {
        let inherited = match class.super_class.as_deref() {
            None => usize::MAX,
            Some(Expr::Ident(parent)) => *self.names.constructors.get(&parent.to_id())?,
            Some(_) => return None,
        };
        let values = class.body.iter().filter_map(|member| match member {
            ClassMember::ClassProp(prop) if !prop.is_static => prop.value.as_ref(),
            ClassMember::PrivateProp(prop) if !prop.is_static => prop.value.as_ref(),
            _ => None,
        });
        if !values.into_iter().all(|value| self.is_pure(value)) {
            return None;
        }
        let constructor = class.body.iter().find_map(|member| member.as_constructor());
        let Some(constructor) = constructor else { return Some(inherited) };
        let params: Vec<&Pat> =
            constructor.params.iter().map(|param| param.as_param().map(|param| &param.pat)).collect::<Option<_>>()?;
        let is_plain = |pat: &&Pat| match pat {
            Pat::Ident(_) => true,
            Pat::Assign(assign) => assign.left.is_ident() && self.is_pure(&assign.right),
            _ => false,
        };
        if !params.iter().all(is_plain) {
            return None;
        }
        let setters = setters_of(class);
        let mut args_max = usize::MAX;
        for stmt in &constructor.body.as_ref()?.stmts {
            match self.guarding_param(stmt, &params) {
                Some(index) => args_max = args_max.min(index),
                None if self.fills_object(stmt, &setters, inherited) => {}
                None => return None,
            }
        }
        Some(args_max)
    }

    /// The index of `x` in `if (x !== undefined) …`: without such an argument nothing happens.
    fn guarding_param(&self, stmt: &Stmt, params: &[&Pat]) -> Option<usize> {
        let stmt = stmt.as_if_stmt().filter(|stmt| stmt.alt.is_none())?;
        let test =
            stmt.test.as_bin().filter(|test| test.op == op!("!==") && self.is_global(&test.right, "undefined"))?;
        let name = test.left.as_ident()?.to_id();
        params.iter().position(|param| param.as_ident().is_some_and(|param| param.to_id() == name))
    }

    /// `this.x = pure`, `super(pure)`, `const x = pure`
    fn fills_object(&self, stmt: &Stmt, setters: &[Atom], super_args_max: usize) -> bool {
        let expr = match stmt {
            Stmt::Expr(stmt) => &stmt.expr,
            stmt => return stmt.is_decl() && self.is_pure_stmt(stmt),
        };
        match &**expr {
            Expr::Assign(assign) => {
                let Some(target) = assign.left.as_simple().and_then(|target| target.as_member()) else { return false };
                let is_plain = target.prop.as_ident().is_some_and(|name| !setters.contains(&name.sym));
                assign.op == op!("=") && target.obj.is_this() && is_plain && self.is_pure(&assign.right)
            }
            Expr::Call(call) => {
                call.callee.is_super_() && call.args.len() <= super_args_max && self.are_pure(&call.args)
            }
            _ => false,
        }
    }

    fn are_pure(&self, args: &[ExprOrSpread]) -> bool {
        args.iter().all(|arg| arg.spread.is_none() && self.is_pure(&arg.expr))
    }

    /// Surely no object: converting it calls nothing.
    fn is_primitive(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Lit(lit) => !matches!(lit, Lit::Regex(_) | Lit::BigInt(_)),
            Expr::Ident(ident) => self.names.constants.contains(&ident.to_id()),
            Expr::Tpl(template) => template.exprs.iter().all(|hole| self.is_primitive(hole)),
            Expr::Unary(unary) => match unary.op {
                op!("typeof") => unary.arg.is_ident() || self.is_primitive(&unary.arg),
                op!("delete") => false,
                _ => self.is_primitive(&unary.arg),
            },
            Expr::Bin(bin) => {
                !matches!(bin.op, op!("in") | op!("instanceof"))
                    && self.is_primitive(&bin.left)
                    && self.is_primitive(&bin.right)
            }
            Expr::Member(member) => {
                self.is_global(&member.obj, "Math") && is_math_constant(&member.prop)
                    || matches!(&*member.obj, Expr::Lit(Lit::Regex(_))) && member.prop.is_ident_with("source")
            }
            Expr::Call(call) => self.is_text_method(call),
            _ => false,
        }
    }

    /// Of what is surely no object, whether it is a text: of the members that are known only `source` is no number.
    fn is_text(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Lit(Lit::Str(_)) | Expr::Tpl(_) => true,
            Expr::Ident(ident) => self.names.texts.contains(&ident.to_id()),
            Expr::Bin(bin) => bin.op == op!(bin, "+") && (self.is_text(&bin.left) || self.is_text(&bin.right)),
            Expr::Member(member) => member.prop.is_ident_with("source"),
            Expr::Call(call) => self.is_text_method(call),
            _ => false,
        }
    }

    /// A method of a string that gives a string, with primitive arguments.
    fn is_text_method(&self, call: &CallExpr) -> bool {
        let Some(member) = call.callee.as_expr().and_then(|callee| callee.as_member()) else { return false };
        let is_text = self.is_primitive(&member.obj) && self.is_text(&member.obj);
        let known = ["replace", "replaceAll", "toUpperCase", "toLowerCase", "slice", "trim", "concat", "substring"];
        is_text
            && member.prop.as_ident().is_some_and(|name| known.contains(&&*name.sym))
            && call.args.iter().all(|arg| arg.spread.is_none() && self.is_primitive(&arg.expr))
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
                op!(unary, "-") | op!(unary, "+") | op!("~") => self.is_primitive(&unary.arg),
                op!("delete") => false,
            },
            Expr::Bin(bin) => self.is_pure_binary(bin),
            Expr::Cond(cond) => self.is_pure(&cond.test) && self.is_pure(&cond.cons) && self.is_pure(&cond.alt),
            Expr::Seq(seq) => seq.exprs.iter().all(|expr| self.is_pure(expr)),
            Expr::Tpl(template) => template.exprs.iter().all(|hole| self.is_primitive(hole)),
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
            _ => self.is_primitive(&bin.left) && self.is_primitive(&bin.right),
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
            PropName::Computed(computed) => {
                self.is_primitive(&computed.expr) || self.is_well_known_symbol(&computed.expr)
            }
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

    /// `this.x = pure` and `this.prototype.x = pure` in a class's static block only change the class.
    fn is_static_assignment(&self, stmt: &Stmt) -> bool {
        let Some(assign) = stmt.as_expr().and_then(|stmt| stmt.expr.as_assign()) else { return false };
        let AssignTarget::Simple(SimpleAssignTarget::Member(target)) = &assign.left else { return false };
        let is_own = match &*target.obj {
            Expr::This(_) => true,
            Expr::Member(inner) => inner.obj.is_this() && inner.prop.is_ident_with("prototype"),
            _ => false,
        };
        assign.op == op!("=") && is_own && target.prop.is_ident() && self.is_pure(&assign.right)
    }

    /// Only reads of built-in constants: elsewhere a property may be a getter, or its object undefined.
    fn is_pure_member(&self, member: &MemberExpr) -> bool {
        let is_known = |expr: &Expr| {
            expr.as_ident().is_some_and(|ident| ident.ctxt == self.unresolved && is_safe_namespace(&ident.sym))
        };
        if member.prop.is_computed() {
            return false;
        }
        let owner = match &*member.obj {
            Expr::Member(inner) if inner.prop.is_ident_with("prototype") => inner.obj.as_ident(),
            obj => obj.as_ident(),
        };
        if owner.is_some_and(|owner| self.names.without_getters.contains(&owner.to_id())) {
            return true;
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
                member.prop.is_ident_with("for") && call.args.iter().all(|arg| self.is_primitive(&arg.expr))
            }
            Expr::Ident(ident) if ident.ctxt != self.unresolved => {
                args_are_pure() && self.is_pure_callee(&ident.to_id())
            }
            Expr::Ident(ident) => {
                matches!(&*ident.sym, "Symbol" | "String" | "Number" | "Boolean" | "BigInt")
                    && call.args.iter().all(|arg| arg.spread.is_none() && self.is_primitive(&arg.expr))
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
        let Some(ident) = new.callee.as_ident() else { return false };
        if ident.ctxt != self.unresolved {
            let args_max = self.names.constructors.get(&ident.to_id());
            return args_max.is_some_and(|args_max| args.len() <= *args_max) && self.are_pure(args);
        }
        match &*ident.sym {
            "WeakMap" | "WeakSet" | "Map" => args.is_empty(),
            "Set" => match args {
                [] => true,
                [items] => items.spread.is_none() && items.expr.is_array() && self.is_pure(&items.expr),
                _ => false,
            },
            "Object" | "Date" | "AbortController" | "EventTarget" | "TextEncoder" | "TextDecoder" => args.is_empty(),
            // Those that throw do so at every start.
            "RegExp" | "ArrayBuffer" | "Float32Array" | "Float64Array" | "Uint8Array" | "Int8Array" | "Uint16Array"
            | "Int16Array" | "Uint32Array" | "Int32Array" | "Uint8ClampedArray" => {
                args.iter().all(|arg| arg.spread.is_none() && self.is_primitive(&arg.expr))
            }
            "Error" | "TypeError" | "RangeError" => args.iter().all(|arg| self.is_primitive(&arg.expr)),
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
    let name = &target.prop.as_ident().filter(|name| name.sym != "__proto__" && assign.op == op!("="))?.sym;
    let (owner, is_instances) = match &*target.obj {
        Expr::Ident(owner) => (owner, false),
        Expr::Member(inner) if inner.prop.is_ident_with("prototype") => (inner.obj.as_ident()?, true),
        _ => return None,
    };
    let id = owner.to_id();
    let setters = purity.names.plain.get(&id)?;
    let setters = if is_instances { &setters.of_instances } else { &setters.of_class };
    let is_local = !setters.contains(name) && !purity.imports.contains_key(&id);
    (is_local && purity.is_surely_pure(&assign.right)).then_some(id)
}

fn is_literal(expr: &Expr) -> bool {
    matches!(expr, Expr::Lit(_) | Expr::Array(_) | Expr::Object(_) | Expr::Fn(_) | Expr::Arrow(_))
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

fn is_math_constant(prop: &MemberProp) -> bool {
    prop.as_ident().is_some_and(|name| matches!(&*name.sym, "PI" | "E" | "LN2" | "LN10" | "LOG2E" | "LOG10E" | "SQRT2"))
}
