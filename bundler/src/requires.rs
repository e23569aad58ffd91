//! Finds in a piece of code what it asks for: modules by `require` and `import()`, files, and Node's module scope.

use std::collections::BTreeSet;
use std::rc::Rc;

use swc_core::common::{Span, SyntaxContext};
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{Visit, VisitWith};

use crate::known_text::{KnownNames, KnownText, known_text};

/// How code asks for another module at run time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DependencyKind {
    Require,
    RequireResolve,
    DynamicImport,
}

/// What it means for the program that a module asked for is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Failure {
    /// It cannot start.
    Fatal,
    /// It fails when it comes to this place, which it may never do.
    Late,
    /// It reckons with that: `try`, or `catch` of the promise.
    Handled,
}

/// One `require('x')`, `require.resolve('x')` or `import('x')` with a constant specifier.
#[derive(Debug, Clone)]
pub(crate) struct Dependency {
    pub(crate) kind: DependencyKind,
    pub(crate) specifier: String,
    /// Of the whole call: the key by which the call is found again when it is rewritten.
    pub(crate) span: Span,
    pub(crate) failure: Failure,
}

/// One `require('./x/' + name)` or `import()` like it: any file that fits may be meant.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    pub(crate) kind: DependencyKind,
    pub(crate) prefix: String,
    pub(crate) suffix: String,
    pub(crate) span: Span,
}

/// What a piece of code asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Requests {
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) patterns: Vec<Pattern>,
    /// Files and folders named by paths from the module's own place, relative to its folder.
    pub(crate) files: Vec<String>,
    /// Calls of `require` and `import` whose specifier is only known at run time.
    pub(crate) unknown_specifiers: Vec<Span>,
    /// `createRequire(import.meta.url)`
    pub(crate) created_requires: Vec<Span>,
    /// The wrapper's parameters that the code mentions, besides in calls that are rewritten.
    pub(crate) params: BTreeSet<&'static str>,
    pub(crate) mentions_arguments: bool,
    /// `module` is handed on, or its `require` is called.
    pub(crate) hands_on_module: bool,
    pub(crate) calls_eval: bool,
    pub(crate) awaits_at_top: bool,
    /// `yield` is an ordinary name in sloppy code, but not in a generator.
    pub(crate) names_yield: bool,
}

impl Requests {
    /// Takes in what another piece of the same module asks for.
    pub(crate) fn add(&mut self, other: Self) {
        self.dependencies.extend(other.dependencies);
        self.patterns.extend(other.patterns);
        self.files.extend(other.files);
        self.unknown_specifiers.extend(other.unknown_specifiers);
        self.created_requires.extend(other.created_requires);
        self.params.extend(other.params);
        self.mentions_arguments |= other.mentions_arguments;
        self.hands_on_module |= other.hands_on_module;
        self.calls_eval |= other.calls_eval;
        self.awaits_at_top |= other.awaits_at_top;
        self.names_yield |= other.names_yield;
    }

    /// Whether the code may come to hold any module, whatever it is called.
    pub(crate) fn may_ask_for_any(&self) -> bool {
        self.calls_eval
            || self.mentions_arguments
            || self.hands_on_module
            || self.params.contains("require")
            || !(self.unknown_specifiers.is_empty() && self.created_requires.is_empty())
    }
}

/// What identifies the names that matter in one module.
#[derive(Debug, Clone)]
pub(crate) struct ModuleNames {
    /// The bindings that act as `require`: the wrapper's parameter, or what `createRequire` returned.
    pub(crate) requires: Vec<Id>,
    /// The context of the wrapper's parameters; the unresolved one in ESM.
    pub(crate) wrapper: SyntaxContext,
    /// Local names of `createRequire` imported from `module`.
    pub(crate) create_requires: Vec<Id>,
    /// What variables are known to hold.
    pub(crate) texts: Rc<KnownNames>,
}

/// Collects the requests of `node`.
pub(crate) fn find_requests<N: VisitWith<RequestFinder>>(node: &N, names: &ModuleNames) -> Requests {
    let mut finder =
        RequestFinder { names: names.clone(), found: Requests::default(), functions: 0, arrows: 0, tries: 0, paths: 0 };
    node.visit_with(&mut finder);
    finder.found
}

pub(crate) struct RequestFinder {
    names: ModuleNames,
    found: Requests,
    functions: usize,
    arrows: usize,
    tries: usize,
    /// How many calls that make a path, or use one as a specifier, are around the code.
    paths: usize,
}

