//! Cuts an ES module into imports, exports and top-level statements ("parts") with what each declares and uses.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use swc_core::atoms::Atom;
use swc_core::common::{Span, Spanned};
use swc_core::ecma::ast::*;
use swc_core::ecma::utils::find_pat_ids;
use swc_core::ecma::visit::{Visit, VisitWith};

use crate::ast::{declare, fresh_ident, text_of};
use crate::known_text::known_names;
use crate::parse::Sources;
use crate::pure_names::find_reassigned;
use crate::purity::{Effects, Purity, attached_to};
use crate::requires::{ModuleNames, Requests, find_requests};

/// An ES module, cut up.
#[derive(Debug)]
pub(crate) struct EsModule {
    pub(crate) imports: Vec<ImportRecord>,
    /// What the local names of imports stand for.
    pub(crate) bindings: HashMap<Id, ImportBinding>,
    /// By exported name, in source order.
    pub(crate) exports: Vec<(Atom, Export)>,
    /// `export * from`: indexes into `imports`.
    pub(crate) stars: Vec<usize>,
    pub(crate) parts: Vec<Part>,
    /// The parts that must be kept when a binding is used.
    pub(crate) declared_by: HashMap<Id, Vec<usize>>,
    pub(crate) awaits: bool,
    /// Functions and classes whose calls have no effects.
    pub(crate) callable: HashSet<Id>,
    pub(crate) wrapper: WrapperNames,
}

/// Whether an ES module may use `require`, `__dirname` and `__filename`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WrapperNames {
    /// As in Node.
    Undeclared,
    Known,
}

/// A module named in an import or in an export with `from`.
#[derive(Debug)]
pub(crate) struct ImportRecord {
    pub(crate) specifier: String,
    pub(crate) span: Span,
}

/// A local name that stands for something of another module.
#[derive(Debug, Clone)]
pub(crate) struct ImportBinding {
    pub(crate) record: usize,
    pub(crate) name: Imported,
    pub(crate) span: Span,
}

/// What is taken from a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Imported {
    Name(Atom),
    Namespace,
}

/// Where an exported name comes from.
#[derive(Debug, Clone)]
pub(crate) enum Export {
    Local(Id),
    From(ImportBinding),
}

/// A top-level statement.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) stmt: Stmt,
    pub(crate) span: Span,
    pub(crate) uses: Vec<Use>,
    pub(crate) effects: Effects,
    pub(crate) requests: Requests,
}

/// A mention of a top-level binding.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Use {
    Binding(Id),
    /// `import.name.name`: whether the import, and what it has, are namespaces, is known when modules are linked.
    Member(Id, Vec<Atom>),
}

impl Use {
    /// The local name that is mentioned.
    pub(crate) fn name(&self) -> &Id {
        match self {
            Self::Binding(id) | Self::Member(id, _) => id,
        }
    }
}

/// Scans a parsed module; `stem` names what has no name of its own.
pub(crate) fn scan_module(sources: &Sources, module: Module, stem: &str, wrapper: WrapperNames) -> EsModule {
    let mut scanner = Scanner::new(stem);
    for item in module.body {
        match item {
            ModuleItem::Stmt(stmt) => scanner.statement(stmt),
            ModuleItem::ModuleDecl(decl) => scanner.declaration(decl),
        }
    }
    scanner.finish(sources, wrapper)
}

struct Scanner<'a> {
    stem: &'a str,
    imports: Vec<ImportRecord>,
    bindings: HashMap<Id, ImportBinding>,
    exports: Vec<(Atom, Export)>,
    stars: Vec<usize>,
    statements: Vec<Stmt>,
    /// `export default name`: the name, and where it stands.
    default_of: Option<(Ident, Span, usize)>,
    /// Where `export` stands in front of a declaration: comments belong to it.
    exported_at: HashMap<Id, Span>,
}

impl<'a> Scanner<'a> {
    fn new(stem: &'a str) -> Self {
        Self {
            stem,
            imports: Vec::new(),
            bindings: HashMap::new(),
            exports: Vec::new(),
            stars: Vec::new(),
            statements: Vec::new(),
            default_of: None,
            exported_at: HashMap::new(),
        }
    }

    /// A declaration of several variables becomes one part for each.
    fn statement(&mut self, stmt: Stmt) {
        match stmt {
            Stmt::Decl(Decl::Var(var)) if var.decls.len() > 1 => {
                let VarDecl { ctxt, kind, declare, decls, .. } = *var;
                for decl in decls {
                    let single = VarDecl { span: decl.span, ctxt, kind, declare, decls: vec![decl] };
                    self.statements.push(Stmt::Decl(Decl::Var(Box::new(single))));
                }
            }
            Stmt::Empty(_) => {}
            stmt => self.statements.push(stmt),
        }
    }

