//! Emits the pieces of the script: runtime, CommonJS modules, ES modules, and the call that starts the entry.

use swc_core::atoms::Atom;
use swc_core::common::{DUMMY_SP, Spanned, SyntaxContext};
use swc_core::ecma::ast::*;

use crate::assemble::EXPORTS;
use crate::ast::{
    FunctionKind, call, directive, expr_stmt, function, ident_expr, ident_of, member, number, yield_delegate,
};
use crate::diagnostics::Diagnostic;
use crate::emit_commonjs::emit_definition;
use crate::emit_esm::{emit_definitions, emit_evaluate, emit_getters, emit_program_body};
use crate::graph::{Body, ModuleId};
use crate::keep_names::SETTER;
use crate::link::{Evaluation, Linked};
use crate::names::{Names, choose_names};
use crate::parse::Sources;
use crate::runtime::{Given, Runtime};
use crate::shake::Live;
use crate::shake_commonjs::keep_needed;
use crate::steps::StepNames;
use crate::suspensions::settle_suspensions;
use crate::{Form, Format, ModuleInfo};

/// The script in pieces, and what is known about it.
pub(crate) struct Emitted {
    pub(crate) pieces: Pieces,
    pub(crate) sources: Sources,
    pub(crate) modules: Vec<ModuleInfo>,
    pub(crate) builtins: Vec<String>,
    pub(crate) warnings: Vec<Diagnostic>,
    pub(crate) entry: String,
    pub(crate) entry_is_module: bool,
}

/// The script before it is put together. Pieces share nothing but the runtime's names and the globals.
pub(crate) struct Pieces {
    /// The context of the runtime's names.
    pub(crate) ctxt: SyntaxContext,
    /// What the engine gives the script, by key.
    pub(crate) given: Vec<Given>,
    /// The runtime's statements. `setter` is among them, or given, but may turn out not to be needed.
    pub(crate) runtime: Vec<Stmt>,
    pub(crate) setter: Id,
    /// The runtime's table of CommonJS modules, or what takes it, and what is in it.
    pub(crate) table: Option<(Id, Vec<Definition>)>,
    /// The program's ES modules.
    pub(crate) strict: Option<Function>,
    /// What starts a program that is not among them.
    pub(crate) start: Vec<Stmt>,
    /// What is imported from outside, by source and name, for the parameters of `strict`, in order; no name is the
    /// namespace.
    pub(crate) imports: Vec<(String, Option<Atom>)>,
    /// What is imported for its effects.
    pub(crate) bare_imports: Vec<String>,
    /// The names for a `require` and for `createRequire`, where an ES module needs them.
    pub(crate) create_require: Option<[Ident; 2]>,
}

/// A CommonJS module.
pub(crate) struct Definition {
    pub(crate) path: String,
    pub(crate) body: Function,
    /// Its body does nothing but export a value, which is written as short as it can be.
    pub(crate) is_value: bool,
    /// The runtime's function that makes a `require` that is more than called.
    pub(crate) make_require: Option<Id>,
}

/// What the emitting functions share.
pub(crate) struct Emitter<'a> {
    pub(crate) linked: &'a Linked,
    pub(crate) live: &'a Live,
    pub(crate) names: &'a Names,
    pub(crate) runtime: Runtime,
    pub(crate) steps: StepNames,
    pub(crate) form: Form,
    /// Whether modules that say that they were ES modules do so by a function that they share.
    pub(crate) shares_es_module: bool,
    /// What is imported from outside by `import` statements.
    pub(crate) imports: Vec<Import>,
    pub(crate) bare_imports: Vec<String>,
    /// By module: its code, taken from where it is emitted.
    pub(crate) code: Vec<Code>,
}

/// A value that is imported from outside.
pub(crate) struct Import {
    pub(crate) source: String,
    pub(crate) name: Option<Atom>,
    pub(crate) local: Id,
}

/// A module's code, owned.
#[derive(Default)]
pub(crate) enum Code {
    #[default]
    Gone,
    CommonJs(Function),
    /// The live parts, in order.
    Esm(Vec<Stmt>),
}

impl Emitter<'_> {
    /// What loads a builtin.
    pub(crate) fn host_require(&mut self) -> Box<Expr> {
        self.runtime.host_require(self.form, self.linked.graph.sources.unresolved_ctxt())
    }
}

