//! Spells the runtime's names so that no global that the program uses is hidden by them.

use std::collections::{HashMap, HashSet};

use swc_core::atoms::Atom;
use swc_core::common::SyntaxContext;
use swc_core::ecma::ast::*;
use swc_core::ecma::visit::{Visit, VisitMut, VisitMutWith, VisitWith};

use crate::Minify;
use crate::emit::{Definition, Pieces};
use crate::finish::source_bytes;
use crate::mangle::next_short_name;
use crate::parallel::map_in_parallel;
use crate::runtime::Given;

/// Names that pieces have in common.
pub(crate) struct CommonNames {
    /// Globals that are used anywhere, and the runtime's own names.
    pub(crate) taken: Vec<Atom>,
    /// What the runtime declares for the others.
    pub(crate) exported: Vec<Atom>,
}

/// Renames the runtime's top level in all pieces: as short as can be, the more so the more a name is used.
pub(crate) fn name_runtime(pieces: &mut Pieces, unresolved: SyntaxContext, minify: Minify) -> CommonNames {
    let runtime = pieces.ctxt;
    let empty = || Census { unresolved, runtime, globals: HashSet::new(), uses: HashMap::new(), evaluates: false };
    let counted = map_in_parallel(bodies(pieces).collect(), weight, |stmts| {
        let mut census = empty();
        stmts.visit_with(&mut census);
        census
    });
    let mut census = counted.into_iter().fold(empty(), Census::and);
    let mut exported: HashSet<Atom> = census.uses.keys().cloned().collect();
    exported.extend(pieces.table.iter().map(|(table, _)| table.0.clone()));
    exported.extend(definitions(pieces).filter_map(|definition| Some(definition.make_require.as_ref()?.0.clone())));
    pieces.runtime.visit_with(&mut census);
    // Its uses are only known in the end, and few: the shortest names are for others.
    if minify != Minify::Fully {
        census.uses.insert(pieces.setter.0.clone(), 0);
        exported.insert(pieces.setter.0.clone());
    }
    for name in pieces.create_require.iter().flatten() {
        census.uses.entry(name.sym.clone()).or_default();
    }
    for (_, (name, _)) in &pieces.given {
        census.uses.entry(name.clone()).or_default();
    }
    let names = census.choose(minify, &pieces.given);
    let exported = exported.iter().filter_map(|name| names.get(name).cloned());
    let mut common = CommonNames {
        exported: exported.collect(),
        taken: census.globals.into_iter().chain(names.values().cloned()).collect(),
    };
    common.exported.sort();
    common.taken.sort();
    let mut namer = Namer { runtime, names: &names };
    map_in_parallel(bodies(pieces).collect(), weight, |stmts| {
        stmts.visit_mut_with(&mut Namer { runtime, names: &names });
    });
    pieces.runtime.visit_mut_with(&mut namer);
    pieces.given.iter_mut().for_each(|(_, id)| namer.rename(&mut id.0));
    pieces.create_require.iter_mut().flatten().for_each(|name| namer.visit_mut_ident(name));
    namer.rename(&mut pieces.setter.0);
    if let Some((table, definitions)) = &mut pieces.table {
        namer.rename(&mut table.0);
        definitions
            .iter_mut()
            .filter_map(|definition| definition.make_require.as_mut())
            .for_each(|id| namer.rename(&mut id.0));
    }
    common
}

fn weight(stmts: &&mut Vec<Stmt>) -> u32 {
    source_bytes(stmts)
}

fn definitions(pieces: &mut Pieces) -> impl Iterator<Item = &mut Definition> {
    pieces.table.iter_mut().flat_map(|(_, definitions)| definitions)
}

/// All code but the runtime's.
fn bodies(pieces: &mut Pieces) -> impl Iterator<Item = &mut Vec<Stmt>> {
    let definitions = pieces.table.iter_mut().flat_map(|(_, definitions)| definitions);
    let functions = definitions.map(|definition| &mut definition.body).chain(&mut pieces.strict);
    let bodies = functions.filter_map(|function| function.body.as_mut()).map(|body| &mut body.stmts);
    bodies.chain([&mut pieces.start])
}

struct Census {
    unresolved: SyntaxContext,
    runtime: SyntaxContext,
    globals: HashSet<Atom>,
    uses: HashMap<Atom, usize>,
    evaluates: bool,
}

impl Census {
    fn and(mut self, other: Census) -> Census {
        self.globals.extend(other.globals);
        other.uses.into_iter().for_each(|(name, uses)| *self.uses.entry(name).or_default() += uses);
        self.evaluates |= other.evaluates;
        self
    }

    /// What is given keeps its key for a name where it can: `{r}` is shorter than `{r: a}`.
    fn choose(&self, minify: Minify, given: &[Given]) -> HashMap<Atom, Atom> {
        let mut by_uses: Vec<(Atom, usize)> = self.uses.iter().map(|(name, uses)| (name.clone(), *uses)).collect();
        by_uses.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let mut n = 0;
        // Code that is evaluated may mention any name, but hardly one with a dollar.
        let is_short = minify != Minify::No && !self.evaluates;
        let keys = given.iter().filter(|(key, _)| is_short && !self.globals.contains(key));
        let mut chosen: HashMap<Atom, Atom> = keys.map(|(key, (name, _))| (name.clone(), key.clone())).collect();
        by_uses.retain(|(name, _)| !chosen.contains_key(name));
        let taken: HashSet<Atom> = chosen.values().cloned().collect();
        let mut choose = |name: &Atom| loop {
            let candidate = match n {
                _ if is_short => next_short_name(&mut n),
                0 => name.clone(),
                n => format!("{name}{n}").into(),
            };
            if !self.globals.contains(&candidate) && !taken.contains(&candidate) {
                n = if is_short { n } else { 0 };
                return candidate;
            }
            n += usize::from(!is_short);
        };
        chosen.extend(by_uses.into_iter().map(|(name, _)| (name.clone(), choose(&name))));
        chosen
    }
}

impl Visit for Census {
    fn visit_ident(&mut self, ident: &Ident) {
        if ident.ctxt == self.runtime {
            *self.uses.entry(ident.sym.clone()).or_default() += 1;
        } else if ident.ctxt == self.unresolved {
            self.globals.insert(ident.sym.clone());
        }
    }

    fn visit_call_expr(&mut self, call: &CallExpr) {
        self.evaluates |= call.callee.as_expr().is_some_and(|callee| callee.is_ident_ref_to("eval"));
        call.visit_children_with(self);
    }

    fn visit_with_stmt(&mut self, stmt: &WithStmt) {
        self.evaluates = true;
        stmt.visit_children_with(self);
    }
}

struct Namer<'n> {
    runtime: SyntaxContext,
    names: &'n HashMap<Atom, Atom>,
}

impl Namer<'_> {
    fn rename(&self, name: &mut Atom) {
        if let Some(chosen) = self.names.get(name) {
            *name = chosen.clone();
        }
    }
}

impl VisitMut for Namer<'_> {
    fn visit_mut_ident(&mut self, ident: &mut Ident) {
        if ident.ctxt == self.runtime {
            self.rename(&mut ident.sym);
        }
    }

    /// `{ name }` keeps its key.
    fn visit_mut_prop(&mut self, prop: &mut Prop) {
        if let Prop::Shorthand(ident) = prop
            && ident.ctxt == self.runtime
        {
            let key = PropName::Ident(IdentName::new(ident.sym.clone(), ident.span));
            *prop = Prop::KeyValue(KeyValueProp { key, value: Box::new(Expr::Ident(ident.clone())) });
        }
        prop.visit_mut_children_with(self);
    }
}