impl RequestFinder {
    fn failure(&self) -> Failure {
        match (self.tries, self.functions + self.arrows) {
            (1.., _) => Failure::Handled,
            (0, 1..) => Failure::Late,
            (0, 0) => Failure::Fatal,
        }
    }

    fn text(&self, expr: &Expr) -> KnownText {
        known_text(expr, &self.names.texts)
    }

    fn is_require(&self, expr: &Expr) -> bool {
        expr.as_ident()
            .is_some_and(|ident| self.names.requires.iter().any(|(sym, ctxt)| *sym == ident.sym && *ctxt == ident.ctxt))
    }

    fn add(&mut self, kind: DependencyKind, specifier: String, span: Span) {
        // Asking where a module is may well fail, and a failing `import()` is a rejected promise.
        let mildest = if kind == DependencyKind::Require { Failure::Fatal } else { Failure::Late };
        let failure = self.failure().max(mildest);
        self.found.dependencies.push(Dependency { kind, specifier, span, failure });
    }

    /// Handles a call whose meaning the bundler knows; false if it is like any other.
    fn known_call(&mut self, call: &CallExpr) -> bool {
        let Some(kind) = self.kind_of(call) else { return false };
        let text = call.args.first().filter(|arg| arg.spread.is_none()).map(|arg| self.text(&arg.expr));
        let specifier = text.as_ref().and_then(KnownText::specifier);
        match (specifier, text.and_then(|text| text.pattern())) {
            (Some(specifier), _) if kind != DependencyKind::RequireResolve || call.args.len() == 1 => {
                self.add(kind, specifier, call.span);
                // Import attributes and surplus arguments are looked at, not dropped.
                call.args.iter().skip(1).for_each(|arg| arg.visit_with(self));
                return true;
            }
            (_, Some((prefix, suffix))) if kind != DependencyKind::RequireResolve => {
                self.found.patterns.push(Pattern { kind, prefix, suffix, span: call.span });
            }
            _ if self.tries == 0 => self.found.unknown_specifiers.push(call.span),
            _ => {}
        }
        self.paths += 1;
        call.visit_children_with(self);
        self.paths -= 1;
        true
    }

    fn only_asks_for_module(&mut self, expr: &Expr) -> bool {
        let is_module = expr.as_ident().is_some_and(|it| it.sym == "module" && it.ctxt == self.names.wrapper);
        if is_module {
            self.found.params.insert("module");
        }
        is_module
    }

    fn kind_of(&self, call: &CallExpr) -> Option<DependencyKind> {
        match &call.callee {
            Callee::Import(_) => Some(DependencyKind::DynamicImport),
            Callee::Expr(callee) if self.is_require(callee) || self.is_module_require(callee) => {
                Some(DependencyKind::Require)
            }
            Callee::Expr(callee) if self.is_require_resolve(callee) => Some(DependencyKind::RequireResolve),
            // `createRequire(import.meta.url)('x')`
            Callee::Expr(callee) => {
                callee.as_call().is_some_and(|inner| self.is_created_require(inner)).then_some(DependencyKind::Require)
            }
            Callee::Super(_) => None,
        }
    }

    /// `module.require`
    fn is_module_require(&self, callee: &Expr) -> bool {
        let Some(member) = callee.as_member() else { return false };
        let is_module =
            member.obj.as_ident().is_some_and(|ident| ident.sym == "module" && ident.ctxt == self.names.wrapper);
        is_module && !self.names.requires.is_empty() && member.prop.is_ident_with("require")
    }

    fn is_require_resolve(&self, callee: &Expr) -> bool {
        let Some(member) = callee.as_member() else { return false };
        self.is_require(&member.obj) && member.prop.is_ident_with("resolve")
    }

    fn is_created_require(&self, call: &CallExpr) -> bool {
        let Some(callee) = call.callee.as_expr() else { return false };
        let is_create = match &**callee {
            Expr::Ident(ident) => self.names.create_requires.contains(&ident.to_id()),
            Expr::Member(member) => member.prop.is_ident_with("createRequire"),
            _ => false,
        };
        is_create && call.args.len() == 1 && self.text(&call.args[0].expr).is_own_file()
    }

    /// Notes the file that a path from the module's own place means, and looks into the path for anything else.
    fn path(&mut self, expr: &Expr) -> bool {
        let text = if self.paths == 0 { self.text(expr).own_path() } else { None };
        let is_path = text.is_some();
        self.found.files.extend(text);
        is_path
    }
}

