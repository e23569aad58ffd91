//! Gives functions and classes that lost it on the way back the `name` that the program can see.

use std::collections::{HashMap, HashSet};

use swc_core::atoms::Atom;
use swc_core::common::{BytePos, DUMMY_SP, Span, SyntaxContext};
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{Visit, VisitMut, VisitMutWith, VisitWith};

use crate::ast::{call, expr_stmt, ident_expr, number, object, prop_name, string, text_of};
use crate::emit_commonjs::is_directive;

/// The runtime's function that sets a name.
pub(crate) const SETTER: &str = "$named";

/// About how long a mangled name is.
const SHORT_BYTES: usize = 2;

/// What functions and classes are called before anything is renamed or moved, by where they begin; nothing is "".
#[derive(Debug, Default)]
pub(crate) struct SeenNames(HashMap<BytePos, Atom>);

impl SeenNames {
    fn of(&self, span: Span) -> Option<&Atom> {
        self.0.get(&span.lo).filter(|_| !span.is_dummy())
    }
}

/// How the names of a piece of code that can be seen are kept.
#[derive(Debug, Default)]
pub(crate) struct NamePlan {
    /// Bindings that keep their spelling, so that what they hold has its name from them.
    pub(crate) kept: HashSet<Id>,
    /// Bindings of the piece's own level that may do so, too, but where it takes fewer bytes to shorten them, and to
    /// set the name of what they hold.
    pub(crate) set: HashSet<Id>,
    /// How many bytes fewer.
    pub(crate) gain: usize,
}

/// Collects the names of all functions and classes in `program`, but not of those whose names are in `unseen`.
pub(crate) fn collect_names(program: &Program, unseen: SyntaxContext) -> SeenNames {
    let mut nameless = Nameless::default();
    program.visit_with(&mut nameless);
    let mut names = SeenNames(nameless.0);
    walk_naming(program, |span, namer| {
        let name = match namer {
            Namer::Binding(ident) if ident.ctxt == unseen => return,
            Namer::Binding(ident) => seen_name(ident),
            Namer::Key(name) => name,
        };
        if !span.is_dummy() {
            names.0.insert(span.lo, name);
        }
    });
    names
}

/// All that could be named by where they stand.
#[derive(Default)]
struct Nameless(HashMap<BytePos, Atom>);

impl Visit for Nameless {
    fn visit_expr(&mut self, expr: &Expr) {
        if let Some(span) = anonymous(expr).filter(|span| !span.is_dummy()) {
            self.0.insert(span.lo, Atom::default());
        }
        expr.visit_children_with(self);
    }
}

/// Finds the bindings that name a function or class as it was called from the beginning. `stmts` are the piece's own
/// level in `program`: they run once, so that setting a name there costs next to nothing.
pub(crate) fn plan_names(program: &Program, stmts: &[Stmt], names: &SeenNames) -> NamePlan {
    let mut plan = NamePlan::default();
    walk_naming(program, |span, namer| {
        if let Namer::Binding(ident) = namer
            && names.of(span).is_some_and(|name| *name == ident.sym)
        {
            plan.kept.insert(ident.to_id());
        }
    });
    let mut census = Census { wanted: &plan.kept, uses: HashMap::new() };
    program.visit_with(&mut census);
    let uses = census.uses;
    for (id, cost) in stmts.iter().flat_map(declared_values) {
        let length = id.0.len();
        let saved = uses.get(&id).copied().unwrap_or_default() * length.saturating_sub(SHORT_BYTES);
        if plan.kept.contains(&id) && id.0 != "__proto__" && saved > length + cost {
            plan.gain += saved - length - cost;
            plan.set.insert(id);
        }
    }
    plan
}

/// Functions and classes that a statement declares, and how many bytes setting their names takes besides the name.
fn declared_values(stmt: &Stmt) -> Vec<(Id, usize)> {
    match stmt {
        Stmt::Decl(Decl::Fn(decl)) => vec![(decl.ident.to_id(), 4)],
        Stmt::Decl(Decl::Class(decl)) => vec![(decl.ident.to_id(), 7)],
        Stmt::Decl(Decl::Var(var)) => {
            let named = var.decls.iter().filter(|decl| decl.init.as_ref().is_some_and(|it| anonymous(it).is_some()));
            named.filter_map(|decl| Some((decl.name.as_ident()?.to_id(), 6))).collect()
        }
        _ => Vec::new(),
    }
}

