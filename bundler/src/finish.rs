//! Turns the pieces of a script, whose names are told apart by their contexts, into one program that can be printed.

use swc_core::atoms::Atom;
use swc_core::common::sync::Lrc;
use swc_core::common::{DUMMY_SP, Mark, SourceMap, SyntaxContext};
use swc_core::ecma::ast::*;
use swc_core::ecma::transforms::base::fixer::fixer;
use swc_core::ecma::transforms::base::rename::contains_eval;
use swc_core::ecma::visit::{Visit, VisitMut, VisitMutWith, VisitWith};

use crate::assemble::{assemble_plain, assemble_resumable};
use crate::ast::{
    FunctionKind, array, arrow, call, expr_stmt, function, guarded, guarded_stmts, ident_expr, take_last_call,
    unguarded,
};
use crate::early_vars::split_early_vars;
use crate::emit::{Definition, Pieces};
use crate::emit_commonjs::is_directive;
use crate::keep_names::{NamePlan, SeenNames, collect_names, plan_names, restore_names};
use crate::mangle::{mangle_names, rename_clashes};
use crate::minify::{Annotations, compress, flatten_declarations, shorten_booleans};
use crate::parallel::map_in_parallel;
use crate::parse::{Sources, WRAPPER_PARAMS};
use crate::runtime_names::{CommonNames, name_runtime};
use crate::{Form, Minify};

/// Finishes every piece on its own, on all cores, and puts them together.
pub(crate) fn finish_script(mut pieces: Pieces, sources: &Sources, form: Form, minify: Minify) -> Program {
    let CommonNames { mut taken, exported } = name_runtime(&mut pieces, sources.unresolved_ctxt(), minify);
    taken.extend(WRAPPER_PARAMS.map(Atom::from));
    let setter: Id = (pieces.setter.0.clone(), SyntaxContext::empty());
    let is_flat = pieces.is_flat(form);
    if let (Form::Plain(_), Minify::Fully, Some(strict)) = (form, minify, &mut pieces.strict) {
        flatten_declarations(strict);
    }
    let finisher = Finisher {
        map: sources.map.clone(),
        minify,
        annotations: Annotations::of(&sources.comments),
        unresolved: sources.unresolved,
        runtime: pieces.ctxt,
        // What is no function of its own shares its scope with everything.
        exported,
        taken: if is_flat { taken } else { vec![setter.0.clone()] },
        setter,
    };
    let shortened = map_in_parallel(take_units(&mut pieces), |unit| finisher.shorten(unit));
    let gain: usize = shortened.iter().map(|unit| unit.plan.gain).sum();
    let naming = if gain > SETTER_BYTES { Naming::Shortest } else { Naming::ByBinding };
    let mut finished = map_in_parallel(shortened, |unit| finisher.name(unit, naming)).into_iter();
    let mut is_setter_used = false;
    let mut next = || {
        let (program, used) = finished.next().unwrap_or_else(|| unreachable!("every piece is finished"));
        is_setter_used |= used;
        program
    };
    for definition in pieces.table.iter_mut().flat_map(|(_, definitions)| definitions) {
        definition.body = unguarded(next());
    }
    if let Some(strict) = &mut pieces.strict {
        *strict = unguarded(next());
    }
    pieces.runtime = unguarded(next()).body.map(|body| body.stmts).unwrap_or_default();
    take_last_call(&mut pieces.runtime, KEEP);
    if !is_setter_used {
        let setter = &pieces.setter.0;
        pieces.runtime.retain(|stmt| !matches!(stmt, Stmt::Decl(Decl::Fn(decl)) if decl.ident.sym == *setter));
        pieces.given.retain(|(_, (name, _))| name != setter);
    }
    match form {
        Form::Resumable => assemble_resumable(pieces),
        Form::Plain(format) => assemble_plain(pieces, format),
    }
}

/// A piece that is finished without looking at the others.
enum Unit {
    Function(Function),
    /// One that only exports a value: often large, and nothing in it can be said shorter.
    Value(Function),
    /// Their declarations are seen from the other pieces.
    Runtime(Vec<Stmt>),
}

fn take_units(pieces: &mut Pieces) -> Vec<Unit> {
    let definitions = pieces.table.iter_mut().flat_map(|(_, definitions)| definitions);
    let unit = |definition: &mut Definition| {
        let body = std::mem::take(&mut definition.body);
        if definition.is_value { Unit::Value(body) } else { Unit::Function(body) }
    };
    let mut units: Vec<Unit> = definitions.map(unit).collect();
    units.extend(pieces.strict.as_mut().map(|strict| Unit::Function(std::mem::take(strict))));
    units.push(Unit::Runtime(std::mem::take(&mut pieces.runtime)));
    units
}

/// The runtime's function that sets names, printed.
const SETTER_BYTES: usize = 140;

/// How functions and classes get the names that can be seen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Naming {
    /// From what they are bound to.
    ByBinding,
    /// By being set, where that is shorter.
    Shortest,
}

/// A unit whose code is as short as it can be, but not its names.
struct Shortened {
    program: Program,
    names: SeenNames,
    plan: NamePlan,
    /// Whether its names may be shortened.
    mangles: bool,
    is_runtime: bool,
}

