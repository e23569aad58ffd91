//! Puts the finished pieces of a script together: as an expression for the engine, or as a program for Node.

use swc_core::atoms::Atom;
use swc_core::common::{DUMMY_SP, SyntaxContext};
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{Visit, VisitWith};

use crate::ast::{
    FunctionKind, array, call, declare, directive, expr_stmt, function, function_expr, ident_expr, ident_of, member,
    meta_property, string, take_last_call, text_of, yield_delegate,
};
use crate::emit::{Definition, Pieces};
use crate::emit_commonjs::is_directive;
use crate::print::placeholder;
use crate::runtime::Given;
use crate::{Form, Format};

/// What `export { … }` is written as until the end: a call with getters by name.
pub(crate) const EXPORTS: &str = "$exports";

/// A script whose value is the generator function that runs the app.
pub(crate) fn assemble_resumable(mut pieces: Pieces, directives: &Directives) -> Program {
    let is_strict = directives.is_flat;
    if is_strict {
        pieces.strict.iter_mut().for_each(drop_directives);
    }
    let mut stmts = Vec::new();
    if let Some((provide, definitions)) = pieces.table.take() {
        let packed = pack_paths(definitions.iter().map(|definition| &*definition.path));
        let args = vec![table_of(&definitions, directives.shared), string(&packed)];
        stmts.push(expr_stmt(call(ident_expr(&provide), args, DUMMY_SP)));
    }
    if is_strict {
        stmts.extend(pieces.strict.and_then(|function| function.body).into_iter().flat_map(|body| body.stmts));
    } else if let Some(function) = pieces.strict {
        let is_generator = function.is_generator;
        let run = call(parenthesized(function_expr(function)), Vec::new(), DUMMY_SP);
        stmts.push(expr_stmt(if is_generator { yield_delegate(run) } else { run }));
    }
    stmts.extend(pieces.start);
    let mut main = function(FunctionKind::Generator, Vec::new(), stmts);
    main.params.extend(given_param(pieces.given));
    let main = function_expr(main);
    // A function with such a parameter cannot say so itself.
    let mut body: Vec<Stmt> = is_strict.then(|| directive("use strict")).into_iter().collect();
    body.push(expr_stmt(parenthesized(main)));
    Program::Script(Script { span: DUMMY_SP, body, shebang: None })
}

/// `{r, b: a}`
fn given_param(given: Vec<Given>) -> Option<Param> {
    if given.is_empty() {
        return None;
    }
    let prop = |(key, local): Given| {
        let value = ident_of(&local, DUMMY_SP);
        if key == local.0 {
            return ObjectPatProp::Assign(AssignPatProp { span: DUMMY_SP, key: value.into(), value: None });
        }
        let key = PropName::Ident(IdentName::new(key, DUMMY_SP));
        ObjectPatProp::KeyValue(KeyValuePatProp { key, value: Box::new(Pat::Ident(value.into())) })
    };
    let props = given.into_iter().map(prop).collect();
    Some(Param::from(Pat::Object(ObjectPat { span: DUMMY_SP, props, optional: false, type_ann: None })))
}

/// A CommonJS module or an ES module.
pub(crate) fn assemble_plain(mut pieces: Pieces, directives: &Directives, format: Format) -> Program {
    let is_strict = directives.is_flat;
    fill_table(&mut pieces, directives.shared);
    let mut items: Vec<ModuleItem> = Vec::new();
    if is_strict && format == Format::CommonJs {
        items.push(ModuleItem::Stmt(directive("use strict")));
    }
    if let Some([require, create]) = &pieces.create_require {
        items.push(import("module", &[(Some("createRequire".into()), create.clone())]));
        let made = call(ident_expr(&create.to_id()), vec![meta_property("url")], DUMMY_SP);
        items.push(ModuleItem::Stmt(declare(VarDeclKind::Const, vec![(require.to_id(), Some(made))])));
    }
    items.extend(pieces.bare_imports.iter().map(|source| import(source, &[])));
    let mut exports = Vec::new();
    let mut strict = Vec::new();
    if let Some(mut function) = pieces.strict {
        items.extend(imports(&pieces.imports, &function.params));
        if is_strict {
            drop_directives(&mut function);
            strict = function.body.map(|body| body.stmts).unwrap_or_default();
            exports = take_exports(&mut strict);
        } else {
            strict.push(expr_stmt(call(parenthesized(function_expr(function)), Vec::new(), DUMMY_SP)));
        }
    }
    let stmts = pieces.runtime.into_iter().chain(strict).chain(pieces.start);
    items.extend(stmts.map(|stmt| start_item(stmt, format)));
    items.extend(exports);
    Program::Module(Module { span: DUMMY_SP, body: items, shebang: None })
}