/// Compares with the names that functions and classes have now, and mends what differs, by calling `setter` where
/// nothing shorter does. Returns whether it is called.
pub(crate) fn restore_names(program: &mut Program, names: &SeenNames, setter: &Id) -> bool {
    let mut restorer = Restorer { names, setter, inferred: None, used: false };
    program.visit_mut_with(&mut restorer);
    restorer.used
}

/// From what a function or class has its name.
enum Namer<'a> {
    Binding(&'a Ident),
    /// Properties are not renamed, but code may be moved out of an object.
    Key(Atom),
}

/// Calls `found` for everything that names a function or class, with where that begins.
fn walk_naming(program: &Program, found: impl FnMut(Span, Namer<'_>)) {
    program.visit_with(&mut NamingWalk(found));
}

struct NamingWalk<F>(F);

impl<F: FnMut(Span, Namer<'_>)> NamingWalk<F> {
    fn value(&mut self, ident: Option<&BindingIdent>, value: Option<&Expr>) {
        if let (Some(ident), Some(span)) = (ident, value.and_then(anonymous)) {
            (self.0)(span, Namer::Binding(ident));
        }
    }

    fn class(&mut self, ident: Option<&Ident>, class: &Class) {
        if let Some(ident) = ident.filter(|_| !has_static_name(class)) {
            (self.0)(place_of(class, ident), Namer::Binding(ident));
        }
    }
}

impl<F: FnMut(Span, Namer<'_>)> Visit for NamingWalk<F> {
    fn visit_fn_decl(&mut self, decl: &FnDecl) {
        (self.0)(decl.function.span, Namer::Binding(&decl.ident));
        decl.visit_children_with(self);
    }

    fn visit_class_decl(&mut self, decl: &ClassDecl) {
        self.class(Some(&decl.ident), &decl.class);
        decl.visit_children_with(self);
    }

    fn visit_fn_expr(&mut self, expr: &FnExpr) {
        if let Some(ident) = &expr.ident {
            (self.0)(expr.function.span, Namer::Binding(ident));
        }
        expr.visit_children_with(self);
    }

    fn visit_class_expr(&mut self, expr: &ClassExpr) {
        self.class(expr.ident.as_ref(), &expr.class);
        expr.visit_children_with(self);
    }

    fn visit_var_declarator(&mut self, decl: &VarDeclarator) {
        self.value(decl.name.as_ident(), decl.init.as_deref());
        decl.visit_children_with(self);
    }

    fn visit_assign_expr(&mut self, assign: &AssignExpr) {
        self.value(assign.left.as_ident().filter(|_| names_its_value(assign.op)), Some(&assign.right));
        assign.visit_children_with(self);
    }

    fn visit_assign_pat(&mut self, pat: &AssignPat) {
        self.value(pat.left.as_ident(), Some(&pat.right));
        pat.visit_children_with(self);
    }

    fn visit_assign_pat_prop(&mut self, prop: &AssignPatProp) {
        self.value(Some(&prop.key), prop.value.as_deref());
        prop.visit_children_with(self);
    }

    fn visit_key_value_prop(&mut self, prop: &KeyValueProp) {
        if let (Some(span), Some(name)) = (anonymous(&prop.value), static_key(&prop.key)) {
            (self.0)(span, Namer::Key(name));
        }
        prop.visit_children_with(self);
    }
}

/// A function or class that takes its name from where it stands.
fn anonymous(expr: &Expr) -> Option<Span> {
    match expr {
        Expr::Arrow(arrow) => Some(arrow.span),
        Expr::Fn(function) if function.ident.is_none() => Some(function.function.span),
        Expr::Class(class) if class.ident.is_none() && !has_static_name(&class.class) => Some(class.class.span),
        _ => None,
    }
}

/// Of a decorated class only the name is where it was.
fn place_of(class: &Class, ident: &Ident) -> Span {
    if class.span.is_dummy() { ident.span } else { class.span }
}

fn has_static_name(class: &Class) -> bool {
    let is_name = |key: &PropName| key.as_ident().is_some_and(|key| key.sym == "name");
    class.body.iter().any(|member| match member {
        ClassMember::Method(method) => method.is_static && is_name(&method.key),
        ClassMember::ClassProp(prop) => prop.is_static && is_name(&prop.key),
        _ => false,
    })
}

/// Whether a class runs code of its own while it is made, which may ask for its name.
fn has_static_code(class: &Class) -> bool {
    class.body.iter().any(|member| match member {
        ClassMember::ClassProp(prop) => prop.is_static,
        ClassMember::PrivateProp(prop) => prop.is_static,
        ClassMember::AutoAccessor(accessor) => accessor.is_static,
        ClassMember::StaticBlock(_) => true,
        _ => false,
    })
}

/// What `export default` left unnamed has a made-up name.
fn seen_name(ident: &Ident) -> Atom {
    if ident.span.is_dummy() && ident.sym.ends_with("_default") { "default".into() } else { ident.sym.clone() }
}

/// The operators by which a variable names the function that is assigned to it.
fn names_its_value(op: AssignOp) -> bool {
    matches!(op, op!("=") | op!("&&=") | op!("||=") | op!("??="))
}

fn static_key(key: &PropName) -> Option<Atom> {
    match key {
        PropName::Ident(name) if name.sym != "__proto__" => Some(name.sym.clone()),
        PropName::Str(text) if text.value != "__proto__" => Some(text_of(text)),
        _ => None,
    }
}

struct Census<'a> {
    wanted: &'a HashSet<Id>,
    uses: HashMap<Id, usize>,
}

