//! Finds in a piece of code what it asks for: modules by `require` and `import()`, files, and Node's module scope.

use std::collections::BTreeSet;

use swc_core::common::{Span, SyntaxContext};
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{Visit, VisitWith};

use crate::ast::text_of;

/// How code asks for another module at run time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DependencyKind {
    Require,
    RequireResolve,
    DynamicImport,
}

/// One `require('x')`, `require.resolve('x')` or `import('x')` with a constant specifier.
#[derive(Debug, Clone)]
pub(crate) struct Dependency {
    pub(crate) kind: DependencyKind,
    pub(crate) specifier: String,
    /// Of the whole call: the key by which the call is found again when it is rewritten.
    pub(crate) span: Span,
    /// In `try` or in a function: a failure may be expected, or never met.
    pub(crate) guarded: bool,
}

/// A path made from the module's own folder: `path.join(__dirname, 'a', 'b')`.
#[derive(Debug, Clone)]
pub(crate) struct FileReference {
    pub(crate) parts: Vec<String>,
}

/// What a piece of code asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Requests {
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) files: Vec<FileReference>,
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

/// What identifies the names that matter in one module.
#[derive(Debug, Clone)]
pub(crate) struct ModuleNames {
    /// The bindings that act as `require`: the wrapper's parameter, or what `createRequire` returned.
    pub(crate) requires: Vec<Id>,
    /// The context of the wrapper's parameters; the unresolved one in ESM.
    pub(crate) wrapper: SyntaxContext,
    /// Local names of `createRequire` imported from `module`.
    pub(crate) create_requires: Vec<Id>,
}

/// Collects the requests of `node`.
pub(crate) fn find_requests<N: VisitWith<RequestFinder>>(node: &N, names: &ModuleNames) -> Requests {
    let mut finder =
        RequestFinder { names: names.clone(), found: Requests::default(), functions: 0, arrows: 0, tries: 0 };
    node.visit_with(&mut finder);
    finder.found
}

pub(crate) struct RequestFinder {
    names: ModuleNames,
    found: Requests,
    functions: usize,
    arrows: usize,
    tries: usize,
}

impl RequestFinder {
    fn is_guarded(&self) -> bool {
        self.functions + self.arrows + self.tries > 0
    }

    fn is_require(&self, expr: &Expr) -> bool {
        expr.as_ident()
            .is_some_and(|ident| self.names.requires.iter().any(|(sym, ctxt)| *sym == ident.sym && *ctxt == ident.ctxt))
    }

    fn add(&mut self, kind: DependencyKind, specifier: String, span: Span) {
        let guarded = self.is_guarded();
        self.found.dependencies.push(Dependency { kind, specifier, span, guarded });
    }

    /// Handles a call whose meaning the bundler knows; false if it is like any other.
    fn known_call(&mut self, call: &CallExpr) -> bool {
        let specifier = call.args.first().filter(|arg| arg.spread.is_none()).and_then(|arg| constant_text(&arg.expr));
        let (kind, is_known) = match &call.callee {
            Callee::Import(_) => (DependencyKind::DynamicImport, true),
            Callee::Expr(callee) if self.is_require(callee) => (DependencyKind::Require, true),
            Callee::Expr(callee) => (DependencyKind::RequireResolve, self.is_require_resolve(callee)),
            Callee::Super(_) => (DependencyKind::Require, false),
        };
        if !is_known {
            return false;
        }
        match specifier {
            Some(specifier) if kind != DependencyKind::RequireResolve || call.args.len() == 1 => {
                self.add(kind, specifier, call.span);
                // Import attributes and surplus arguments are looked at, not dropped.
                call.args.iter().skip(1).for_each(|arg| arg.visit_with(self));
                true
            }
            _ => {
                self.found.unknown_specifiers.push(call.span);
                false
            }
        }
    }

    fn is_require_resolve(&self, callee: &Expr) -> bool {
        let Some(member) = callee.as_member() else { return false };
        self.is_require(&member.obj) && member.prop.is_ident_with("resolve")
    }