/// Which code is strict by what is around it.
pub(crate) struct Directives {
    /// Everything is, and the ES modules need no function around them.
    pub(crate) is_flat: bool,
    /// So many of the CommonJS modules, from the first, have one directive around them all.
    shared: usize,
}

impl Directives {
    /// Of pieces that are not finished.
    pub(crate) fn of(pieces: &Pieces, form: Form) -> Self {
        let definitions = pieces.table.as_ref().map_or(&[][..], |(_, definitions)| definitions);
        let may_be_strict = pieces.strict.is_some() && definitions.iter().all(Definition::may_be_strict);
        let is_flat = form == Form::Plain(Format::Esm) || may_be_strict;
        Self { is_flat, shared: if is_flat { 0 } else { shared_directive(definitions) } }
    }

    /// Whether the CommonJS module of this number needs none of its own.
    pub(crate) fn covers(&self, number: usize) -> bool {
        self.is_flat || number < self.shared
    }
}

impl Definition {
    fn may_be_strict(&self) -> bool {
        self.is_value || is_strict(&self.body)
    }
}

pub(crate) fn is_strict(function: &Function) -> bool {
    let stmts = function.body.iter().flat_map(|body| &body.stmts);
    let mut directives = stmts.take_while(|stmt| is_directive(stmt));
    directives.any(|stmt| {
        matches!(stmt, Stmt::Expr(stmt) if matches!(&*stmt.expr, Expr::Lit(Lit::Str(text)) if text_of(text) == "use strict"))
    })
}

pub(crate) fn drop_directives(function: &mut Function) {
    if let Some(body) = &mut function.body {
        let count = body.stmts.iter().take_while(|stmt| is_directive(stmt)).count();
        body.stmts.drain(..count);
    }
}

/// Each path as the number of folders that it shares with the one before, and the rest; capital letters stand for `.js`.
fn pack_paths<'a>(paths: impl Iterator<Item = &'a str>) -> String {
    let mut packed = Vec::new();
    let mut before: Vec<&str> = Vec::new();
    for path in paths {
        let names: Vec<&str> = path.split('/').collect();
        let shared = names.iter().zip(&before).take_while(|(a, b)| a == b).count().min(names.len() - 1).min(25);
        let rest = names[shared..].join("/");
        packed.push(match rest.strip_suffix(".js").filter(|rest| !rest.is_empty() && !rest.ends_with('/')) {
            Some(rest) => format!("{}{rest}", letter(b'A'..=b'Z', shared)),
            None => format!("{}{rest}", letter(b'a'..=b'z', shared)),
        });
        before = names;
    }
    packed.join("//")
}

fn letter(mut letters: std::ops::RangeInclusive<u8>, index: usize) -> char {
    letters.nth(index).map(char::from).unwrap_or_default()
}

/// The table is empty in the runtime.
fn fill_table(pieces: &mut Pieces, shared: usize) {
    let Some((table, definitions)) = pieces.table.take() else { return };
    let mut filled = Some(table_of(&definitions, shared));
    let declarations = pieces.runtime.iter_mut().filter_map(|stmt| stmt.as_mut_decl()?.as_mut_var());
    for declarator in declarations.flat_map(|var| &mut var.decls) {
        if declarator.name.as_ident().is_some_and(|name| name.sym == table.0) {
            declarator.init = filled.take();
        }
    }
}