impl Visit for Census<'_> {
    fn visit_ident(&mut self, ident: &Ident) {
        let id = ident.to_id();
        if self.wanted.contains(&id) {
            *self.uses.entry(id).or_default() += 1;
        }
    }
}

struct Restorer<'a> {
    names: &'a SeenNames,
    setter: &'a Id,
    /// What the expression that is visited next is called if it is an anonymous function.
    inferred: Option<Atom>,
    used: bool,
}

impl Restorer<'_> {
    fn lost_name(&self, span: Span, now: Option<&Atom>) -> Option<Atom> {
        self.names.of(span).filter(|name| Some(*name) != now && !(name.is_empty() && now.is_none())).cloned()
    }

    fn named(&mut self, value: Box<Expr>, name: &str) -> Box<Expr> {
        self.used = true;
        call(ident_expr(self.setter), vec![value, string(name)], DUMMY_SP)
    }

    /// `$named({ name: value, … })`
    fn all_named(&mut self, values: Vec<(Atom, Box<Expr>)>) -> Stmt {
        if let [(name, value)] = &values[..] {
            return expr_stmt(self.named(value.clone(), name));
        }
        self.used = true;
        let pair = |(name, value): (Atom, Box<Expr>)| Prop::KeyValue(KeyValueProp { key: prop_name(&name), value });
        let all = object(values.into_iter().map(pair).collect());
        expr_stmt(call(ident_expr(self.setter), vec![all], DUMMY_SP))
    }

    /// Functions are named before anything else in their block runs; classes where they are declared.
    fn restore_in(&mut self, stmts: &mut Vec<Stmt>) {
        let mut functions = Vec::new();
        let mut classes = Vec::new();
        for (index, stmt) in stmts.iter_mut().enumerate() {
            match stmt {
                Stmt::Decl(Decl::Fn(decl)) => {
                    if let Some(name) = self.lost_name(decl.function.span, Some(&decl.ident.sym)) {
                        functions.push((name, Box::new(Expr::Ident(decl.ident.clone()))));
                    }
                }
                Stmt::Decl(Decl::Class(decl)) => {
                    if let Some(name) = self.lost_name(place_of(&decl.class, &decl.ident), Some(&decl.ident.sym))
                        && !self.named_from_within(&mut decl.class, &name)
                    {
                        classes.push((index + 1, name, Box::new(Expr::Ident(decl.ident.clone()))));
                    }
                }
                _ => {}
            }
        }
        for (place, name, class) in classes.into_iter().rev() {
            let stmt = self.all_named(vec![(name, class)]);
            stmts.insert(place, stmt);
        }
        if !functions.is_empty() {
            let directives = stmts.iter().take_while(|stmt| is_directive(stmt)).count();
            let named = self.all_named(functions);
            stmts.insert(directives, named);
        }
    }

    /// `static { $named(this, name) }` where the class's own code could ask for its name.
    fn named_from_within(&mut self, class: &mut Class, name: &str) -> bool {
        if !has_static_code(class) {
            return false;
        }
        let this = Box::new(Expr::This(ThisExpr { span: DUMMY_SP }));
        let stmts = vec![expr_stmt(self.named(this, name))];
        let body = BlockStmt { span: DUMMY_SP, ctxt: SyntaxContext::empty(), stmts };
        class.body.insert(0, ClassMember::StaticBlock(StaticBlock { span: DUMMY_SP, body }));
        true
    }

    /// Mends the name of `expr`, which is `name` no more.
    fn restore(&mut self, expr: &mut Expr, name: &Atom) {
        if name.is_empty() {
            let value = std::mem::replace(expr, Expr::Invalid(Invalid { span: DUMMY_SP }));
            *expr = nameless(value);
        } else if !self.named_in_place(expr, name) {
            let value = std::mem::replace(expr, Expr::Invalid(Invalid { span: DUMMY_SP }));
            *expr = *self.named(Box::new(value), name);
        }
    }

    fn named_in_place(&mut self, expr: &mut Expr, name: &Atom) -> bool {
        let (ident, is_free) = match expr {
            Expr::Fn(FnExpr { ident: ident @ None, function }) => (ident, is_free_name(&**function, name)),
            Expr::Class(ClassExpr { ident: ident @ None, class }) if is_free_name(&**class, name) => (ident, true),
            Expr::Class(ClassExpr { class, .. }) => return self.named_from_within(class, name),
            _ => return false,
        };
        if is_free {
            *ident = Some(Ident::new_no_ctxt(name.clone(), DUMMY_SP));
        }
        is_free
    }
}

