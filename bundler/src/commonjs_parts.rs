//! Cuts a CommonJS module into top-level statements ("parts"), and finds what each exports, uses, and takes from others.

use std::collections::{HashMap, HashSet};

use swc_core::atoms::Atom;
use swc_core::common::{Span, SyntaxContext};
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{Visit, VisitWith};

use crate::ast::{defined_property, text_of};
use crate::emit_commonjs::is_directive;
use crate::parse::Sources;
use crate::pure_names::find_reassigned;
use crate::purity::{Effects, Purity, attached_to};
use crate::requires::{DependencyKind, ModuleNames, Requests, find_requests};
use crate::scan::{constant_member, declared_by_statement};

/// A CommonJS module, cut up.
#[derive(Debug, Default)]
pub(crate) struct CommonJsParts {
    /// One for each statement; of a module whose exports are not known by their names, one for all of it.
    pub(crate) parts: Vec<CommonJsPart>,
    pub(crate) are_statements: bool,
    pub(crate) declared_by: HashMap<Id, Vec<usize>>,
    pub(crate) exported_by: HashMap<Atom, Vec<usize>>,
}

/// A top-level statement.
#[derive(Debug, Clone)]
pub(crate) struct CommonJsPart {
    pub(crate) effects: LoadingEffects,
    pub(crate) requests: Requests,
    pub(crate) uses: Vec<Id>,
    /// Exports of the module itself that are read.
    pub(crate) reads: Vec<Atom>,
    pub(crate) takes: Vec<Take>,
    /// `__exportStar(require('x'), exports)`: the span of the call of `require`.
    pub(crate) star: Option<Span>,
}

/// Whether a statement can be noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LoadingEffects {
    Some,
    None,
    /// Only by those who see the module itself.
    Own,
    /// As the module has that it loads, by the span of the call of `require`.
    OfLoaded(Span),
}

/// Something that is read of what a call of `require` gives; no name is all of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Take {
    pub(crate) require: Span,
    pub(crate) name: Option<Atom>,
    /// Through TypeScript's `__importDefault`.
    pub(crate) is_interop: bool,
}

/// What identifies the names of one module.
struct Scope<'a> {
    names: &'a ModuleNames,
    /// The context of globals.
    unresolved: SyntaxContext,
    /// Calls of `require` with a known specifier.
    requires: HashSet<Span>,
    top_level: HashSet<Id>,
    /// Variables that hold what a module exports, and nothing else.
    modules: HashMap<Id, Take>,
}

/// Cuts up the body of a module; declarations of several variables are taken apart.
pub(crate) fn cut_commonjs(sources: &Sources, stmts: &mut Vec<Stmt>, names: &ModuleNames) -> CommonJsParts {
    split_declarations(stmts);
    let requests: Vec<Requests> = stmts.iter().map(|stmt| find_requests(stmt, names)).collect();
    let mut cut = CommonJsParts::default();
    for (index, stmt) in stmts.iter().enumerate() {
        for id in declared_by_statement(stmt) {
            cut.declared_by.entry(id).or_default().push(index);
        }
    }
    let scope = Scope::of(stmts, &requests, names, sources.unresolved_ctxt(), &cut.declared_by);
    let mut purity = Purity::new(sources, stmts, &NO_IMPORTS, &NO_EXPORTS);
    purity.trust(scope.modules.keys().cloned());
    let mut is_open = !requests.iter().any(|it| it.calls_eval || it.mentions_arguments || it.names_yield);
    let evaluates = requests.iter().any(|it| it.calls_eval);
    for (index, (stmt, requests)) in stmts.iter().zip(requests).enumerate() {
        let (part, exported, stays_open) = scope.part(stmt, requests, &purity);
        is_open &= stays_open;
        exported.into_iter().for_each(|name| cut.exported_by.entry(name).or_default().push(index));
        if let Some(owner) = attached_to(stmt, &purity) {
            cut.declared_by.entry(owner).or_default().push(index);
        }
        cut.parts.push(part);
    }
    cut.are_statements = is_open;
    if !is_open {
        join_parts(&mut cut);
    }
    if evaluates {
        let all = scope.requires.into_iter().map(|require| Take { require, name: None, is_interop: false });
        let all: Vec<Take> = all.collect();
        cut.parts.iter_mut().for_each(|part| part.takes.clone_from(&all));
    }
    cut
}

