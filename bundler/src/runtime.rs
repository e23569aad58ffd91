//! Chooses from `runtime.js` what a bundle needs, under names that clash with nothing.

use std::collections::{BTreeSet, HashMap};

use swc_core::atoms::Atom;
use swc_core::common::sync::Lrc;
use swc_core::common::{DUMMY_SP, FileName, Mark, SyntaxContext};
use swc_core::ecma::ast::*;
use swc_core::ecma::parser::{EsSyntax, Syntax, parse_file_as_script};
use swc_core::ecma::transforms::base::fixer::paren_remover;
use swc_core::ecma::transforms::base::resolver;
use swc_core::ecma::visit::{Visit, VisitWith};

use crate::ast::{FunctionKind, function, guarded, ident_expr, unguarded};
use crate::parse::Sources;
use crate::{Form, Format};

/// The runtime's statements, and which of them a bundle has asked for so far.
pub(crate) struct Runtime {
    env: Ident,
    statements: Vec<Stmt>,
    declared_by: HashMap<Id, Vec<usize>>,
    ctxt: SyntaxContext,
    needed: BTreeSet<usize>,
    builtin_is_missing: bool,
}

/// How ES modules that await are evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Awaiting {
    /// No module that is evaluated when asked for awaits.
    Never,
    /// As the specification has it: modules that do not need each other run side by side.
    SideBySide,
}

impl Runtime {
    pub(crate) fn parse(sources: &Sources, form: Form, awaiting: Awaiting) -> Self {
        let (env, mut body) = read(sources, "edgepack:runtime", include_str!("runtime.js"));
        if let Form::Plain(format) = form {
            let (_, mut others) = read(sources, "edgepack:runtime-plain", include_str!("runtime_plain.js"));
            if format == Format::Esm {
                others.retain(|stmt| !names(stmt).contains(&Atom::from("$builtin")));
                body.retain(|stmt| !names(stmt).contains(&Atom::from("$builtin")));
            }
            let replaced: Vec<Atom> = others.iter().flat_map(names).collect();
            body.retain(|stmt| !names(stmt).iter().any(|name| replaced.contains(name)));
            body.extend(others);
        }
        // In an ES module it is declared with its imports. As a parameter it is a name of the runtime like others.
        let mut params = vec![env];
        if form == Form::Plain(Format::Esm) {
            params.push(Ident::new_no_ctxt("$builtin".into(), DUMMY_SP));
        }
        let whole = guarded(function(FunctionKind::Plain, params, body), sources.unresolved);
        let program =
            whole.apply(&mut resolver(sources.unresolved, Mark::new(), false)).apply(&mut paren_remover(None));
        let function = unguarded(program);
        let env = function.params.first().and_then(|param| param.pat.as_ident()).map(|name| name.id.clone());
        let env = env.unwrap_or_else(|| unreachable!("runtime.js takes $env"));
        let mut statements: Vec<Stmt> = function.body.map(|body| body.stmts).unwrap_or_default();
        if awaiting == Awaiting::SideBySide {
            replace_evaluate(&mut statements);
        }
        let mut declared_by: HashMap<Id, Vec<usize>> = HashMap::new();
        for (index, stmt) in statements.iter().enumerate() {
            for id in declared(stmt) {
                declared_by.entry(id).or_default().push(index);
            }
        }
        Self { ctxt: env.ctxt, env, statements, declared_by, needed: BTreeSet::new(), builtin_is_missing: false }
    }

    /// What loads builtins: the script's own `require` where it has one.
    pub(crate) fn host_require(&mut self, form: Form, unresolved: SyntaxContext) -> Box<Expr> {
        match form {
            Form::Plain(Format::CommonJs) => ident_expr(&("require".into(), unresolved)),
            _ => ident_expr(&self.need("$builtin")),
        }
    }

    /// What an ES module has to declare to load builtins, and the name for Node's `createRequire`.
    pub(crate) fn create_require(&self) -> Option<[Ident; 2]> {
        let ident = |name: &str| Ident::new(name.into(), DUMMY_SP, self.ctxt);
        self.builtin_is_missing.then(|| [ident("$builtin"), ident("$createRequire")])
    }

    /// The context by which the runtime's names are recognised.
    pub(crate) fn ctxt(&self) -> SyntaxContext {
        self.ctxt
    }

