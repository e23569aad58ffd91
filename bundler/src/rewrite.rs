//! Rewrites a module's code for its place in the script: imports, `require`, `import.meta`, top-level `await`.
#![allow(clippy::vec_box, reason = "swc's syntax boxes expressions, so they are passed on boxed")]

use std::collections::HashMap;

use swc_core::common::{DUMMY_SP, Span, SyntaxContext};
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{VisitMut, VisitMutWith};

use crate::ast::{
    arrow, call, declare, defined_property, expr_stmt, fresh_ident, ident_expr, member, number, string, undefined,
    yield_await, yield_delegate,
};
use crate::emit::Emitter;
use crate::graph::{ModuleId, Target};
use crate::known_text::is_import_meta;
use crate::link::{Evaluation, Linked};
use crate::names::Names;
use crate::runtime::Runtime;
use crate::scan::{EsModule, WrapperNames, constant_member, member_path};
use crate::shake::member_of_import;
use crate::virtual_paths::APP;
use crate::{Form, Format};

/// What a variable called `yield` is called in a generator, where that is a keyword.
const YIELD: &str = "$yield$";

/// The runtime's function for `import()` of an ES module.
/// What `$interop` knows a JSON module by.
const JSON_KIND: usize = 2;

const IMPORT_ESM: &str = "$importEsm";

/// What that function does, where it would be called only once.
fn import_once(init: Box<Expr>, namespace: Box<Expr>, unresolved: SyntaxContext, span: Span) -> Box<Expr> {
    let promise = ident_expr(&("Promise".into(), unresolved));
    let resolved = call(member(promise, "resolve", DUMMY_SP), Vec::new(), span);
    let run = call(member(resolved, "then", DUMMY_SP), vec![init], DUMMY_SP);
    call(member(run, "then", DUMMY_SP), vec![arrow(namespace)], DUMMY_SP)
}

fn marks_es_module(expr: &CallExpr, unresolved: SyntaxContext) -> bool {
    let value = |descriptor: &ObjectLit| match &descriptor.props[..] {
        [PropOrSpread::Prop(prop)] => {
            let pair = prop.as_key_value().filter(|pair| pair.key.as_ident().is_some_and(|key| key.sym == "value"));
            pair.is_some_and(|pair| matches!(&*pair.value, Expr::Lit(Lit::Bool(Bool { value: true, .. }))))
        }
        _ => false,
    };
    defined_property(expr, unresolved)
        .is_some_and(|(_, name, descriptor)| name == "__esModule" && descriptor.as_object().is_some_and(value))
}

/// Rewrites pieces of one module.
pub(crate) struct Rewriter<'a> {
    pub(crate) linked: &'a Linked,
    pub(crate) names: &'a Names,
    pub(crate) runtime: &'a mut Runtime,
    form: Form,
    pub(crate) module: ModuleId,
    /// How many functions are around the code: only outside of all of them can the program be suspended.
    depth: usize,
    /// Those of them that have a `this` of their own.
    functions: usize,
    imports: HashMap<Id, Box<Expr>>,
    rename_yield: bool,
    shares_es_module: bool,
}

impl<'a> Rewriter<'a> {
    pub(crate) fn new(emitter: &'a mut Emitter<'_>, module: ModuleId) -> Self {
        let Emitter { linked, names, runtime, form, shares_es_module, .. } = emitter;
        let (linked, names, form, shares_es_module) = (*linked, *names, *form, *shares_es_module);
        let rename_yield = linked.graph.modules[module].commonjs().is_some_and(|body| body.requests.names_yield);
        let imports = HashMap::new();
        Self { linked, names, runtime, form, module, depth: 0, functions: 0, imports, rename_yield, shares_es_module }
    }

