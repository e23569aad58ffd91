//! Emits ES modules: those that run with the program side by side in one body, the others in functions of their own.

use std::collections::HashSet;

use swc_core::atoms::Atom;
use swc_core::common::DUMMY_SP;
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::VisitMutWith;

use crate::ast::{
    FunctionKind, array, arrow, call, declare, expr_stmt, fresh_ident, function, function_expr, ident_expr, member,
    number, object, prop_name, string, yield_delegate,
};
use crate::emit::{Code, Emitter, Import};
use crate::emit_lazy::{emit_init, emit_lazy, emit_namespace, emit_registration};
use crate::graph::{ModuleId, Target};
use crate::link::Evaluation;
use crate::rewrite::Rewriter;
use crate::shake::{Source, Taken};
use crate::steps::add_steps;
use crate::virtual_paths::APP;
use crate::{Form, Format};

/// What must be there before any module runs: builtins, namespaces, and the modules that run when asked for.
pub(crate) fn emit_definitions(emitter: &mut Emitter<'_>) -> Vec<Stmt> {
    let mut stmts = emit_builtins(emitter);
    for id in 0..emitter.linked.graph.modules.len() {
        if !emitter.live.modules[id] {
            continue;
        }
        match emitter.linked.evaluation[id] {
            Evaluation::CommonJs => {}
            Evaluation::Eager => stmts.extend(emit_eager_namespace(emitter, id)),
            Evaluation::Wrapped if emitter.form == Form::Resumable => stmts.push(emit_wrapped(emitter, id)),
            Evaluation::Wrapped => stmts.extend(emit_lazy(emitter, id)),
        }
    }
    stmts
}

/// The bodies of the modules that run with the program, in the order in which Node would run them.
pub(crate) fn emit_program_body(emitter: &mut Emitter<'_>) -> Vec<Stmt> {
    let mut stmts = Vec::new();
    let mut loaded = HashSet::new();
    for id in evaluation_order(emitter) {
        match emitter.linked.evaluation[id] {
            Evaluation::CommonJs => stmts.extend(emit_program_import(emitter, id, &mut loaded)),
            Evaluation::Wrapped => {
                stmts.extend(emit_evaluate(emitter, id));
                // What the program takes through its exports has been loaded by it.
                for child in commonjs_behind(emitter, id) {
                    if !emitter.names.taken_by_program(&Source::CommonJs(child)).is_empty() {
                        stmts.extend(emit_program_import(emitter, child, &mut loaded));
                    }
                }
            }
            Evaluation::Eager => {
                if emitter.live.namespaces.contains(&id) {
                    stmts.extend(emit_open_stars(emitter, id));
                }
                stmts.extend(emit_parts(emitter, id));
            }
        }
    }
    stmts
}

fn emit_program_import(emitter: &mut Emitter<'_>, id: ModuleId, loaded: &mut HashSet<ModuleId>) -> Option<Stmt> {
    if !loaded.insert(id) {
        return None;
    }
    let taken = emitter.names.taken_by_program(&Source::CommonJs(id));
    emit_commonjs_import(emitter, id, taken)
}

/// Live modules that run with the program: depth first through static imports, each after what it imports.
/// A wrapped module sees to its own imports.
fn evaluation_order(emitter: &Emitter<'_>) -> Vec<ModuleId> {
    let modules = &emitter.linked.graph.modules;
    let mut order = Vec::new();
    let mut seen = HashSet::from([0]);
    let mut stack = vec![(0, 0)];
    while let Some((id, next)) = stack.pop() {
        let is_wrapped = emitter.live.modules[id] && emitter.linked.evaluation[id] == Evaluation::Wrapped;
        match modules[id].import_targets.get(next).filter(|_| !is_wrapped) {
            Some(target) => {
                stack.push((id, next + 1));
                if let Target::Module(child) = target
                    && seen.insert(*child)
                {
                    stack.push((*child, 0));
                }
            }
            None if emitter.live.modules[id] => order.push(id),
            None => {}
        }
    }
    order
}

