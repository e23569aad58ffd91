//! Chooses from the engine's `modules.js` what a bundle needs, under names that clash with nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

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

/// What modules need to find each other, and to run, and which of it a bundle has asked for so far. The engine gives its
/// scripts functions, under keys; a program for Node brings statements along.
pub(crate) struct Runtime {
    statements: Vec<Stmt>,
    declared_by: HashMap<Id, Vec<usize>>,
    ctxt: SyntaxContext,
    needed: BTreeSet<usize>,
    keys: HashMap<Atom, Atom>,
    given: BTreeMap<Atom, Atom>,
    builtin_is_missing: bool,
}

/// What the engine gives a script: the key, and the name it has there.
pub(crate) type Given = (Atom, Id);

impl Runtime {
    pub(crate) fn parse(sources: &Sources, form: Form) -> Self {
        let (env, mut body) = read(sources, "edgepack:modules", include_str!("../../engine/js/modules.js"));
        let given = take_given(&mut body);
        let keys = if form == Form::Resumable { given } else { HashMap::new() };
        match form {
            Form::Resumable => body.clear(),
            Form::Plain(format) => replace_plain(&mut body, sources, format),
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
        let ctxt = env.unwrap_or_else(|| unreachable!("modules.js takes $env")).ctxt;
        let statements: Vec<Stmt> = function.body.map(|body| body.stmts).unwrap_or_default();
        let mut declared_by: HashMap<Id, Vec<usize>> = HashMap::new();
        for (index, stmt) in statements.iter().enumerate() {
            for id in declared(stmt) {
                declared_by.entry(id).or_default().push(index);
            }
        }
        let (needed, given) = (BTreeSet::new(), BTreeMap::new());
        Self { ctxt, statements, declared_by, needed, keys, given, builtin_is_missing: false }
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

    /// Makes sure that `name` is there.
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
        if let Some(key) = self.keys.get(&id.0) {
            self.given.insert(key.clone(), id.0.clone());
            return;
        }
        self.builtin_is_missing |= id.0 == "$builtin" && !self.declared_by.contains_key(id);
        for index in self.declared_by.get(id).cloned().unwrap_or_default() {
            if self.needed.insert(index) {
                let mut names = Names { ctxt: self.ctxt, found: Vec::new() };
                self.statements[index].visit_with(&mut names);
                names.found.iter().for_each(|used| self.need_id(used));
            }
        }
    }

    /// What the script is given, by key, and the statements it brings along.
    pub(crate) fn into_parts(self) -> (Vec<Given>, Vec<Stmt>) {
        let Self { given, ctxt, needed, statements, .. } = self;
        let kept = statements.into_iter().enumerate().filter(|(index, _)| needed.contains(index));
        (given.into_iter().map(|(key, name)| (key, (name, ctxt))).collect(), kept.map(|(_, stmt)| stmt).collect())
    }
}

/// What differs in a program for Node.
fn replace_plain(body: &mut Vec<Stmt>, sources: &Sources, format: Format) {
    let (_, mut others) = read(sources, "edgepack:runtime-plain", include_str!("runtime_plain.js"));
    let mut replaced: Vec<Atom> = others.iter().flat_map(names).collect();
    if format == Format::Esm {
        replaced.push("$builtin".into());
        others.retain(|stmt| !names(stmt).contains(&Atom::from("$builtin")));
    }
    body.retain(|stmt| !names(stmt).iter().any(|name| replaced.contains(name)));
    body.append(&mut others);
}

/// Takes the object that the function ends with: names by key → keys by name.
fn take_given(body: &mut Vec<Stmt>) -> HashMap<Atom, Atom> {
    let last = body.pop().and_then(Stmt::return_stmt).and_then(|stmt| stmt.arg).and_then(|value| value.object());
    let object = last.unwrap_or_else(|| unreachable!("modules.js returns an object"));
    let pair = |prop: PropOrSpread| {
        let pair = prop.prop()?.key_value()?;
        Some((pair.value.ident()?.sym, pair.key.ident()?.sym))
    };
    object.props.into_iter().map(|prop| pair(prop).unwrap_or_else(|| unreachable!("modules.js gives names"))).collect()
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