    fn esm(&self) -> Option<&'a EsModule> {
        self.linked.graph.modules[self.module].esm()
    }

    /// Whether the code is an ES module in a generator function, which waits by `yield`.
    fn yields(&self) -> bool {
        self.esm().is_some() && self.form == Form::Resumable
    }

    /// Asks an ES module of a plain program by `function`, or by `by_number` where its names are not seen.
    fn ask_esm(&mut self, [function, by_number]: [&str; 2], id: ModuleId, span: Span) -> Box<Expr> {
        if let Some(number_of) = self.names.esm_numbers.get(&id).filter(|_| self.esm().is_none()) {
            return self.run(by_number, vec![number(*number_of)], span);
        }
        let name = |id: Option<&Id>| id.map_or_else(|| number(0), ident_expr);
        let [init, namespace] = [self.names.inits.get(&id), self.names.namespaces.get(&id)].map(name);
        if function == IMPORT_ESM && self.names.dynamic_imports == 1 {
            return import_once(init, namespace, self.linked.graph.sources.unresolved_ctxt(), span);
        }
        self.run(function, vec![init, namespace], span)
    }

    fn host_require(&mut self) -> Box<Expr> {
        self.runtime.host_require(self.form, self.linked.graph.sources.unresolved_ctxt())
    }

    fn path(&self) -> &'a str {
        &self.linked.graph.modules[self.module].path
    }

    fn run(&mut self, function: &str, args: Vec<Box<Expr>>, span: Span) -> Box<Expr> {
        call(ident_expr(&self.runtime.need(function)), args, span)
    }

    fn imported(&mut self, id: &Id) -> Option<Box<Expr>> {
        if let Some(known) = self.imports.get(id) {
            return Some(known.clone());
        }
        let binding = self.esm()?.bindings.get(id)?;
        let resolved = self.linked.resolve_import(self.module, binding);
        let expr = self.names.expression(self.linked, self.module, &resolved);
        self.imports.insert(id.clone(), expr.clone());
        Some(expr)
    }

    /// `import.name.name`, as far as it is read from namespaces.
    fn namespace_member(&self, expr: &MemberExpr) -> Option<Box<Expr>> {
        let (id, path) = member_path(expr)?;
        let binding = self.esm()?.bindings.get(&id)?;
        let (found, read) = member_of_import(self.linked, self.module, binding, &path);
        (read == path.len()).then(|| self.names.expression(self.linked, self.module, &found))
    }

    fn meta_member(&self, expr: &MemberExpr) -> Option<Box<Expr>> {
        if !is_import_meta(&expr.obj) {
            return None;
        }
        let path = self.path();
        let name = constant_member(&expr.prop)?;
        let unresolved = self.linked.graph.sources.unresolved_ctxt();
        let own = |name: &str| Some(ident_expr(&(name.into(), unresolved)));
        match (self.form, &*name) {
            (Form::Plain(Format::CommonJs), "filename") => return own("__filename"),
            (Form::Plain(Format::CommonJs), "dirname") => return own("__dirname"),
            (Form::Plain(_), "url" | "filename" | "dirname") => return None,
            _ => {}
        }
        Some(match &*name {
            "url" => {
                let query = &self.linked.graph.modules[self.module].query;
                string(&format!("file://{}{query}", percent_encoded(path)))
            }
            "filename" => string(path),
            "dirname" => string(path.rsplit_once('/').map_or(APP, |(folder, _)| folder)),
            "main" => Box::new(Expr::Lit(Lit::Bool(Bool { span: DUMMY_SP, value: self.module == 0 }))),
            _ => return None,
        })
    }

    fn meta(&mut self) -> Option<Box<Expr>> {
        if self.form == Form::Plain(Format::Esm) {
            return None;
        }
        let main = Box::new(Expr::Lit(Lit::Bool(Bool { span: DUMMY_SP, value: self.module == 0 })));
        Some(self.run("$meta", vec![string(self.path()), main], DUMMY_SP))
    }

    fn is_wrapper_name(&self, ident: &Ident) -> bool {
        let known = self.esm().is_some_and(|body| body.wrapper == WrapperNames::Known);
        // In a CommonJS module it means what it says.
        self.form != Form::Plain(Format::CommonJs) && known && ident.ctxt == self.linked.graph.sources.unresolved_ctxt()
    }

    /// In TypeScript that was written to be compiled to CommonJS.
    fn wrapper_value(&mut self, name: &str) -> Option<Box<Expr>> {
        let path = self.path();
        Some(match name {
            "__filename" => string(path),
            "__dirname" => string(path.rsplit_once('/').map_or(APP, |(folder, _)| folder)),
            "require" => self.run("$makeRequire", vec![string(path)], DUMMY_SP),
            _ => return None,
        })
    }

    /// A call of `require`, `import` or `createRequire`; `None` if it is any other.
    fn module_call(&mut self, expr: &mut CallExpr) -> Option<Box<Expr>> {
        let linked = self.linked;
        let target = linked.graph.modules[self.module].targets.get(&expr.span);
        let is_import = expr.callee.is_import();
        match (target, is_import) {
            (Some(Target::Builtin(_)), true) | (None, true) if self.form != Form::Resumable => None,
            (Some(target), true) => Some(self.dynamic_import(target, expr)),
            (Some(target), false) if is_resolve(&expr.callee) => Some(self.require_resolve(target, expr)),
            (Some(target), false) => Some(self.require(target, expr.span)),
            (None, true) => {
                let specifier = expr.args.first_mut().map_or_else(undefined, |arg| {
                    arg.expr.visit_mut_with(self);
                    arg.expr.clone()
                });
                Some(self.run("$importFrom", vec![string(self.path()), specifier], expr.span))
            }
            (None, false) => self.is_created_require(expr.span).then(|| {
                if self.form != Form::Resumable {
                    return self.host_require();
                }
                let path = string(self.path());
                self.run("$makeRequire", vec![path], expr.span)
            }),
        }
    }

    /// `Object.defineProperty(exports, "__esModule", { value: true })`
    fn es_module_mark(&mut self, expr: &mut CallExpr) -> Option<Box<Expr>> {
        if !self.shares_es_module || !marks_es_module(expr, self.linked.graph.sources.unresolved_ctxt()) {
            return None;
        }
        let exports = &mut expr.args.first_mut()?.expr;
        exports.visit_mut_with(self);
        let exports = exports.clone();
        Some(self.run("$esModule", vec![exports], expr.span))
    }

    fn is_created_require(&self, span: Span) -> bool {
        !span.is_dummy()
            && self
                .esm()
                .is_some_and(|body| body.parts.iter().any(|part| part.requests.created_requires.contains(&span)))
    }

    fn require(&mut self, target: &Target, span: Span) -> Box<Expr> {
        match target {
            Target::Builtin(name) => call(self.host_require(), vec![string(name)], span),
            Target::File(_, path) => string(path),
            Target::Missing(message) => self.run("$fail", vec![string(message), string(self.path())], span),
            Target::Module(id)
                if self.form != Form::Resumable && self.linked.evaluation[*id] != Evaluation::CommonJs =>
            {
                self.ask_esm(["$requireEsm", "$requireEsmNow"], *id, span)
            }
            Target::Module(id) => {
                let (number_of, stepwise, at_once) = match self.linked.evaluation[*id] {
                    Evaluation::CommonJs if self.form != Form::Resumable => {
                        (&self.names.commonjs_numbers, "$require", "$require")
                    }
                    Evaluation::CommonJs => (&self.names.commonjs_numbers, "$require", "$requireNow"),
                    _ => (&self.names.esm_numbers, "$requireEsm", "$requireEsmNow"),
                };
                let id = number(number_of.get(id).copied().unwrap_or_default());
                if self.depth == 0 && self.form == Form::Resumable {
                    yield_delegate(self.run(stepwise, vec![id], span))
                } else {
                    self.run(at_once, vec![id], span)
                }
            }
        }
    }

    fn require_resolve(&mut self, target: &Target, expr: &CallExpr) -> Box<Expr> {
        if self.form != Form::Resumable {
            let resolve = member(self.host_require(), "resolve", DUMMY_SP);
            return call(resolve, expr.args.iter().map(|arg| arg.expr.clone()).collect(), expr.span);
        }
        match target {
            Target::Module(id) => string(&self.linked.graph.modules[*id].path),
            Target::File(_, path) => string(path),
            // As it was written, with or without `node:`.
            Target::Builtin(name) => expr.args.first().map_or_else(|| string(name), |arg| arg.expr.clone()),
            Target::Missing(message) => self.run("$fail", vec![string(message), string(self.path())], expr.span),
        }
    }

    fn dynamic_import(&mut self, target: &Target, expr: &CallExpr) -> Box<Expr> {
        let span = expr.span;
        match target {
            Target::Builtin(name) => self.run("$importBuiltin", vec![string(name)], span),
            Target::File(_, path) => string(path),
            Target::Missing(message) => self.run("$failImport", vec![string(message), string(self.path())], span),
            Target::Module(id) => match (self.names.commonjs_numbers.get(id), self.names.esm_numbers.get(id)) {
                (Some(number_there), _) => {
                    let is_json = self.linked.graph.modules[*id].commonjs().is_some_and(|body| body.is_json);
                    // Without the attribute Node refuses it, and other bundlers give its keys, too.
                    let kind = (is_json && expr.args.len() > 1).then(|| number(JSON_KIND));
                    let args = std::iter::once(number(*number_there)).chain(kind).collect();
                    self.run("$importCommonJs", args, span)
                }
                (None, _) if self.form != Form::Resumable => self.ask_esm([IMPORT_ESM, "$importEsmNow"], *id, span),
                (None, id) => self.run("$importEsm", vec![number(id.copied().unwrap_or_default())], span),
            },
        }
    }

    fn within_arrow(&mut self, visit: impl FnOnce(&mut Self)) {
        self.depth += 1;
        visit(self);
        self.depth -= 1;
    }

    fn within_function(&mut self, visit: impl FnOnce(&mut Self)) {
        self.functions += 1;
        self.within_arrow(visit);
        self.functions -= 1;
    }

    /// A wrapped module's export is a property of its namespace, which must not become `this`.
    fn call_without_this(&mut self, callee: &mut Box<Expr>) {
        let Some(replacement) = callee.as_ident().and_then(|ident| self.imported(&ident.to_id())) else {
            return callee.visit_mut_with(self);
        };
        *callee = if replacement.is_member() {
            Box::new(Expr::Seq(SeqExpr { span: DUMMY_SP, exprs: vec![number(0), replacement] }))
        } else {
            replacement
        };
    }

    /// ```js
    /// { let it = $asyncIterator(right), step, done = true;
    ///   try { for (; !(step = yield {await: it.next()}).done; done = true) { done = false; left = step.value; body } }
    ///   finally { if (!done && it.return) yield {await: it.return()} } }
    /// ```
    fn lower_for_await(&mut self, stmt: ForOfStmt, label: Option<Ident>) -> Stmt {
        let [iterator, step, done] = ["it", "step", "done"].map(|name| fresh_ident(name).to_id());
        let start = self.run("$asyncIterator", vec![stmt.right], stmt.span);
        let next = yield_await(call(member(ident_expr(&iterator), "next", DUMMY_SP), Vec::new(), DUMMY_SP), DUMMY_SP);
        let advanced = member(assign_expr(&step, next), "done", DUMMY_SP);
        let value = member(ident_expr(&step), "value", DUMMY_SP);
        let bind = match stmt.left {
            ForHead::VarDecl(mut var) => {
                if let Some(decl) = var.decls.first_mut() {
                    decl.init = Some(value);
                }
                Stmt::Decl(Decl::Var(var))
            }
            ForHead::UsingDecl(mut using) => {
                if let Some(decl) = using.decls.first_mut() {
                    decl.init = Some(value);
                }
                Stmt::Decl(Decl::Using(using))
            }
            ForHead::Pat(pat) => expr_stmt(Box::new(Expr::Assign(AssignExpr {
                span: DUMMY_SP,
                op: op!("="),
                left: AssignTarget::try_from(*pat)
                    .unwrap_or_else(|_| SimpleAssignTarget::Ident(fresh_ident("_").into()).into()),
                right: value,
            }))),
        };
        let body = block(vec![expr_stmt(assign_expr(&done, boolean(Truth::False))), bind, *stmt.body]);
        let mut looped = Stmt::For(ForStmt {
            span: stmt.span,
            init: None,
            test: Some(not(advanced)),
            update: Some(assign_expr(&done, boolean(Truth::True))),
            body: Box::new(Stmt::Block(body)),
        });
        if let Some(label) = label {
            looped = Stmt::Labeled(LabeledStmt { span: DUMMY_SP, label, body: Box::new(looped) });
        }
        let close = member(ident_expr(&iterator), "return", DUMMY_SP);
        let unfinished = Box::new(Expr::Bin(BinExpr {
            span: DUMMY_SP,
            op: op!("&&"),
            left: not(ident_expr(&done)),
            right: close.clone(),
        }));
        let closing = expr_stmt(yield_await(call(close, Vec::new(), DUMMY_SP), DUMMY_SP));
        let cleanup = Stmt::If(IfStmt { span: DUMMY_SP, test: unfinished, cons: Box::new(closing), alt: None });
        let guarded = Stmt::Try(Box::new(TryStmt {
            span: DUMMY_SP,
            block: block(vec![looped]),
            handler: None,
            finalizer: Some(block(vec![cleanup])),
        }));
        let head =
            declare(VarDeclKind::Let, vec![(iterator, Some(start)), (step, None), (done, Some(boolean(Truth::True)))]);
        Stmt::Block(block(vec![head, guarded]))
    }
}

