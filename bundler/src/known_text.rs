//! Works out the texts that code makes: specifiers, and paths from the module's own place, as far as they are known.
//!
//! A path from the module's own place is written relative to its folder, as its specifier would be: `path.join(__dirname,
//! 'a')` and `new URL('a', import.meta.url)` are both `./a`.

use std::collections::HashMap;

use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{Visit, VisitWith};

use crate::ast::text_of;

/// The module's own file, whose name does not matter.
const SELF: &str = "./\0";

/// A text with at most one hole in the middle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownText {
    /// Up to the hole; all of it if there is none.
    pub(crate) prefix: String,
    /// After the hole, if there is one.
    pub(crate) suffix: Option<String>,
    /// Made from the module's own place.
    pub(crate) is_own: bool,
}

/// What the module's variables are known to hold.
pub(crate) type KnownNames = HashMap<Id, KnownText>;

impl KnownText {
    fn constant(text: impl Into<String>) -> Self {
        Self { prefix: text.into(), suffix: None, is_own: false }
    }

    fn own(path: impl Into<String>) -> Self {
        Self { is_own: true, ..Self::constant(path) }
    }

    fn unknown() -> Self {
        Self { prefix: String::new(), suffix: Some(String::new()), is_own: false }
    }

    fn then(mut self, next: &Self) -> Self {
        match &mut self.suffix {
            Some(suffix) if next.suffix.is_none() => suffix.push_str(&next.prefix),
            Some(suffix) => *suffix = next.suffix.clone().unwrap_or_default(),
            None => {
                self.prefix.push_str(&next.prefix);
                self.suffix.clone_from(&next.suffix);
            }
        }
        self
    }

    /// The whole text, if there is no hole in it.
    pub(crate) fn complete(&self) -> Option<&str> {
        self.suffix.is_none().then_some(&*self.prefix)
    }

    /// `import.meta.url`, `__filename` and their like.
    pub(crate) fn is_own_file(&self) -> bool {
        self.is_own && self.complete() == Some(SELF)
    }

    /// The file or folder below or beside the module that is meant, but not the module's own folder.
    pub(crate) fn own_path(&self) -> Option<String> {
        let known = if self.suffix.is_some() { self.prefix.rsplit_once('/')?.0 } else { &self.prefix };
        let path = normalised(known);
        (self.is_own && path != "." && !path.contains('\0')).then_some(path)
    }

    /// As a specifier: what `require` would be asked for.
    pub(crate) fn specifier(&self) -> Option<String> {
        let text = self.complete()?;
        match (self.is_own, text.contains('\0')) {
            (true, true) => None,
            (true, false) => Some(relative(&normalised(text))),
            (false, _) => Some(text.to_owned()),
        }
    }

    /// As a specifier with a hole, if the folder in which to look is known.
    pub(crate) fn pattern(&self) -> Option<(String, String)> {
        let suffix = self.suffix.clone()?;
        let (folder, begun) = self.prefix.rsplit_once('/')?;
        let folder = if self.is_own { relative(&normalised(folder)) } else { folder.to_owned() };
        let is_relative = folder == "." || folder == ".." || folder.starts_with("./") || folder.starts_with("../");
        (is_relative && !folder.contains('\0')).then(|| (format!("{folder}/{begun}"), suffix))
    }
}

/// Collects the variables of `node` whose texts are known.
pub(crate) fn known_names<N: VisitWith<NameCollector>>(node: &N) -> KnownNames {
    let mut collector = NameCollector(KnownNames::new());
    node.visit_with(&mut collector);
    collector.0
}

pub(crate) struct NameCollector(KnownNames);

impl Visit for NameCollector {
    fn visit_var_decl(&mut self, var: &VarDecl) {
        for decl in &var.decls {
            let (Some(name), Some(init)) = (decl.name.as_ident(), &decl.init) else { continue };
            let text = known_text(init, &self.0);
            // A path from the own place is one whatever becomes of the variable: at worst a file too many is embedded.
            if text.is_own || (var.kind == VarDeclKind::Const && text.suffix.is_none()) {
                self.0.insert(name.to_id(), text);
            }
        }
        var.visit_children_with(self);
    }
}