/// What a statement `exports.a = exports.b = value` sets, and the value.
pub(crate) fn exported_chain<'a>(stmt: &'a Stmt, is_exports: &dyn Fn(&Expr) -> bool) -> Option<(Vec<Atom>, &'a Expr)> {
    let mut value = &*stmt.as_expr()?.expr;
    let mut names = Vec::new();
    while let Expr::Assign(assign) = value {
        let target = assign.left.as_simple().and_then(|target| target.as_member());
        let Some(target) = target.filter(|target| assign.op == op!("=") && is_exports(&target.obj)) else { break };
        names.push(constant_member(&target.prop).filter(|name| name != "__proto__")?);
        value = &assign.right;
    }
    (!names.is_empty()).then_some((names, value))
}

static NO_IMPORTS: std::sync::LazyLock<HashMap<Id, crate::scan::ImportBinding>> =
    std::sync::LazyLock::new(HashMap::new);
static NO_EXPORTS: std::sync::LazyLock<HashMap<Id, Span>> = std::sync::LazyLock::new(HashMap::new);

fn split_declarations(stmts: &mut Vec<Stmt>) {
    let has_several = |stmt: &Stmt| matches!(stmt, Stmt::Decl(Decl::Var(var)) if var.decls.len() > 1);
    if !stmts.iter().any(has_several) {
        return;
    }
    for stmt in std::mem::take(stmts) {
        match stmt {
            Stmt::Decl(Decl::Var(var)) if var.decls.len() > 1 => {
                let VarDecl { ctxt, kind, declare, decls, .. } = *var;
                let single = |decl: VarDeclarator| VarDecl { span: decl.span, ctxt, kind, declare, decls: vec![decl] };
                stmts.extend(decls.into_iter().map(|decl| Stmt::Decl(Decl::Var(Box::new(single(decl))))));
            }
            stmt => stmts.push(stmt),
        }
    }
}

fn join_parts(cut: &mut CommonJsParts) {
    cut.declared_by.clear();
    cut.exported_by.clear();
    let mut takes: Vec<Take> = Vec::new();
    let mut requests = Requests::default();
    let is_quiet = |part: &CommonJsPart| matches!(part.effects, LoadingEffects::None | LoadingEffects::Own);
    let effects = if cut.parts.iter().all(is_quiet) { LoadingEffects::Own } else { LoadingEffects::Some };
    for part in std::mem::take(&mut cut.parts) {
        requests.add(part.requests);
        takes.extend(part.takes);
        takes.extend(part.star.map(|require| Take { require, name: None, is_interop: false }));
    }
    cut.parts = vec![CommonJsPart { effects, requests, uses: Vec::new(), reads: Vec::new(), takes, star: None }];
}

impl<'a> Scope<'a> {
    fn of(
        stmts: &[Stmt],
        requests: &[Requests],
        names: &'a ModuleNames,
        unresolved: SyntaxContext,
        declared_by: &HashMap<Id, Vec<usize>>,
    ) -> Self {
        let dependencies = requests.iter().flat_map(|requests| &requests.dependencies);
        let requires = dependencies.filter(|it| it.kind == DependencyKind::Require).map(|it| it.span).collect();
        let top_level = declared_by.keys().cloned().collect();
        let mut scope = Self { names, unresolved, requires, top_level, modules: HashMap::new() };
        let reassigned = find_reassigned(stmts);
        for (name, value) in stmts.iter().filter_map(declared_value) {
            let id = name.to_id();
            if let Some(take) = scope.loaded(value)
                && !reassigned.contains(&id)
                && declared_by.get(&id).is_some_and(|parts| parts.len() == 1)
            {
                scope.modules.insert(id, take);
            }
        }
        scope
    }