    fn created_require(&mut self, call: &CallExpr) {
        let Some(callee) = call.callee.as_expr() else { return };
        let is_create = match &**callee {
            Expr::Ident(ident) => self.names.create_requires.contains(&ident.to_id()),
            Expr::Member(member) => member.prop.is_ident_with("createRequire"),
            _ => false,
        };
        if is_create && call.args.len() == 1 && is_own_location(&call.args[0].expr) {
            self.found.created_requires.push(call.span);
        }
    }

    fn file_reference(&mut self, call: &CallExpr) {
        let Some(callee) = call.callee.as_expr() else { return };
        let joins = match &**callee {
            Expr::Member(member) => member.prop.is_ident_with("join") || member.prop.is_ident_with("resolve"),
            Expr::Ident(ident) => matches!(&*ident.sym, "join" | "resolve"),
            _ => false,
        };
        if !joins || !call.args.first().is_some_and(|arg| is_own_folder(&arg.expr)) {
            return;
        }
        let parts: Option<Vec<_>> = call.args[1..].iter().map(|arg| constant_text(&arg.expr)).collect();
        if let Some(parts) = parts.filter(|parts| !parts.is_empty()) {
            self.found.files.push(FileReference { parts });
        }
    }
}

/// A string, or a template without holes.
pub(crate) fn constant_text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Lit(Lit::Str(text)) => Some(text_of(text).to_string()),
        Expr::Tpl(template) if template.exprs.is_empty() => {
            let cooked = template.quasis.first()?.cooked.as_ref()?;
            Some(cooked.to_string_lossy().into_owned())
        }
        _ => None,
    }
}

/// `__dirname`, also where ESM has made its own, and `import.meta.dirname`.
fn is_own_folder(expr: &Expr) -> bool {
    match expr {
        Expr::Ident(ident) => ident.sym == "__dirname",
        Expr::Member(member) => is_import_meta(&member.obj) && member.prop.is_ident_with("dirname"),
        _ => false,
    }
}

/// `import.meta.url` or `__filename`: where `createRequire` makes the module's own `require`.
fn is_own_location(expr: &Expr) -> bool {
    match expr {
        Expr::Ident(ident) => ident.sym == "__filename",
        Expr::Member(member) => {
            is_import_meta(&member.obj) && (member.prop.is_ident_with("url") || member.prop.is_ident_with("filename"))
        }
        _ => false,
    }
}

pub(crate) fn is_import_meta(expr: &Expr) -> bool {
    matches!(expr, Expr::MetaProp(MetaPropExpr { kind: MetaPropKind::ImportMeta, .. }))
}

impl Visit for RequestFinder {
    fn visit_call_expr(&mut self, call: &CallExpr) {
        if let Callee::Expr(callee) = &call.callee
            && callee.is_ident_ref_to("eval")
        {
            self.found.calls_eval = true;
        }
        self.created_require(call);
        self.file_reference(call);
        if !self.known_call(call) {
            call.visit_children_with(self);
        }
    }

    fn visit_new_expr(&mut self, new: &NewExpr) {
        let args = new.args.as_deref().unwrap_or_default();
        if new.callee.is_ident_ref_to("URL")
            && let [first, second] = args
            && is_own_location(&second.expr)
            && let Some(path) = constant_text(&first.expr)
            && !path.contains("://")
        {
            self.found.files.push(FileReference { parts: vec![path] });
        }
        new.visit_children_with(self);
    }

    fn visit_bin_expr(&mut self, bin: &BinExpr) {
        if bin.op == op!(bin, "+")
            && is_own_folder(&bin.left)
            && let Some(path) = constant_text(&bin.right)
        {
            self.found.files.push(FileReference { parts: vec![path.trim_start_matches('/').to_owned()] });
        }
        bin.visit_children_with(self);
    }

    fn visit_tpl(&mut self, template: &Tpl) {
        if let ([folder], [before, after]) = (&template.exprs[..], &template.quasis[..])
            && is_own_folder(folder)
            && before.raw.is_empty()
            && after.raw.starts_with('/')
        {
            let parts = vec![after.raw.trim_start_matches('/').to_owned()];
            self.found.files.push(FileReference { parts });
        }
        template.visit_children_with(self);
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