/// Evaluates `expr` as far as it can be known.
pub(crate) fn known_text(expr: &Expr, names: &KnownNames) -> KnownText {
    match expr {
        Expr::Lit(Lit::Str(text)) => KnownText::constant(text_of(text).to_string()),
        Expr::Ident(ident) => match &*ident.sym {
            _ if names.contains_key(&ident.to_id()) => names[&ident.to_id()].clone(),
            "__dirname" => KnownText::own("."),
            "__filename" => KnownText::own(SELF),
            _ => KnownText::unknown(),
        },
        Expr::Member(member) => known_member(member, names),
        Expr::Bin(bin) if bin.op == op!(bin, "+") => known_text(&bin.left, names).then(&known_text(&bin.right, names)),
        Expr::Tpl(template) => known_template(template, names),
        Expr::Call(call) => known_call(call, names),
        Expr::New(new) if new.callee.is_ident_ref_to("URL") => {
            known_url(new.args.as_deref().unwrap_or_default(), names)
        }
        _ => KnownText::unknown(),
    }
}

fn known_member(member: &MemberExpr, names: &KnownNames) -> KnownText {
    let name = member.prop.as_ident().map_or("", |name| &*name.sym);
    if is_import_meta(&member.obj) {
        return match name {
            "dirname" => KnownText::own("."),
            "url" | "filename" => KnownText::own(SELF),
            _ => KnownText::unknown(),
        };
    }
    match known_text(&member.obj, names) {
        url if url.is_own && matches!(name, "href" | "pathname") => url,
        _ => KnownText::unknown(),
    }
}

pub(crate) fn is_import_meta(expr: &Expr) -> bool {
    matches!(expr, Expr::MetaProp(MetaPropExpr { kind: MetaPropKind::ImportMeta, .. }))
}

fn known_template(template: &Tpl, names: &KnownNames) -> KnownText {
    let quasi = |index: usize| {
        let cooked = template.quasis.get(index).and_then(|quasi| quasi.cooked.as_ref());
        cooked.map_or_else(KnownText::unknown, |text| KnownText::constant(text.to_string_lossy()))
    };
    let first = quasi(0);
    let holes = template.exprs.iter().enumerate();
    holes.fold(first, |before, (index, hole)| {
        let value = known_text(hole, names);
        let is_own = before.is_own || (value.is_own && before.complete() == Some(""));
        KnownText { is_own, ..before.then(&value).then(&quasi(index + 1)) }
    })
}

fn known_call(call: &CallExpr, names: &KnownNames) -> KnownText {
    let Some(callee) = call.callee.as_expr() else { return KnownText::unknown() };
    let name = match &**callee {
        Expr::Ident(ident) => &*ident.sym,
        Expr::Member(member) => member.prop.as_ident().map_or("", |name| &*name.sym),
        _ => "",
    };
    let Some(first) = call.args.first().filter(|arg| arg.spread.is_none()) else { return KnownText::unknown() };
    let first = known_text(&first.expr, names);
    match name {
        _ if !first.is_own => KnownText::unknown(),
        "fileURLToPath" | "pathToFileURL" | "normalize" | "String" => first,
        "dirname" => match first.complete() {
            Some(path) => KnownText::own(normalised(&format!("{path}/.."))),
            None => KnownText::unknown(),
        },
        "join" | "resolve" => call.args[1..].iter().fold(first, |path, arg| {
            let part = if arg.spread.is_some() { KnownText::unknown() } else { known_text(&arg.expr, names) };
            path.then(&KnownText::constant("/")).then(&part)
        }),
        _ => KnownText::unknown(),
    }
}

/// `new URL(relative, base)`
fn known_url(args: &[ExprOrSpread], names: &KnownNames) -> KnownText {
    let [path, base] = args else { return KnownText::unknown() };
    let (path, base) = (known_text(&path.expr, names), known_text(&base.expr, names));
    match base.complete() {
        Some(base_path) if base.is_own && !path.is_own && !path.prefix.contains(':') => {
            let folder = base_path.rsplit_once('/').map_or(".", |(folder, _)| folder);
            KnownText::own(format!("{folder}/")).then(&path)
        }
        _ => KnownText::unknown(),
    }
}

fn relative(path: &str) -> String {
    if path == ".." || path.starts_with("../") || path == "." { path.to_owned() } else { format!("./{path}") }
}

/// Without `.`, without `..` but at the beginning; `.` if nothing is left.
fn normalised(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}