    /// Whether `name` is emitted, as far as it is known yet.
    pub(crate) fn has(&self, name: &str) -> bool {
        let declared = self.declared_by.get(&(name.into(), self.ctxt));
        declared.is_some_and(|parts| parts.iter().any(|part| self.needed.contains(part)))
    }

    /// Makes sure that `name` is emitted.
    pub(crate) fn need(&mut self, name: &str) -> Id {
        let id = (name.into(), self.ctxt);
        self.need_id(&id);
        id
    }

    /// Builtins that the emitted statements load by themselves.
    pub(crate) fn builtins(&self) -> Vec<&'static str> {
        const USED: [(&str, &str); 3] = [("$isBuiltin", "module"), ("$lookUp", "path"), ("$importFrom", "url")];
        USED.iter().filter(|(name, _)| self.has(name)).map(|(_, builtin)| *builtin).collect()
    }

    fn need_id(&mut self, id: &Id) {
        self.builtin_is_missing |= id.0 == "$builtin" && !self.declared_by.contains_key(id);
        for index in self.declared_by.get(id).cloned().unwrap_or_default() {
            if self.needed.insert(index) {
                let mut names = Names { ctxt: self.ctxt, found: Vec::new() };
                self.statements[index].visit_with(&mut names);
                names.found.iter().for_each(|used| self.need_id(used));
            }
        }
    }

    /// The parameter of the bundle's function, and the statements that begin its body.
    pub(crate) fn into_statements(self) -> (Ident, Vec<Stmt>) {
        let needed = self.needed;
        let kept = self.statements.into_iter().enumerate().filter(|(index, _)| needed.contains(index));
        (self.env, kept.map(|(_, stmt)| stmt).collect())
    }
}

/// Puts `$evaluateAsync` in the place of `$evaluate`.
fn replace_evaluate(statements: &mut Vec<Stmt>) {
    let is_called =
        |stmt: &Stmt, name: &str| matches!(stmt, Stmt::Decl(Decl::Fn(function)) if function.ident.sym == name);
    statements.retain(|stmt| !is_called(stmt, "$evaluate"));
    for stmt in statements {
        if is_called(stmt, "$evaluateAsync")
            && let Stmt::Decl(Decl::Fn(function)) = stmt
        {
            function.ident.sym = "$evaluate".into();
        }
    }
}

/// The parameter and the statements of a file that is one function.
fn read(sources: &Sources, name: &str, text: &str) -> (Ident, Vec<Stmt>) {
    let file = sources.map.new_source_file(Lrc::new(FileName::Internal(name.to_owned())), text.to_owned());
    let syntax = Syntax::Es(EsSyntax::default());
    let script = parse_file_as_script(&file, syntax, EsVersion::EsNext, None, &mut Vec::new())
        .unwrap_or_else(|error| unreachable!("{name} does not parse: {error:?}"));
    let function = script.body.into_iter().find_map(|stmt| stmt.expr()?.expr.unwrap_parens().as_fn_expr().cloned());
    let function = *function.unwrap_or_else(|| unreachable!("{name} is one function")).function;
    let env = function.params.first().and_then(|param| param.pat.as_ident()).map(|name| name.id.clone());
    let body = function.body.map(|body| body.stmts).unwrap_or_default();
    (env.unwrap_or_else(|| unreachable!("{name} takes $env")), body)
}

fn names(stmt: &Stmt) -> Vec<Atom> {
    declared(stmt).into_iter().map(|id| id.0).collect()
}

/// A statement that is no declaration belongs to the first name in it: `X.prototype.y = …`.
pub(crate) fn declared(stmt: &Stmt) -> Vec<Id> {
    match stmt {
        Stmt::Decl(Decl::Fn(function)) => vec![function.ident.to_id()],
        Stmt::Decl(Decl::Var(var)) => swc_core::ecma::utils::find_pat_ids(&var.decls),
        stmt => {
            let mut names = FirstDollarName(None);
            stmt.visit_with(&mut names);
            names.0.into_iter().collect()
        }
    }
}

struct FirstDollarName(Option<Id>);

impl Visit for FirstDollarName {
    fn visit_ident(&mut self, ident: &Ident) {
        if self.0.is_none() && ident.sym.starts_with('$') {
            self.0 = Some(ident.to_id());
        }
    }
}

struct Names {
    ctxt: SyntaxContext,
    found: Vec<Id>,
}

impl Visit for Names {
    fn visit_ident(&mut self, ident: &Ident) {
        if ident.ctxt == self.ctxt {
            self.found.push(ident.to_id());
        }
    }
}