    fn record(&mut self, source: &Str) -> usize {
        let specifier = text_of(source).to_string();
        self.imports.push(ImportRecord { specifier, span: source.span });
        self.imports.len() - 1
    }

    fn export(&mut self, name: impl Into<Atom>, export: Export) {
        self.exports.push((name.into(), export));
    }

    fn declaration(&mut self, decl: ModuleDecl) {
        match decl {
            ModuleDecl::Import(import) => self.import(import),
            ModuleDecl::ExportDecl(export) => {
                for id in declared_ids(&export.decl) {
                    self.exported_at.insert(id.clone(), export.span);
                    self.export(id.0.clone(), Export::Local(id));
                }
                self.statement(Stmt::Decl(export.decl));
            }
            ModuleDecl::ExportNamed(export) => self.named_export(export),
            ModuleDecl::ExportDefaultDecl(export) => self.default_declaration(export),
            ModuleDecl::ExportDefaultExpr(export) if export.expr.is_ident() => {
                self.default_of = export.expr.ident().map(|name| (name, export.span, self.statements.len()));
            }
            ModuleDecl::ExportDefaultExpr(export) => {
                self.default_value(export.expr, export.span, self.statements.len());
            }
            ModuleDecl::ExportAll(export) => {
                let record = self.record(&export.src);
                self.stars.push(record);
            }
            // The TypeScript pass has replaced the others.
            _ => {}
        }
    }

    fn import(&mut self, import: ImportDecl) {
        if import.type_only {
            return;
        }
        let record = self.record(&import.src);
        for specifier in import.specifiers {
            let span = specifier.span();
            let (local, name) = match specifier {
                ImportSpecifier::Named(named) => {
                    let name =
                        named.imported.as_ref().map_or_else(|| named.local.sym.clone(), |n| n.atom().into_owned());
                    (named.local, Imported::Name(name))
                }
                ImportSpecifier::Default(default) => (default.local, Imported::Name("default".into())),
                ImportSpecifier::Namespace(namespace) => (namespace.local, Imported::Namespace),
            };
            self.bindings.insert(local.to_id(), ImportBinding { record, name, span });
        }
    }

    fn named_export(&mut self, export: NamedExport) {
        if export.type_only {
            return;
        }
        let record = export.src.as_ref().map(|source| self.record(source));
        for specifier in export.specifiers {
            let span = specifier.span();
            match (specifier, record) {
                (ExportSpecifier::Namespace(namespace), Some(record)) => {
                    let binding = ImportBinding { record, name: Imported::Namespace, span };
                    self.export(namespace.name.atom().into_owned(), Export::From(binding));
                }
                (ExportSpecifier::Named(named), record) => {
                    let original = named.orig.atom().into_owned();
                    let exported = named.exported.as_ref().map_or_else(|| original.clone(), |n| n.atom().into_owned());
                    match (record, named.orig) {
                        (Some(record), _) => {
                            let binding = ImportBinding { record, name: Imported::Name(original), span };
                            self.export(exported, Export::From(binding));
                        }
                        (None, ModuleExportName::Ident(local)) => self.export(exported, Export::Local(local.to_id())),
                        (None, ModuleExportName::Str(_)) => {}
                    }
                }
                _ => {}
            }
        }
    }

    fn default_ident(&self) -> Ident {
        fresh_ident(&format!("{}_default", self.stem))
    }

    fn default_declaration(&mut self, export: ExportDefaultDecl) {
        let fallback = self.default_ident();
        let (ident, decl) = match export.decl {
            DefaultDecl::Class(class) => {
                let ident = class.ident.unwrap_or(fallback);
                (ident.clone(), Decl::Class(ClassDecl { ident, declare: false, class: class.class }))
            }
            DefaultDecl::Fn(function) => {
                let ident = function.ident.unwrap_or(fallback);
                (ident.clone(), Decl::Fn(FnDecl { ident, declare: false, function: function.function }))
            }
            DefaultDecl::TsInterfaceDecl(_) => return,
        };
        self.exported_at.insert(ident.to_id(), export.span);
        self.export("default", Export::Local(ident.to_id()));
        self.statements.push(Stmt::Decl(decl));
    }