struct Finisher {
    map: Lrc<SourceMap>,
    minify: Minify,
    annotations: Annotations,
    unresolved: Mark,
    runtime: SyntaxContext,
    setter: Id,
    /// What the runtime declares for the other pieces.
    exported: Vec<Atom>,
    /// Names that no piece may use for its own.
    taken: Vec<Atom>,
}

impl Finisher {
    fn shorten(&self, unit: Unit) -> Shortened {
        let mut plan = NamePlan::default();
        let is_runtime = matches!(unit, Unit::Runtime(_));
        let is_value = matches!(unit, Unit::Value(_));
        let mut program = match unit {
            Unit::Function(function) | Unit::Value(function) => guarded(function, self.unresolved),
            Unit::Runtime(mut body) => {
                plan.kept.extend(body.iter().flat_map(crate::runtime::declared));
                body.push(keep_alive(&self.exported, self.runtime, self.unresolved));
                guarded(function(FunctionKind::Plain, Vec::new(), body), self.unresolved)
            }
        };
        let names = if self.keeps_names() { collect_names(&program, self.runtime) } else { SeenNames::default() };
        let mangles = self.minify != Minify::No && !contains_eval(&program, true);
        if mangles {
            if is_value {
                shorten_booleans(&mut program);
            } else if !has_function_in_block(&program) {
                if self.keeps_names() {
                    split_early_vars(&mut program, &self.map);
                }
                program = compress(program, &self.annotations, self.unresolved, self.minify);
            }
            if !is_runtime {
                plan = plan_names(&program, guarded_stmts(&program), &names);
            }
        }
        Shortened { program, names, plan, mangles, is_runtime }
    }

    /// Whether the runtime's setter of names is used is told, too.
    fn name(&self, unit: Shortened, naming: Naming) -> (Program, bool) {
        let Shortened { mut program, names, plan: NamePlan { mut kept, set, .. }, mangles, is_runtime } = unit;
        let taken = if is_runtime { &[][..] } else { &self.taken[..] };
        if mangles {
            if naming == Naming::Shortest {
                kept.retain(|id| !set.contains(id));
            }
            mangle_names(&mut program, kept, taken);
        } else {
            rename_clashes(&mut program, taken);
        }
        let is_setter_used = self.keeps_names() && restore_names(&mut program, &names, &self.setter);
        fixer(None).process(&mut program);
        program.visit_mut_with(&mut BareYields);
        (program, is_setter_used)
    }

    fn keeps_names(&self) -> bool {
        self.minify != Minify::Fully
    }
}

/// What [`keep_alive`] calls.
const KEEP: &str = "$keep";

/// `$keep(() => [a++, b++])`: nobody can tell what becomes of the names, or when.
fn keep_alive(names: &[Atom], runtime: SyntaxContext, unresolved: Mark) -> Stmt {
    let change = |name: &Atom| {
        let arg = ident_expr(&(name.clone(), runtime));
        Box::new(Expr::Update(UpdateExpr { span: DUMMY_SP, op: op!("++"), prefix: false, arg }))
    };
    let changes = array(names.iter().map(change).collect());
    let keep = ident_expr(&(KEEP.into(), SyntaxContext::empty().apply_mark(unresolved)));
    expr_stmt(call(keep, vec![arrow(changes)], DUMMY_SP))
}

/// `f((yield a))` needs one pair of parentheses only.
struct BareYields;

impl VisitMut for BareYields {
    fn visit_mut_expr_or_spread(&mut self, arg: &mut ExprOrSpread) {
        arg.visit_mut_children_with(self);
        if let Expr::Paren(paren) = &mut *arg.expr
            && paren.expr.is_yield_expr()
        {
            arg.expr = std::mem::replace(&mut paren.expr, Box::new(Expr::Invalid(Invalid { span: DUMMY_SP })));
        }
    }
}

/// In sloppy code a function in a block is also a variable of the function around, which is undefined until the
/// block has run. The minifier takes blocks apart as if it were not so.
fn has_function_in_block(program: &Program) -> bool {
    let mut finder = FunctionInBlock { found: false };
    program.visit_with(&mut finder);
    finder.found
}

struct FunctionInBlock {
    found: bool,
}

impl Visit for FunctionInBlock {
    fn visit_block_stmt(&mut self, block: &BlockStmt) {
        self.found |= block.stmts.iter().any(|stmt| matches!(stmt, Stmt::Decl(Decl::Fn(_))));
        block.visit_children_with(self);
    }

    fn visit_function_body(&mut self, body: &FunctionBody) {
        let is_strict = |stmt: &Stmt| matches!(stmt, Stmt::Expr(stmt) if is_use_strict(&stmt.expr));
        if !body.stmts.iter().take_while(|stmt| is_directive(stmt)).any(is_strict) {
            body.visit_children_with(self);
        }
    }

    fn visit_class(&mut self, _: &Class) {}
}

fn is_use_strict(expr: &Expr) -> bool {
    matches!(expr, Expr::Lit(Lit::Str(text)) if text.value == "use strict")
}