fn table_of(definitions: &[Definition], shared: usize) -> Box<Expr> {
    let mut listed: Vec<Box<Expr>> = definitions.iter().enumerate().map(define).collect();
    if shared == 0 {
        return array(listed);
    }
    let others = listed.split_off(shared);
    let result = Stmt::Return(ReturnStmt { span: DUMMY_SP, arg: Some(array(listed)) });
    let inner = function_expr(function(FunctionKind::Plain, Vec::new(), vec![directive("use strict"), result]));
    let made = call(parenthesized(inner), Vec::new(), DUMMY_SP);
    if others.is_empty() { made } else { call(member(made, "concat", DUMMY_SP), vec![array(others)], DUMMY_SP) }
}

/// How many strict modules, which come first, have one directive around them all, where that is shorter.
fn shared_directive(definitions: &[Definition]) -> usize {
    const AROUND: &str = "(function(){return}()).concat([])";
    const DIRECTIVE: &str = "\"use strict\";";
    let strict = definitions.iter().take_while(|definition| definition.may_be_strict()).count();
    let directives = definitions[..strict].iter().filter(|definition| is_strict(&definition.body)).count();
    if directives.saturating_sub(1) * DIRECTIVE.len() < AROUND.len() { 0 } else { strict }
}

/// `function* (exports, require, module) { … }`, or `[function* …, $makeRequire]`, whose function is printed by itself.
fn define((number, definition): (usize, &Definition)) -> Box<Expr> {
    match &definition.make_require {
        Some(make) => array(vec![placeholder(number), ident_expr(make)]),
        None => placeholder(number),
    }
}

/// What stands in the table for a CommonJS module.
pub(crate) fn module_function(body: Function) -> Box<Expr> {
    if body.is_generator { function_expr(body) } else { plain_function(body) }
}

/// An arrow function is shorter, where its `this` is not used.
fn plain_function(function: Function) -> Box<Expr> {
    let Function { params, body, span, .. } = function;
    let body = body.unwrap_or_else(|| FunctionBody { span: DUMMY_SP, stmts: Vec::new() });
    let mut finder = ThisFinder { found: false };
    body.visit_with(&mut finder);
    if finder.found {
        let whole = Function { params, body: Some(body), span, ..Function::default() };
        return function_expr(whole);
    }
    Box::new(Expr::Arrow(ArrowExpr {
        span,
        ctxt: SyntaxContext::empty(),
        params: params.into_iter().map(|param| param.pat).collect(),
        body: Box::new(ArrowFunctionBody::FunctionBody(body)),
        is_async: false,
        is_generator: false,
        type_params: None,
        return_type: None,
    }))
}

struct ThisFinder {
    found: bool,
}

impl Visit for ThisFinder {
    fn visit_this_expr(&mut self, _: &ThisExpr) {
        self.found = true;
    }

    fn visit_ident(&mut self, ident: &Ident) {
        self.found |= ident.sym == "arguments" || ident.sym == "eval";
    }

    fn visit_function(&mut self, _: &Function) {}

    fn visit_constructor(&mut self, _: &Constructor) {}
}

/// A function at the beginning of a statement would be a declaration.
fn parenthesized(expr: Box<Expr>) -> Box<Expr> {
    Box::new(Expr::Paren(ParenExpr { span: DUMMY_SP, expr }))
}

/// What is imported, and its name here.
type Import = (Option<Atom>, Ident);

/// Imports as they were asked for, by the names that the function's parameters have now.
fn imports(wanted: &[(String, Option<Atom>)], params: &[Param]) -> Vec<ModuleItem> {
    let mut by_source: Vec<(&String, Vec<Import>)> = Vec::new();
    let mut params = params.iter().filter_map(|param| param.pat.as_ident());
    for (source, name) in wanted {
        if by_source.last().is_none_or(|(last, _)| *last != source) {
            by_source.push((source, Vec::new()));
        }
        if let (Some(param), Some((_, names))) = (params.next(), by_source.last_mut()) {
            names.push((name.clone(), param.id.clone()));
        }
    }
    let mut items = Vec::new();
    for (source, names) in by_source {
        let (namespaces, mut names): (Vec<_>, Vec<_>) = names.into_iter().partition(|(name, _)| name.is_none());
        // The default comes first.
        names.sort_by_key(|(name, _)| name.as_ref().is_some_and(|name| name != "default"));
        items.extend(namespaces.into_iter().map(|namespace| import(source, &[namespace])));
        if !names.is_empty() {
            items.push(import(source, &names));
        }
    }
    items
}