    fn default_value(&mut self, value: Box<Expr>, span: Span, place: usize) {
        let ident = self.default_ident();
        let mut stmt = declare(VarDeclKind::Const, vec![(ident.to_id(), Some(value))]);
        if let Stmt::Decl(Decl::Var(var)) = &mut stmt {
            var.span = span;
        }
        self.statements.insert(place, stmt);
        self.export("default", Export::Local(ident.to_id()));
    }

    /// `export default name` needs no value of its own where the name's value never changes.
    fn default_name(&mut self) {
        let Some((name, span, place)) = self.default_of.take() else { return };
        let declared =
            self.statements[..place].iter().filter(|stmt| declared_by_statement(stmt).contains(&name.to_id()));
        let is_function = self
            .statements
            .iter()
            .any(|stmt| matches!(stmt, Stmt::Decl(Decl::Fn(function)) if function.ident.to_id() == name.to_id()));
        if (is_function || declared.count() == 1) && !find_reassigned(&self.statements).contains(&name.to_id()) {
            self.export("default", Export::Local(name.to_id()));
        } else {
            self.default_value(Box::new(Expr::Ident(name)), span, place);
        }
    }

    fn finish(mut self, sources: &Sources, wrapper: WrapperNames) -> EsModule {
        self.default_name();
        let mut declared_by: HashMap<Id, Vec<usize>> = HashMap::new();
        for (index, stmt) in self.statements.iter().enumerate() {
            for id in declared_by_statement(stmt) {
                declared_by.entry(id).or_default().push(index);
            }
        }
        let mut requires = self.created_requires();
        if wrapper == WrapperNames::Known {
            requires.push(("require".into(), sources.unresolved_ctxt()));
        }
        let names = ModuleNames {
            requires,
            wrapper: sources.unresolved_ctxt(),
            create_requires: self.locals_of("createRequire"),
            texts: Rc::new(known_names(&self.statements)),
        };
        let purity = Purity::new(sources, &self.statements, &self.bindings, &self.exported_at);
        let top_level: HashSet<Id> = declared_by.keys().chain(self.bindings.keys()).cloned().collect();
        let mut parts = Vec::with_capacity(self.statements.len());
        for (index, stmt) in self.statements.into_iter().enumerate() {
            let attached = attached_to(&stmt, &purity);
            if let Some(owner) = &attached {
                declared_by.entry(owner.clone()).or_default().push(index);
            }
            parts.push(Part {
                span: stmt.span(),
                uses: find_uses(&stmt, &top_level, &self.bindings),
                effects: if attached.is_some() { Effects::None } else { purity.effects(&stmt) },
                requests: find_requests(&stmt, &names),
                stmt,
            });
        }
        keep_what_eval_sees(&mut parts, &top_level);
        let callable = purity.into_callable();
        let awaits = parts.iter().any(|part| part.requests.awaits_at_top);
        EsModule {
            imports: self.imports,
            bindings: self.bindings,
            exports: self.exports,
            stars: self.stars,
            parts,
            declared_by,
            awaits,
            wrapper,
            callable,
        }
    }

    fn locals_of(&self, name: &str) -> Vec<Id> {
        let from_module = |record: usize| matches!(&*self.imports[record].specifier, "module" | "node:module");
        let mut found: Vec<Id> = self
            .bindings
            .iter()
            .filter(|(_, binding)| from_module(binding.record) && binding.name == Imported::Name(name.into()))
            .map(|(id, _)| id.clone())
            .collect();
        found.sort();
        found
    }

    /// `const require = createRequire(import.meta.url)`
    fn created_requires(&self) -> Vec<Id> {
        let creators = self.locals_of("createRequire");
        let is_create = |callee: &Expr| match callee {
            Expr::Ident(ident) => creators.contains(&ident.to_id()),
            Expr::Member(member) => member.prop.is_ident_with("createRequire"),
            _ => false,
        };
        let declarator = |stmt: &Stmt| {
            let var = stmt.as_decl()?.as_var()?.decls.first()?;
            let callee = var.init.as_ref()?.as_call()?.callee.as_expr()?;
            is_create(callee).then(|| var.name.as_ident().map(|name| name.to_id()))?
        };
        self.statements.iter().filter_map(declarator).collect()
    }
}

/// The code given to a direct `eval` may use everything.
fn keep_what_eval_sees(parts: &mut [Part], top_level: &HashSet<Id>) {
    let mut names: Vec<&Id> = top_level.iter().collect();
    names.sort();
    for part in parts.iter_mut().filter(|part| part.requests.calls_eval) {
        part.effects = Effects::Some;
        part.uses = names.iter().map(|name| Use::Binding((*name).clone())).collect();
    }
}