/// `require.resolve`, and not `module.require`.
fn is_resolve(callee: &Callee) -> bool {
    let member = callee.as_expr().and_then(|callee| callee.as_member());
    member.is_some_and(|member| member.prop.is_ident_with("resolve"))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Truth {
    True,
    False,
}

fn boolean(value: Truth) -> Box<Expr> {
    Box::new(Expr::Lit(Lit::Bool(Bool { span: DUMMY_SP, value: value == Truth::True })))
}

fn not(arg: Box<Expr>) -> Box<Expr> {
    Box::new(Expr::Unary(UnaryExpr { span: DUMMY_SP, op: op!("!"), arg }))
}

fn assign_expr(id: &Id, right: Box<Expr>) -> Box<Expr> {
    let target = SimpleAssignTarget::Ident(crate::ast::ident_of(id, DUMMY_SP).into());
    Box::new(Expr::Assign(AssignExpr { span: DUMMY_SP, op: op!("="), left: target.into(), right }))
}

fn block(stmts: Vec<Stmt>) -> BlockStmt {
    BlockStmt { span: DUMMY_SP, ctxt: SyntaxContext::empty(), stmts }
}

/// As `url.pathToFileURL` writes a path.
fn percent_encoded(path: &str) -> String {
    let mut url = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.!~*'();:@&=+$,".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    url
}

impl VisitMut for Rewriter<'_> {
    /// `delete ns.name` is about the namespace, not about what the name stands for.
    fn visit_mut_unary_expr(&mut self, unary: &mut UnaryExpr) {
        match &mut *unary.arg {
            Expr::Member(member) if unary.op == op!("delete") => member.visit_mut_children_with(self),
            arg => arg.visit_mut_with(self),
        }
    }

    fn visit_mut_update_expr(&mut self, update: &mut UpdateExpr) {
        match &mut *update.arg {
            Expr::Member(member) => member.visit_mut_children_with(self),
            arg => arg.visit_mut_with(self),
        }
    }

    fn visit_mut_expr(&mut self, expr: &mut Expr) {
        let replacement = match expr {
            Expr::Ident(ident) if self.is_wrapper_name(ident) => self.wrapper_value(&ident.sym),
            Expr::Ident(ident) => self.imported(&ident.to_id()).map(|mut replacement| {
                // Stack traces and maps point at the place of use.
                if let Expr::Ident(replacement) = &mut *replacement {
                    replacement.span = ident.span;
                }
                replacement
            }),
            Expr::Member(member) => self.namespace_member(member).or_else(|| self.meta_member(member)),
            Expr::MetaProp(MetaPropExpr { kind: MetaPropKind::ImportMeta, .. }) => self.meta(),
            Expr::Call(call) => self.module_call(call).or_else(|| self.es_module_mark(call)),
            Expr::This(_) if self.functions == 0 && self.esm().is_some() => Some(undefined()),
            Expr::Await(awaited) if self.depth == 0 && self.yields() => {
                awaited.arg.visit_mut_with(self);
                Some(yield_await(awaited.arg.clone(), awaited.span))
            }
            _ => None,
        };
        match replacement {
            Some(replacement) => *expr = *replacement,
            None => expr.visit_mut_children_with(self),
        }
    }

    fn visit_mut_callee(&mut self, callee: &mut Callee) {
        match callee {
            Callee::Expr(callee) => self.call_without_this(callee),
            _ => callee.visit_mut_children_with(self),
        }
    }

    fn visit_mut_tagged_tpl(&mut self, tagged: &mut TaggedTpl) {
        self.call_without_this(&mut tagged.tag);
        tagged.tpl.visit_mut_with(self);
    }

    fn visit_mut_stmt(&mut self, stmt: &mut Stmt) {
        stmt.visit_mut_children_with(self);
        if self.depth > 0 || !self.yields() {
            return;
        }
        let lowered = match stmt {
            Stmt::ForOf(for_of) if for_of.is_await => self.lower_for_await(for_of.clone(), None),
            // The loop inside has just become a block.
            Stmt::Labeled(labeled) => match relabel(labeled) {
                Some(relabeled) => relabeled,
                None => return,
            },
            _ => return,
        };
        *stmt = lowered;
    }

    fn visit_mut_prop(&mut self, prop: &mut Prop) {
        let Prop::Shorthand(ident) = prop else { return prop.visit_mut_children_with(self) };
        let renamed = self.rename_yield && ident.sym == "yield";
        let value = if renamed {
            let mut value = ident.clone();
            value.visit_mut_with(self);
            Some(Box::new(Expr::Ident(value)))
        } else {
            self.imported(&ident.to_id())
        };
        if let Some(value) = value {
            let key = PropName::Ident(IdentName::new(ident.sym.clone(), ident.span));
            *prop = Prop::KeyValue(KeyValueProp { key, value });
        }
    }

    fn visit_mut_object_pat_prop(&mut self, prop: &mut ObjectPatProp) {
        if let ObjectPatProp::Assign(assign) = prop
            && self.rename_yield
            && assign.key.sym == "yield"
        {
            let key = PropName::Ident(IdentName::new("yield".into(), assign.span));
            let left = Pat::Ident(assign.key.clone());
            let value = match assign.value.take() {
                Some(right) => Pat::Assign(AssignPat { span: assign.span, left: Box::new(left), right }),
                None => left,
            };
            *prop = ObjectPatProp::KeyValue(KeyValuePatProp { key, value: Box::new(value) });
        }
        prop.visit_mut_children_with(self);
    }

    fn visit_mut_ident(&mut self, ident: &mut Ident) {
        if self.rename_yield && ident.sym == "yield" {
            ident.sym = YIELD.into();
        }
    }

    fn visit_mut_function(&mut self, function: &mut Function) {
        self.within_function(|rewriter| function.visit_mut_children_with(rewriter));
    }

    fn visit_mut_arrow_expr(&mut self, arrow: &mut ArrowExpr) {
        self.within_arrow(|rewriter| arrow.visit_mut_children_with(rewriter));
    }

    fn visit_mut_constructor(&mut self, constructor: &mut Constructor) {
        self.within_function(|rewriter| constructor.visit_mut_children_with(rewriter));
    }

    fn visit_mut_static_block(&mut self, block: &mut StaticBlock) {
        self.within_function(|rewriter| block.visit_mut_children_with(rewriter));
    }

    fn visit_mut_class_prop(&mut self, prop: &mut ClassProp) {
        prop.key.visit_mut_with(self);
        self.within_function(|rewriter| prop.value.visit_mut_with(rewriter));
    }

    fn visit_mut_private_prop(&mut self, prop: &mut PrivateProp) {
        self.within_function(|rewriter| prop.value.visit_mut_with(rewriter));
    }
}

/// Moves a label from a lowered `for await` to the loop in it.
fn relabel(labeled: &mut LabeledStmt) -> Option<Stmt> {
    let Stmt::Block(outer) = &mut *labeled.body else { return None };
    let [Stmt::Decl(Decl::Var(head)), Stmt::Try(guarded)] = &mut outer.stmts[..] else { return None };
    if !head.span.is_dummy() || guarded.block.stmts.len() != 1 {
        return None;
    }
    let looped = guarded.block.stmts.pop()?;
    let relabeled = LabeledStmt { span: labeled.span, label: labeled.label.clone(), body: Box::new(looped) };
    guarded.block.stmts.push(Stmt::Labeled(relabeled));
    Some(*labeled.body.clone())
}