/// `import('x').catch(…)`, and `.then(…, …)`: what cannot be loaded is reckoned with.
fn catches_import(call: &CallExpr) -> bool {
    let Some(member) = call.callee.as_expr().and_then(|callee| callee.as_member()) else { return false };
    let catches = member.prop.is_ident_with("catch") || (member.prop.is_ident_with("then") && call.args.len() == 2);
    let mut promise = &member.obj;
    while let Some(inner) = promise.as_call() {
        match &inner.callee {
            Callee::Import(_) => return catches,
            Callee::Expr(callee) => match callee.as_member() {
                Some(member) => promise = &member.obj,
                None => return false,
            },
            Callee::Super(_) => return false,
        }
    }
    false
}

impl Visit for RequestFinder {
    fn visit_call_expr(&mut self, call: &CallExpr) {
        if let Callee::Expr(callee) = &call.callee
            && callee.is_ident_ref_to("eval")
        {
            self.found.calls_eval = true;
        }
        if self.is_created_require(call) {
            self.found.created_requires.push(call.span);
        }
        let catches = usize::from(catches_import(call));
        self.tries += catches;
        if !self.known_call(call) {
            call.visit_children_with(self);
        }
        self.tries -= catches;
    }

    fn visit_expr(&mut self, expr: &Expr) {
        let is_path =
            usize::from(matches!(expr, Expr::Call(_) | Expr::New(_) | Expr::Bin(_) | Expr::Tpl(_)) && self.path(expr));
        self.paths += is_path;
        expr.visit_children_with(self);
        self.paths -= is_path;
    }

    fn visit_member_expr(&mut self, member: &MemberExpr) {
        let is_module = |ident: &Ident| ident.sym == "module" && ident.ctxt == self.names.wrapper;
        let is_plain = member.prop.is_ident() && !member.prop.is_ident_with("require");
        if is_plain && member.obj.as_ident().is_some_and(is_module) {
            self.found.params.insert("module");
        } else {
            member.visit_children_with(self);
        }
    }

    /// `typeof module` and `module && …` do not hand it on.
    fn visit_unary_expr(&mut self, unary: &UnaryExpr) {
        if !(matches!(unary.op, op!("typeof") | op!("!")) && self.only_asks_for_module(&unary.arg)) {
            unary.arg.visit_with(self);
        }
    }

    fn visit_bin_expr(&mut self, bin: &BinExpr) {
        if !(bin.op == op!("&&") && self.only_asks_for_module(&bin.left)) {
            bin.left.visit_with(self);
        }
        bin.right.visit_with(self);
    }

    fn visit_ident(&mut self, ident: &Ident) {
        self.found.hands_on_module |= ident.sym == "module" && ident.ctxt == self.names.wrapper;
        if ident.ctxt == self.names.wrapper
            && let Some(param) = crate::parse::WRAPPER_PARAMS.iter().find(|param| ident.sym == **param)
        {
            self.found.params.insert(param);
        }
        self.found.mentions_arguments |= ident.sym == "arguments" && self.functions == 0;
        self.found.names_yield |= ident.sym == "yield";
    }

    fn visit_await_expr(&mut self, awaited: &AwaitExpr) {
        self.found.awaits_at_top |= self.functions + self.arrows == 0;
        awaited.visit_children_with(self);
    }

    fn visit_for_of_stmt(&mut self, stmt: &ForOfStmt) {
        self.found.awaits_at_top |= stmt.is_await && self.functions + self.arrows == 0;
        stmt.visit_children_with(self);
    }

    fn visit_try_stmt(&mut self, stmt: &TryStmt) {
        self.tries += usize::from(stmt.handler.is_some());
        stmt.block.visit_with(self);
        self.tries -= usize::from(stmt.handler.is_some());
        stmt.handler.visit_with(self);
        stmt.finalizer.visit_with(self);
    }

    fn visit_function(&mut self, function: &Function) {
        self.functions += 1;
        function.visit_children_with(self);
        self.functions -= 1;
    }

    fn visit_constructor(&mut self, constructor: &Constructor) {
        self.functions += 1;
        constructor.visit_children_with(self);
        self.functions -= 1;
    }

    fn visit_arrow_expr(&mut self, arrow: &ArrowExpr) {
        self.arrows += 1;
        arrow.visit_children_with(self);
        self.arrows -= 1;
    }
}