fn declared_ids(decl: &Decl) -> Vec<Id> {
    match decl {
        Decl::Class(class) => vec![class.ident.to_id()],
        Decl::Fn(function) => vec![function.ident.to_id()],
        Decl::Var(var) => find_pat_ids(&var.decls),
        Decl::Using(using) => find_pat_ids(&using.decls),
        _ => Vec::new(),
    }
}

/// Also the `var`s inside blocks, which belong to the module.
pub(crate) fn declared_by_statement(stmt: &Stmt) -> Vec<Id> {
    struct Vars(Vec<Id>);
    impl Visit for Vars {
        fn visit_var_decl(&mut self, var: &VarDecl) {
            if var.kind == VarDeclKind::Var {
                self.0.extend(find_pat_ids::<_, Id>(&var.decls));
            }
        }
        fn visit_function(&mut self, _: &Function) {}
        fn visit_expr(&mut self, _: &Expr) {}
        fn visit_class(&mut self, _: &Class) {}
    }
    if let Stmt::Decl(decl) = stmt {
        return declared_ids(decl);
    }
    let mut vars = Vars(Vec::new());
    stmt.visit_with(&mut vars);
    vars.0
}

fn find_uses(stmt: &Stmt, top_level: &HashSet<Id>, bindings: &HashMap<Id, ImportBinding>) -> Vec<Use> {
    let mut finder = UseFinder { top_level, bindings, seen: HashSet::new(), uses: Vec::new() };
    stmt.visit_with(&mut finder);
    finder.uses
}

struct UseFinder<'a> {
    top_level: &'a HashSet<Id>,
    bindings: &'a HashMap<Id, ImportBinding>,
    seen: HashSet<Use>,
    uses: Vec<Use>,
}

impl UseFinder<'_> {
    fn add(&mut self, used: Use) {
        if self.seen.insert(used.clone()) {
            self.uses.push(used);
        }
    }
}

impl Visit for UseFinder<'_> {
    fn visit_member_expr(&mut self, member: &MemberExpr) {
        match member_path(member) {
            Some((id, path)) if self.bindings.contains_key(&id) => self.add(Use::Member(id, path)),
            _ => member.visit_children_with(self),
        }
    }

    /// `delete ns.name` and `ns.name++` need the namespace itself.
    fn visit_unary_expr(&mut self, unary: &UnaryExpr) {
        match &*unary.arg {
            Expr::Member(member) if unary.op == op!("delete") => member.visit_children_with(self),
            arg => arg.visit_with(self),
        }
    }

    fn visit_update_expr(&mut self, update: &UpdateExpr) {
        match &*update.arg {
            Expr::Member(member) => member.visit_children_with(self),
            arg => arg.visit_with(self),
        }
    }

    fn visit_simple_assign_target(&mut self, target: &SimpleAssignTarget) {
        match target {
            SimpleAssignTarget::Member(member) => member.visit_children_with(self),
            target => target.visit_children_with(self),
        }
    }

    /// `ns?.name` needs the namespace itself.
    fn visit_opt_chain_base(&mut self, base: &OptChainBase) {
        match base {
            OptChainBase::Member(member) => member.visit_children_with(self),
            OptChainBase::Call(call) => call.visit_with(self),
        }
    }

    fn visit_ident(&mut self, ident: &Ident) {
        let id = ident.to_id();
        if self.top_level.contains(&id) {
            self.add(Use::Binding(id));
        }
    }
}

/// `name.a.b` as `name` and what is read of it, if it is known.
pub(crate) fn member_path(member: &MemberExpr) -> Option<(Id, Vec<Atom>)> {
    let name = constant_member(&member.prop)?;
    let (id, mut path) = match &*member.obj {
        Expr::Ident(ident) => (ident.to_id(), Vec::new()),
        Expr::Member(inner) => member_path(inner)?,
        _ => return None,
    };
    path.push(name);
    Some((id, path))
}

/// The property that is read, if it is known.
pub(crate) fn constant_member(prop: &MemberProp) -> Option<Atom> {
    match prop {
        MemberProp::Ident(name) => Some(name.sym.clone()),
        MemberProp::Computed(computed) => match &*computed.expr {
            Expr::Lit(Lit::Str(text)) => Some(text_of(text)),
            _ => None,
        },
        MemberProp::PrivateName(_) => None,
    }
}