/// CommonJS modules that an ES module imports, also through others.
fn commonjs_behind(emitter: &Emitter<'_>, root: ModuleId) -> Vec<ModuleId> {
    let mut found = Vec::new();
    let mut seen = HashSet::from([root]);
    let mut open = vec![root];
    while let Some(id) = open.pop() {
        for target in &emitter.linked.graph.modules[id].import_targets {
            if let Target::Module(child) = target
                && seen.insert(*child)
            {
                open.push(*child);
                if emitter.linked.evaluation[*child] == Evaluation::CommonJs {
                    found.push(*child);
                }
            }
        }
    }
    found.sort_unstable();
    found
}

fn emit_builtins(emitter: &mut Emitter<'_>) -> Vec<Stmt> {
    let mut stmts = Vec::new();
    let mut seen = HashSet::new();
    for value in emitter.live.taken.values().flatten() {
        let Source::Builtin(name) = &value.from else { continue };
        if !seen.insert(name.clone()) {
            continue;
        }
        let taken = emitter.names.taken_by_program(&value.from);
        if emitter.form == Form::Plain(Format::Esm) {
            let imports =
                taken.into_iter().map(|(name_there, local)| Import { source: name.clone(), name: name_there, local });
            emitter.imports.extend(imports);
        } else {
            let load = call(emitter.host_require(), vec![string(name)], DUMMY_SP);
            stmts.push(emit_taken(emitter, load, taken, &value.from));
        }
    }
    stmts.extend(emit_bare_imports(emitter, &seen));
    stmts
}

/// Of an external module nothing may be taken, but what it does.
fn emit_bare_imports(emitter: &mut Emitter<'_>, seen: &HashSet<String>) -> Vec<Stmt> {
    let modules = emitter.linked.graph.modules.iter().enumerate().filter(|(id, _)| emitter.live.modules[*id]);
    let mut names: Vec<String> = Vec::new();
    for target in modules.flat_map(|(_, module)| &module.import_targets) {
        if let Target::Builtin(name) = target
            && emitter.linked.graph.externals.contains(name)
            && !seen.contains(name)
            && !names.contains(name)
        {
            names.push(name.clone());
        }
    }
    if emitter.form == Form::Plain(Format::Esm) {
        emitter.bare_imports = names;
        return Vec::new();
    }
    let mut load = |name: &String| expr_stmt(call(emitter.host_require(), vec![string(name)], DUMMY_SP));
    names.iter().map(&mut load).collect()
}

/// `const whole = load, name = whole.name, all = $interop(whole)`
fn emit_taken(emitter: &mut Emitter<'_>, load: Box<Expr>, taken: Vec<(Option<Atom>, Id)>, from: &Source) -> Stmt {
    let whole =
        taken.iter().find(|(name, _)| name.as_ref().is_some_and(|name| name == "default")).map(|(_, id)| id.clone());
    let whole = whole.unwrap_or_else(|| fresh_ident("exports").to_id());
    let mut declarators = vec![(whole.clone(), Some(load))];
    for (name, id) in taken {
        let value = match name {
            _ if id == whole => continue,
            Some(name) => member(ident_expr(&whole), &name, DUMMY_SP),
            None => {
                let kind = number(usize::from(matches!(from, Source::CommonJs(_))));
                call(ident_expr(&emitter.runtime.need("$interop")), vec![ident_expr(&whole), kind], DUMMY_SP)
            }
        };
        declarators.push((id, Some(value)));
    }
    declare(VarDeclKind::Const, declarators)
}

fn emit_commonjs_import(emitter: &mut Emitter<'_>, id: ModuleId, taken: Vec<(Option<Atom>, Id)>) -> Option<Stmt> {
    let id_number = number(*emitter.names.commonjs_numbers.get(&id)?);
    let load = call(ident_expr(&emitter.runtime.need("$require")), vec![id_number], DUMMY_SP);
    let load = if emitter.form == Form::Resumable { yield_delegate(load) } else { load };
    if taken.is_empty() {
        return Some(expr_stmt(load));
    }
    Some(emit_taken(emitter, load, taken, &Source::CommonJs(id)))
}

/// Evaluates a wrapped module for the program's own body.
pub(crate) fn emit_evaluate(emitter: &mut Emitter<'_>, id: ModuleId) -> Option<Stmt> {
    match emitter.form {
        Form::Resumable => Some(expr_stmt(yield_delegate(evaluation_of(emitter, id)))),
        Form::Plain(_) => emit_init(emitter, id),
    }
}