/// `(0, value)`: a variable or a key gives that no name.
fn nameless(value: Expr) -> Expr {
    Expr::Seq(SeqExpr { span: DUMMY_SP, exprs: vec![number(0), Box::new(value)] })
}

/// Whether a function or class can be called `name` without hiding what it uses by that name.
fn is_free_name<N: VisitWith<Mentions>>(node: &N, name: &Atom) -> bool {
    if Ident::verify_symbol(name).is_err() || name.is_reserved_in_any() || matches!(&**name, "eval" | "arguments") {
        return false;
    }
    let mut mentions = Mentions { name: name.clone(), found: false };
    node.visit_with(&mut mentions);
    !mentions.found
}

struct Mentions {
    name: Atom,
    found: bool,
}

impl Visit for Mentions {
    fn visit_ident(&mut self, ident: &Ident) {
        self.found |= ident.sym == self.name;
    }
}

impl VisitMut for Restorer<'_> {
    fn visit_mut_stmts(&mut self, stmts: &mut Vec<Stmt>) {
        stmts.visit_mut_children_with(self);
        self.restore_in(stmts);
    }

    fn visit_mut_expr(&mut self, expr: &mut Expr) {
        let inferred = self.inferred.take();
        expr.visit_mut_children_with(self);
        let lost = match expr {
            Expr::Fn(FnExpr { ident: Some(ident), function }) => self.lost_name(function.span, Some(&ident.sym)),
            Expr::Class(ClassExpr { ident: Some(ident), class }) => {
                self.lost_name(place_of(class, ident), Some(&ident.sym))
            }
            _ => anonymous(expr).and_then(|span| self.lost_name(span, inferred.as_ref())),
        };
        if let Some(name) = lost {
            self.restore(expr, &name);
        }
    }

    fn visit_mut_var_declarator(&mut self, decl: &mut VarDeclarator) {
        decl.name.visit_mut_with(self);
        self.inferred = decl.name.as_ident().map(|name| name.sym.clone());
        decl.init.visit_mut_with(self);
        self.inferred = None;
    }

    fn visit_mut_assign_expr(&mut self, assign: &mut AssignExpr) {
        assign.left.visit_mut_with(self);
        self.inferred = assign.left.as_ident().filter(|_| names_its_value(assign.op)).map(|name| name.sym.clone());
        assign.right.visit_mut_with(self);
    }

    fn visit_mut_assign_pat(&mut self, pat: &mut AssignPat) {
        pat.left.visit_mut_with(self);
        self.inferred = pat.left.as_ident().map(|name| name.sym.clone());
        pat.right.visit_mut_with(self);
    }

    fn visit_mut_assign_pat_prop(&mut self, prop: &mut AssignPatProp) {
        self.inferred = Some(prop.key.sym.clone());
        prop.value.visit_mut_with(self);
        self.inferred = None;
    }

    fn visit_mut_key_value_prop(&mut self, prop: &mut KeyValueProp) {
        prop.key.visit_mut_with(self);
        self.inferred = static_key(&prop.key);
        prop.value.visit_mut_with(self);
    }
}