/// Emits a linked graph.
pub(crate) fn emit_script(mut linked: Linked, live: &Live, form: Form) -> Emitted {
    let modules = describe_modules(&linked, live);
    let code = take_code(&mut linked, live);
    let names = choose_names(&linked, live, form);
    let runtime = Runtime::parse(&linked.graph.sources, form);
    let steps = StepNames { unresolved: linked.graph.sources.unresolved_ctxt(), runtime: runtime.ctxt() };
    let mut emitter = Emitter {
        linked: &linked,
        live,
        names: &names,
        runtime,
        steps,
        form,
        shares_es_module: form == Form::Resumable || es_module_marks(&linked, live) > 1,
        imports: Vec::new(),
        bare_imports: Vec::new(),
        code,
    };
    let mut definitions = emit_commonjs_table(&mut emitter);
    let (mut strict, mut start) = emit_program(&mut emitter);
    if form == Form::Resumable {
        let body = strict.as_mut().and_then(|function| function.body.as_mut()).map(|body| &mut body.stmts);
        let others = body.into_iter().chain([&mut start]).collect();
        settle_suspensions(&mut definitions, others, &mut emitter.runtime);
    }
    let has_table = !definitions.is_empty() || emitter.runtime.has("$commonjs");
    let table = if form == Form::Resumable { "$provide" } else { "$commonjs" };
    let table = has_table.then(|| (emitter.runtime.need(table), definitions));
    // Whether it is used is only known once names have been changed.
    let setter = emitter.runtime.need(SETTER);
    let mut builtins = live.builtins.clone();
    builtins.extend(emitter.runtime.builtins().into_iter().map(str::to_owned));
    let create_require = emitter.runtime.create_require();
    let bare_imports = std::mem::take(&mut emitter.bare_imports);
    let imports = emitter.imports.into_iter().map(|import| (import.source, import.name)).collect();
    let ctxt = emitter.runtime.ctxt();
    let (given, runtime) = emitter.runtime.into_parts();
    Emitted {
        pieces: Pieces { ctxt, given, runtime, setter, table, strict, start, imports, bare_imports, create_require },
        modules,
        builtins: builtins.into_iter().collect(),
        entry: linked.graph.modules[0].path.clone(),
        entry_is_module: linked.graph.modules[0].esm().is_some(),
        sources: linked.graph.sources,
        warnings: linked.graph.warnings,
    }
}

/// How many modules say that they were ES modules, as far as it is known.
fn es_module_marks(linked: &Linked, live: &Live) -> usize {
    let modules = linked.graph.modules.iter().enumerate().filter(|(id, _)| live.modules[*id]);
    let marks = |(_, module): &(ModuleId, &crate::graph::Module)| {
        module.commonjs().is_some_and(|body| body.parts.exported_by.contains_key(&Atom::from("__esModule")))
    };
    modules.filter(marks).count()
}

fn describe_modules(linked: &Linked, live: &Live) -> Vec<ModuleInfo> {
    let live_modules = linked.graph.modules.iter().enumerate().filter(|(id, _)| live.modules[*id]);
    let describe = |(id, module): (ModuleId, &crate::graph::Module)| {
        let kept = match &module.body {
            Body::CommonJs(body) if !body.parts.are_statements => module.source_bytes,
            Body::CommonJs(body) => {
                let stmts = body.function.body.iter().flat_map(|body| &body.stmts).zip(&live.parts[id]);
                let spans = stmts.filter(|(_, live)| **live).map(|(stmt, _)| stmt.span());
                spans.filter(|span| !span.is_dummy()).map(|span| (span.hi - span.lo).0 as usize).sum()
            }
            Body::Esm(body) => {
                let spans =
                    body.parts.iter().zip(&live.parts[id]).filter(|(_, live)| **live).map(|(part, _)| part.span);
                spans.filter(|span| !span.is_dummy()).map(|span| (span.hi - span.lo).0 as usize).sum()
            }
        };
        ModuleInfo {
            path: module.path.clone(),
            original_bytes: module.source_bytes,
            kept_bytes: kept,
            package: module.package.clone(),
        }
    };
    live_modules.map(describe).collect()
}

fn take_code(linked: &mut Linked, live: &Live) -> Vec<Code> {
    let take = |(id, module): (ModuleId, &mut crate::graph::Module)| match &mut module.body {
        _ if !live.modules[id] => Code::Gone,
        Body::CommonJs(body) => {
            let mut function = std::mem::take(&mut body.function);
            if let Some(code) = function.body.as_mut().filter(|_| body.parts.are_statements) {
                keep_needed(&mut code.stmts, &live.parts[id], &live.wanted[id]);
            }
            Code::CommonJs(function)
        }
        Body::Esm(body) => {
            let parts = body.parts.iter_mut().zip(&live.parts[id]).filter(|(_, live)| **live);
            let empty = || Stmt::Empty(EmptyStmt { span: DUMMY_SP });
            Code::Esm(parts.map(|(part, _)| std::mem::replace(&mut part.stmt, empty())).collect())
        }
    };
    linked.graph.modules.iter_mut().enumerate().map(take).collect()
}