fn evaluation_of(emitter: &mut Emitter<'_>, id: ModuleId) -> Box<Expr> {
    let id_number = number(emitter.names.esm_numbers.get(&id).copied().unwrap_or_default());
    call(ident_expr(&emitter.runtime.need("$evaluate")), vec![id_number], DUMMY_SP)
}

pub(crate) fn emit_parts(emitter: &mut Emitter<'_>, id: ModuleId) -> Vec<Stmt> {
    let Code::Esm(mut stmts) = std::mem::take(&mut emitter.code[id]) else { return Vec::new() };
    let mut rewriter = Rewriter::new(emitter, id);
    stmts.visit_mut_with(&mut rewriter);
    if emitter.form == Form::Resumable { add_steps(stmts, emitter.steps) } else { stmts }
}

/// `{ name: () => value, … }`
pub(crate) fn emit_getters(emitter: &Emitter<'_>, id: ModuleId) -> Box<Expr> {
    let is_exported = id == 0 && emitter.form != Form::Resumable;
    let all = is_exported || emitter.live.namespaces.contains(&id);
    let exports = emitter.linked.exports_of(id).into_iter();
    let wanted = exports.filter(|(name, _)| all || emitter.live.read_exports.contains(&(id, name.clone())));
    let getters = wanted.map(|(name, binding)| {
        let value = arrow(emitter.names.expression(emitter.linked, id, &binding));
        Prop::KeyValue(KeyValueProp { key: prop_name(&name), value })
    });
    object(getters.collect())
}

fn emit_eager_namespace(emitter: &mut Emitter<'_>, id: ModuleId) -> Vec<Stmt> {
    if emitter.form != Form::Resumable {
        let namespace = emit_namespace(emitter, id);
        return namespace.into_iter().chain(emit_registration(emitter, id)).collect();
    }
    let Some(namespace) = emitter.names.namespaces.get(&id).cloned() else { return Vec::new() };
    let mut args = vec![emit_getters(emitter, id)];
    if !emitter.linked.open_stars(id).is_empty() {
        args.push(number(1));
    }
    let made = call(ident_expr(&emitter.runtime.need("$namespace")), args, DUMMY_SP);
    let mut stmts = vec![declare(VarDeclKind::Const, vec![(namespace.clone(), Some(made))])];
    if let Some(id_number) = emitter.names.esm_numbers.get(&id) {
        let define = ident_expr(&emitter.runtime.need("$defineEager"));
        let path = below_app(&emitter.linked.graph.modules[id].path);
        stmts.push(expr_stmt(call(define, vec![number(*id_number), string(path), ident_expr(&namespace)], DUMMY_SP)));
    }
    stmts
}

fn below_app(path: &str) -> &str {
    path.strip_prefix(APP).unwrap_or(path).trim_start_matches('/')
}

/// Names of CommonJS modules that are exported by `export *` are copied once the modules have run.
pub(crate) fn emit_open_stars(emitter: &mut Emitter<'_>, id: ModuleId) -> Vec<Stmt> {
    let Some(namespace) = emitter.names.namespaces.get(&id).cloned() else { return Vec::new() };
    let mut stmts = Vec::new();
    for target in emitter.linked.open_stars(id) {
        let Some(from) = Source::of(&target) else { continue };
        let value = Taken { from, name: Some("default".into()) };
        if let Some(exports) = emitter.names.taken(emitter.linked, id, &value) {
            let star = ident_expr(&emitter.runtime.need("$star"));
            stmts.push(expr_stmt(call(star, vec![ident_expr(&namespace), ident_expr(exports)], DUMMY_SP)));
        }
    }
    stmts
}