    fn is_wrapper(&self, expr: &Expr, name: &str) -> bool {
        expr.as_ident().is_some_and(|ident| ident.sym == name && ident.ctxt == self.names.wrapper)
    }

    /// `exports` or `module.exports`
    fn is_exports(&self, expr: &Expr) -> bool {
        self.is_wrapper(expr, "exports")
            || expr.as_member().is_some_and(|it| self.is_wrapper(&it.obj, "module") && it.prop.is_ident_with("exports"))
    }

    /// `module.exports = value`
    fn exported_whole<'e>(&self, expr: &'e Expr) -> Option<&'e Expr> {
        let assign = expr.as_assign().filter(|assign| assign.op == op!("="))?;
        let target = assign.left.as_simple()?.as_member()?;
        let is_whole = self.is_wrapper(&target.obj, "module") && target.prop.is_ident_with("exports");
        is_whole.then_some(&*assign.right)
    }

    /// `require('x')`
    fn required(&self, expr: &Expr) -> Option<Span> {
        expr.as_call().map(|call| call.span).filter(|span| self.requires.contains(span))
    }

    /// `require('x')`, also in `__importDefault(…)`
    fn loaded(&self, expr: &Expr) -> Option<Take> {
        let whole = |require, is_interop| Take { require, name: None, is_interop };
        if let Some(require) = self.required(expr) {
            return Some(whole(require, false));
        }
        let call = expr.as_call()?;
        let [argument] = &call.args[..] else { return None };
        is_helper(call.callee.as_expr()?, "__importDefault")
            .then(|| self.required(&argument.expr))?
            .map(|require| whole(require, true))
    }

    /// `__exportStar(require('x'), exports)`
    fn starred(&self, stmt: &Stmt) -> Option<Span> {
        let call = stmt.as_expr()?.expr.as_call()?;
        let [from, to] = &call.args[..] else { return None };
        let is_star = is_helper(call.callee.as_expr()?, "__exportStar") && self.is_wrapper(&to.expr, "exports");
        is_star.then(|| self.required(&from.expr))?
    }

    /// `Object.defineProperty(exports, 'name', descriptor)`
    fn defined(&self, stmt: &'a Stmt) -> Option<(Atom, &'a Expr)> {
        let call = stmt.as_expr()?.expr.as_call()?;
        let (target, name, descriptor) = defined_property(call, self.unresolved)?;
        self.is_exports(target).then_some((name, descriptor))
    }

    /// The part, what it exports, and whether what the module exports is still known by its names.
    fn part(&self, stmt: &Stmt, requests: Requests, purity: &Purity<'_>) -> (CommonJsPart, Vec<Atom>, bool) {
        let mut finder = Finder { scope: self, functions: 0, is_open: true, found: Found::default() };
        let mut exported = Vec::new();
        let star = self.starred(stmt);
        let effects = if let Some(require) = star {
            finder.callee(stmt.as_expr().map(|stmt| &*stmt.expr));
            LoadingEffects::OfLoaded(require)
        } else if let Some((names, value)) = exported_chain(stmt, &|expr| self.is_exports(expr)) {
            exported = names;
            value.visit_with(&mut finder);
            exported_effects(&exported, purity.is_pure(value))
        } else if let Some((name, descriptor)) = self.defined(stmt) {
            descriptor.visit_with(&mut finder);
            exported.push(name);
            exported_effects(&exported, descriptor.is_object() && purity.is_pure(descriptor))
        } else {
            finder.statement(stmt);
            self.effects(stmt, purity)
        };
        let Finder { is_open, found: Found { uses, reads, takes }, .. } = finder;
        (CommonJsPart { effects, requests, uses, reads, takes, star }, exported, is_open)
    }

    fn effects(&self, stmt: &Stmt, purity: &Purity<'_>) -> LoadingEffects {
        if is_directive(stmt) {
            return LoadingEffects::Own;
        }
        let value = match stmt {
            Stmt::Expr(stmt) => match self.exported_whole(&stmt.expr) {
                Some(value) if purity.is_pure(value) => return LoadingEffects::Own,
                _ => Some(&*stmt.expr),
            },
            stmt => declared_value(stmt).map(|(_, value)| value).or_else(|| destructured(stmt).map(|(_, value)| value)),
        };
        let read = value.and_then(|value| value.as_member()).map(|member| &*member.obj);
        if let Some(take) = value.and_then(|value| self.loaded(value).or_else(|| self.loaded(read?))) {
            return LoadingEffects::OfLoaded(take.require);
        }
        let is_harmless = value.is_some_and(is_inherited_helper)
            || attached_to(stmt, purity).is_some()
            // A function in a block is also a variable around it, in sloppy code.
            || (matches!(stmt, Stmt::Decl(_) | Stmt::Expr(_) | Stmt::Empty(_)) && purity.effects(stmt) == Effects::None);
        if is_harmless { LoadingEffects::None } else { LoadingEffects::Some }
    }
}