/// No name is the namespace. An import without any names is for its effects.
fn import(source: &str, names: &[Import]) -> ModuleItem {
    let specifier = |(name, local): &Import| match name {
        None => ImportSpecifier::Namespace(ImportStarAsSpecifier { span: DUMMY_SP, local: local.clone() }),
        Some(name) if name == "default" => {
            ImportSpecifier::Default(ImportDefaultSpecifier { span: DUMMY_SP, local: local.clone() })
        }
        Some(name) => ImportSpecifier::Named(ImportNamedSpecifier {
            span: DUMMY_SP,
            local: local.clone(),
            imported: (*name != local.sym).then(|| module_name(name)),
            is_type_only: false,
        }),
    };
    ModuleItem::ModuleDecl(ModuleDecl::Import(ImportDecl {
        span: DUMMY_SP,
        specifiers: names.iter().map(specifier).collect(),
        src: Box::new(Str { span: DUMMY_SP, value: source.into(), raw: None }),
        type_only: false,
        with: None,
        phase: ImportPhase::Evaluation,
    }))
}

fn module_name(name: &Atom) -> ModuleExportName {
    if Ident::verify_symbol(name).is_ok() || name == "default" {
        ModuleExportName::Ident(Ident::new_no_ctxt(name.clone(), DUMMY_SP))
    } else {
        ModuleExportName::Str(Str { span: DUMMY_SP, value: name.clone().into(), raw: None })
    }
}

/// `$exports({ name: () => local })` → `export { local as name }`
fn take_exports(stmts: &mut Vec<Stmt>) -> Vec<ModuleItem> {
    let Some(getters) = take_last_call(stmts, EXPORTS).and_then(|value| exported_getters(&value)) else {
        return Vec::new();
    };
    let mut specifiers = Vec::new();
    let mut items = Vec::new();
    for (number, (name, value)) in getters.into_iter().enumerate() {
        let local = match *value {
            Expr::Ident(local) => local,
            // The minifier has put the value in place of a binding that nothing else uses.
            value => {
                let local = Ident::new_no_ctxt(format!("$export{number}").into(), DUMMY_SP);
                stmts.push(declare(VarDeclKind::Const, vec![(local.to_id(), Some(Box::new(value)))]));
                local
            }
        };
        let exported = (name != local.sym).then(|| module_name(&name));
        let orig = ModuleExportName::Ident(local);
        specifiers.push(ExportSpecifier::Named(ExportNamedSpecifier {
            span: DUMMY_SP,
            orig,
            exported,
            is_type_only: false,
        }));
    }
    if !specifiers.is_empty() {
        let export = NamedExport { span: DUMMY_SP, specifiers, src: None, type_only: false, with: None };
        items.push(ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(export)));
    }
    items
}

fn exported_getters(value: &Expr) -> Option<Vec<(Atom, Box<Expr>)>> {
    value.as_object()?.props.iter().map(|prop| exported_getter(prop.as_prop()?)).collect()
}

fn exported_getter(prop: &Prop) -> Option<(Atom, Box<Expr>)> {
    let pair = prop.as_key_value()?;
    let name = match &pair.key {
        PropName::Ident(name) => name.sym.clone(),
        PropName::Str(text) => text_of(text),
        _ => return None,
    };
    match &*pair.value.as_arrow()?.body {
        ArrowFunctionBody::Expr(value) => Some((name, value.clone())),
        ArrowFunctionBody::FunctionBody(_) => None,
    }
}

/// In an ES module, `module.exports = value` is a default export.
fn start_item(stmt: Stmt, format: Format) -> ModuleItem {
    let exported = || {
        let assign = stmt.as_expr()?.expr.as_assign()?;
        let target = assign.left.as_simple()?.as_member()?;
        let is_module = target.obj.is_ident_ref_to("module") && target.prop.is_ident_with("exports");
        (is_module && format == Format::Esm).then(|| assign.right.clone())
    };
    match exported() {
        Some(expr) => ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultExpr(ExportDefaultExpr { span: DUMMY_SP, expr })),
        None => ModuleItem::Stmt(stmt),
    }
}