/// `const ns = $define(id, path, links, awaits, function* () { yield [getters, open]; imports; body })`
///
/// The first `yield` ends linking: at that point the module's functions exist, and nothing has run.
fn emit_wrapped(emitter: &mut Emitter<'_>, id: ModuleId) -> Stmt {
    let imports = evaluated_imports(emitter, id);
    let mut linked = vec![emit_getters(emitter, id)];
    if !emitter.linked.open_stars(id).is_empty() {
        linked.push(number(1));
    }
    let first = Expr::Yield(YieldExpr { span: DUMMY_SP, arg: Some(array(linked)), delegate: false });
    let mut body = vec![expr_stmt(Box::new(first))];
    body.extend(emit_wrapped_imports(emitter, id, &imports));
    if emitter.live.namespaces.contains(&id) {
        body.extend(emit_open_stars(emitter, id));
    }
    body.extend(emit_parts(emitter, id));
    let links = imports.iter().filter_map(|id| link_number(emitter, *id)).collect();
    let module = &emitter.linked.graph.modules[id];
    let awaits = match (emitter.linked.awaits[id], module.esm().is_some_and(|body| body.awaits)) {
        (_, true) => 2,
        (true, false) => 1,
        (false, false) => 0,
    };
    let args = vec![
        number(emitter.names.esm_numbers.get(&id).copied().unwrap_or_default()),
        string(below_app(&module.path)),
        array(links),
        number(awaits),
        function_expr(function(FunctionKind::Generator, Vec::new(), body)),
    ];
    let define = call(ident_expr(&emitter.runtime.need("$define")), args, DUMMY_SP);
    match emitter.names.namespaces.get(&id) {
        Some(namespace) => declare(VarDeclKind::Const, vec![(namespace.clone(), Some(define))]),
        None => expr_stmt(define),
    }
}

/// A module that must be linked before; also one that only must run before, as `~number`.
fn link_number(emitter: &Emitter<'_>, id: ModuleId) -> Option<Box<Expr>> {
    match emitter.linked.evaluation[id] {
        Evaluation::Wrapped => emitter.names.esm_numbers.get(&id).map(|id| number(*id)),
        Evaluation::CommonJs => {
            let arg = number(*emitter.names.commonjs_numbers.get(&id)?);
            Some(Box::new(Expr::Unary(UnaryExpr { span: DUMMY_SP, op: op!("~"), arg })))
        }
        Evaluation::Eager => None,
    }
}

/// Imports that are evaluated, in order; what a dropped module would have imported takes its place.
fn evaluated_imports(emitter: &Emitter<'_>, id: ModuleId) -> Vec<ModuleId> {
    let modules = &emitter.linked.graph.modules;
    let mut found = Vec::new();
    let mut seen = HashSet::from([id]);
    let mut open: Vec<&Target> = modules[id].import_targets.iter().rev().collect();
    while let Some(target) = open.pop() {
        let Target::Module(child) = target else { continue };
        if !seen.insert(*child) {
            continue;
        }
        if emitter.live.modules[*child] {
            found.push(*child);
        } else {
            open.extend(modules[*child].import_targets.iter().rev());
        }
    }
    found
}

/// The statements by which a wrapped module imports.
pub(crate) fn emit_import_statements(emitter: &mut Emitter<'_>, id: ModuleId) -> Vec<Stmt> {
    let imports = evaluated_imports(emitter, id);
    emit_wrapped_imports(emitter, id, &imports)
}

fn emit_wrapped_imports(emitter: &mut Emitter<'_>, id: ModuleId, imports: &[ModuleId]) -> Vec<Stmt> {
    let mut stmts = Vec::new();
    // `$evaluate` follows the links.
    let runs_by_itself = emitter.form == Form::Resumable;
    let mut taken_from: Vec<ModuleId> = imports.to_vec();
    for value in emitter.live.taken.get(&id).into_iter().flatten() {
        if let Source::CommonJs(child) = value.from
            && !taken_from.contains(&child)
        {
            taken_from.push(child);
        }
    }
    for child in taken_from {
        match emitter.linked.evaluation[child] {
            Evaluation::CommonJs => {
                let taken = emitter.names.taken_by_wrapped(id, &Source::CommonJs(child));
                if taken.is_empty() && runs_by_itself && imports.contains(&child) {
                    continue;
                }
                stmts.extend(emit_commonjs_import(emitter, child, taken));
            }
            Evaluation::Wrapped if runs_by_itself => {}
            Evaluation::Wrapped => stmts.extend(emit_evaluate(emitter, child)),
            // The program's own modules have run already.
            Evaluation::Eager => {}
        }
    }
    stmts
}