/// Those who load the module look at its flag by themselves.
fn exported_effects(names: &[Atom], is_pure: bool) -> LoadingEffects {
    match is_pure {
        false => LoadingEffects::Some,
        true if names.iter().any(|name| name == "__esModule") => LoadingEffects::Own,
        true => LoadingEffects::None,
    }
}

/// `name = value` of a declaration with one variable.
fn declared_value(stmt: &Stmt) -> Option<(&Ident, &Expr)> {
    let [declarator] = &stmt.as_decl()?.as_var()?.decls[..] else { return None };
    Some((declarator.name.as_ident()?, declarator.init.as_deref()?))
}

/// `{ a, b: c } = value`: what is read, and of what.
fn destructured(stmt: &Stmt) -> Option<(Vec<Atom>, &Expr)> {
    let [declarator] = &stmt.as_decl()?.as_var()?.decls[..] else { return None };
    let read = |prop: &ObjectPatProp| match prop {
        ObjectPatProp::Assign(prop) if prop.value.is_none() => Some(prop.key.sym.clone()),
        ObjectPatProp::KeyValue(prop) if prop.value.is_ident() => match &prop.key {
            PropName::Ident(name) => Some(name.sym.clone()),
            PropName::Str(name) => Some(text_of(name)),
            _ => None,
        },
        _ => None,
    };
    let names = declarator.name.as_object()?.props.iter().map(read).collect::<Option<_>>()?;
    Some((names, declarator.init.as_deref()?))
}

/// `name`, `tslib.name` or `(0, tslib.name)`
fn is_helper(callee: &Expr, name: &str) -> bool {
    match callee {
        Expr::Ident(ident) => ident.sym == name,
        Expr::Member(member) => member.prop.is_ident_with(name),
        Expr::Seq(seq) => seq.exprs.last().is_some_and(|last| is_helper(last, name)),
        _ => false,
    }
}

/// `this && this.__helper || …`: what compilers put before a module makes functions, and nothing else.
fn is_inherited_helper(value: &Expr) -> bool {
    let Some(either) = value.as_bin().filter(|bin| bin.op == op!("||")) else { return false };
    let own = either.left.as_bin().filter(|bin| bin.op == op!("&&") && bin.left.is_this());
    let helper = own.and_then(|own| own.right.as_member()).filter(|member| member.obj.is_this());
    helper.is_some_and(|helper| helper.prop.as_ident().is_some_and(|name| name.sym.starts_with("__")))
}

