//! Chooses from `runtime.js` what a bundle needs, under names that clash with nothing.

use std::collections::{BTreeSet, HashMap};

use swc_core::common::sync::Lrc;
use swc_core::common::{FileName, Mark, SyntaxContext};
use swc_core::ecma::ast::*;
use swc_core::ecma::parser::{EsSyntax, Syntax, parse_file_as_script};
use swc_core::ecma::transforms::base::fixer::paren_remover;
use swc_core::ecma::transforms::base::resolver;
use swc_core::ecma::visit::{Visit, VisitWith};

use crate::parse::Sources;

/// The runtime's statements, and which of them a bundle has asked for so far.
pub(crate) struct Runtime {
    env: Ident,
    statements: Vec<Stmt>,
    declared_by: HashMap<Id, Vec<usize>>,
    ctxt: SyntaxContext,
    needed: BTreeSet<usize>,
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
    pub(crate) fn parse(sources: &Sources, awaiting: Awaiting) -> Self {
        let file = sources.map.new_source_file(
            Lrc::new(FileName::Internal("edgepack:runtime".to_owned())),
            include_str!("runtime.js").to_owned(),
        );
        let syntax = Syntax::Es(EsSyntax::default());
        let script = parse_file_as_script(&file, syntax, EsVersion::EsNext, None, &mut Vec::new())
            .unwrap_or_else(|error| unreachable!("runtime.js does not parse: {error:?}"));
        let program = Program::Script(script)
            .apply(&mut resolver(sources.unresolved, Mark::new(), false))
            .apply(&mut paren_remover(None));
        let function = match program {
            Program::Script(script) => script.body.into_iter().find_map(|stmt| match stmt {
                Stmt::Expr(stmt) => stmt.expr.fn_expr(),
                _ => None,
            }),
            Program::Module(_) => None,
        };
        let function = *function.unwrap_or_else(|| unreachable!("runtime.js is one function")).function;
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
        Self { ctxt: env.ctxt, env, statements, declared_by, needed: BTreeSet::new() }
    }

    /// The context by which the runtime's names are recognised.
    pub(crate) fn ctxt(&self) -> SyntaxContext {
        self.ctxt
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
        let is_needed = |name: &str| {
            let declared = self.declared_by.get(&(name.into(), self.ctxt));
            declared.is_some_and(|parts| parts.iter().any(|part| self.needed.contains(part)))
        };
        USED.iter().filter(|(name, _)| is_needed(name)).map(|(_, builtin)| *builtin).collect()
    }

    fn need_id(&mut self, id: &Id) {
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

/// A statement that is no declaration belongs to the first name in it: `X.prototype.y = …`.
fn declared(stmt: &Stmt) -> Vec<Id> {
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