/// The function around the ES modules, and the statement that starts a program that is not one of them.
fn emit_program(emitter: &mut Emitter<'_>) -> (Option<Function>, Vec<Stmt>) {
    let mut strict = emit_definitions(emitter);
    let mut start = Vec::new();
    let kind = match (emitter.form, emitter.linked.evaluation[0]) {
        (Form::Resumable, Evaluation::Eager) => FunctionKind::Generator,
        (Form::Plain(_), _) if emitter.linked.awaits[0] => FunctionKind::Async,
        _ => FunctionKind::Plain,
    };
    match emitter.linked.evaluation[0] {
        Evaluation::Eager => {
            let exports = emit_exports(emitter);
            // An ES module's exports are written last, as those of CommonJS have to be there first.
            let is_last = emitter.form == Form::Plain(Format::Esm);
            let (first, last) = if is_last { (None, exports) } else { (exports, None) };
            strict.extend(first);
            strict.extend(emit_program_body(emitter));
            strict.extend(last);
        }
        Evaluation::CommonJs => start.push(start_commonjs(emitter)),
        Evaluation::Wrapped if emitter.form == Form::Resumable => start.extend(emit_evaluate(emitter, 0)),
        Evaluation::Wrapped => strict.extend(emit_evaluate(emitter, 0)),
    }
    let strict = (!strict.is_empty()).then(|| strict_function(kind, emitter, strict));
    (strict, start)
}

fn start_commonjs(emitter: &mut Emitter<'_>) -> Stmt {
    let id = number(emitter.names.commonjs_numbers.get(&0).copied().unwrap_or_default());
    let mut run = |name: &str| call(ident_expr(&emitter.runtime.need(name)), vec![id.clone()], DUMMY_SP);
    match emitter.form {
        Form::Resumable => expr_stmt(yield_delegate(run("$startCommonJs"))),
        Form::Plain(_) => {
            let unresolved = emitter.linked.graph.sources.unresolved_ctxt();
            let target = member(ident_expr(&("module".into(), unresolved)), "exports", DUMMY_SP);
            let left = target.member().map(SimpleAssignTarget::Member);
            let left =
                left.unwrap_or_else(|| SimpleAssignTarget::Ident(ident_of(&("_".into(), unresolved), DUMMY_SP).into()));
            let right = run("$require");
            expr_stmt(Box::new(Expr::Assign(AssignExpr { span: DUMMY_SP, op: op!("="), left: left.into(), right })))
        }
    }
}

/// What the entry gives to those who load the program.
fn emit_exports(emitter: &mut Emitter<'_>) -> Option<Stmt> {
    let Form::Plain(format) = emitter.form else { return None };
    if emitter.linked.exports_of(0).is_empty() {
        return None;
    }
    let getters = emit_getters(emitter, 0);
    let unresolved = emitter.linked.graph.sources.unresolved_ctxt();
    Some(expr_stmt(match format {
        Format::Esm => call(ident_expr(&(EXPORTS.into(), unresolved)), vec![getters], DUMMY_SP),
        Format::CommonJs => {
            let exports = ident_expr(&("exports".into(), unresolved));
            call(ident_expr(&emitter.runtime.need("$export")), vec![exports, getters], DUMMY_SP)
        }
    }))
}

/// By the modules' numbers.
fn emit_commonjs_table(emitter: &mut Emitter<'_>) -> Vec<Definition> {
    let mut modules: Vec<(usize, ModuleId)> =
        emitter.names.commonjs_numbers.iter().map(|(module, number)| (*number, *module)).collect();
    modules.sort_unstable();
    modules.into_iter().map(|(_, module)| emit_definition(emitter, module)).collect()
}

/// ES modules are strict code, and their `this` is undefined.
fn strict_function(kind: FunctionKind, emitter: &Emitter<'_>, body: Vec<Stmt>) -> Function {
    let mut stmts = vec![directive("use strict")];
    stmts.extend(body);
    let params = emitter.imports.iter().map(|import| ident_of(&import.local, DUMMY_SP)).collect();
    function(kind, params, stmts)
}