#[derive(Default)]
struct Found {
    uses: Vec<Id>,
    reads: Vec<Atom>,
    takes: Vec<Take>,
}

struct Finder<'a> {
    scope: &'a Scope<'a>,
    functions: usize,
    is_open: bool,
    found: Found,
}

impl Finder<'_> {
    /// What a variable is given is not taken before the variable is read.
    fn statement(&mut self, stmt: &Stmt) {
        if let Stmt::Expr(stmt) = stmt
            && self.scope.required(&stmt.expr).is_some()
        {
            return;
        }
        if let Some((name, value)) = declared_value(stmt)
            && let Some(take) = self.scope.modules.get(&name.to_id())
        {
            if take.is_interop {
                self.callee(Some(value));
            }
            return;
        }
        if let Some((names, value)) = destructured(stmt)
            && let Some(require) = self.scope.required(value)
        {
            let take = |name| Take { require, name: Some(name), is_interop: false };
            return self.found.takes.extend(names.into_iter().map(take));
        }
        stmt.visit_with(self);
    }

    fn callee(&mut self, call: Option<&Expr>) {
        if let Some(callee) = call.and_then(|call| call.as_call()?.callee.as_expr()) {
            callee.visit_with(self);
        }
    }

    /// `object.name`, where that is something the module is known to export, or to take.
    fn known_member(&mut self, member: &MemberExpr) -> bool {
        let name = constant_member(&member.prop);
        if self.scope.is_exports(&member.obj) || (self.functions == 0 && member.obj.is_this()) {
            self.is_open &= name.is_some();
            self.found.reads.extend(name);
        } else if let Some(require) = self.scope.required(&member.obj) {
            self.found.takes.push(Take { require, name, is_interop: false });
        } else if let Some((id, take)) = self.module_of(&member.obj) {
            self.found.takes.push(Take { name, ..take });
            self.found.uses.push(id);
        } else {
            return false;
        }
        member.prop.visit_with(self);
        true
    }

    fn module_of(&self, expr: &Expr) -> Option<(Id, Take)> {
        let id = expr.as_ident()?.to_id();
        let take = self.scope.modules.get(&id)?.clone();
        Some((id, take))
    }
}

impl Visit for Finder<'_> {
    fn visit_member_expr(&mut self, member: &MemberExpr) {
        if !self.known_member(member) {
            member.visit_children_with(self);
        }
    }

    fn visit_call_expr(&mut self, call: &CallExpr) {
        if self.scope.requires.contains(&call.span) {
            self.found.takes.push(Take { require: call.span, name: None, is_interop: false });
        } else {
            call.visit_children_with(self);
        }
    }

    /// `this && this.name` only asks for the name.
    fn visit_bin_expr(&mut self, bin: &BinExpr) {
        if bin.op != op!("&&") || !bin.left.is_this() {
            bin.left.visit_with(self);
        }
        bin.right.visit_with(self);
    }

    fn visit_ident(&mut self, ident: &Ident) {
        let id = ident.to_id();
        if ident.ctxt == self.scope.names.wrapper && matches!(&*ident.sym, "exports" | "module") {
            self.is_open = false;
        } else if let Some(take) = self.scope.modules.get(&id) {
            self.found.takes.push(take.clone());
        }
        if self.scope.top_level.contains(&id) {
            self.found.uses.push(id);
        }
    }

    fn visit_this_expr(&mut self, _: &ThisExpr) {
        self.is_open &= self.functions > 0;
    }

    fn visit_with_stmt(&mut self, stmt: &WithStmt) {
        self.is_open = false;
        stmt.visit_children_with(self);
    }

    fn visit_function(&mut self, function: &Function) {
        self.functions += 1;
        function.visit_children_with(self);
        self.functions -= 1;
    }

    fn visit_class(&mut self, class: &Class) {
        class.super_class.visit_with(self);
        self.functions += 1;
        class.body.visit_with(self);
        self.functions -= 1;
    }
}
