//! Turns the pieces of a script, whose names are told apart by their contexts, into one program that can be printed.

use swc_core::atoms::Atom;
use swc_core::common::{DUMMY_SP, Mark, Spanned, SyntaxContext};
use swc_core::ecma::ast::*;
use swc_core::ecma::transforms::base::fixer::fixer;
use swc_core::ecma::transforms::base::rename::contains_eval;
use swc_core::ecma::visit::{Visit, VisitMut, VisitMutWith, VisitWith};

use crate::assemble::{Directives, assemble_plain, assemble_resumable, drop_directives, module_function};
use crate::ast::{
    FunctionKind, array, arrow, call, expr_stmt, function, guarded, guarded_stmts, ident_expr, take_last_call,
    unguarded,
};
use crate::early_vars::split_early_vars;
use crate::emit::{Definition, Pieces};
use crate::emit_commonjs::is_directive;
use crate::keep_names::{NamePlan, SeenNames, collect_names, plan_names, restore_names};
use crate::mangle::{mangle_names, rename_clashes};
use crate::minify::{Annotations, Passes, compress, flatten_declarations, shorten_booleans};
use crate::parallel::map_in_parallel;
use crate::parse::{Sources, WRAPPER_PARAMS};
use crate::print::{Printer, Text};
use crate::runtime_names::{CommonNames, name_runtime};
use crate::{Form, Minify};

/// A script that is ready to be printed.
pub(crate) struct Finished {
    /// Placeholders stand in it for the CommonJS modules.
    pub(crate) program: Program,
    /// These, by number, printed already.
    pub(crate) modules: Vec<Text>,
    /// What they were printed from.
    pub(crate) spent: Vec<Expr>,
}

/// Finishes every piece on its own, on all cores, and puts them together.
pub(crate) fn finish_script(
    mut pieces: Pieces,
    sources: &Sources,
    form: Form,
    minify: Minify,
    printer: &Printer,
) -> Finished {
    let CommonNames { mut taken, exported } = name_runtime(&mut pieces, sources.unresolved_ctxt(), minify);
    taken.extend(WRAPPER_PARAMS.map(Atom::from));
    let setter: Id = (pieces.setter.0.clone(), SyntaxContext::empty());
    let directives = Directives::of(&pieces, form);
    if let (Form::Plain(_), Minify::Fully, Some(strict)) = (form, minify, &mut pieces.strict) {
        flatten_declarations(strict);
    }
    let finisher = Finisher {
        printer,
        minify,
        annotations: Annotations::of(&sources.comments),
        unresolved: sources.unresolved,
        runtime: pieces.ctxt,
        // What is no function of its own shares its scope with everything.
        exported,
        taken: if directives.is_flat { taken } else { vec![setter.0.clone()] },
        setter,
    };
    let finished = finisher.finish(take_units(&mut pieces, &directives));
    let mut is_setter_used = false;
    let (mut modules, mut spent) = (Vec::new(), Vec::new());
    for Named { code, uses_setter } in finished {
        is_setter_used |= uses_setter;
        match code {
            Code::Printed(text, function) => {
                modules.push(text);
                spent.push(*function);
            }
            Code::Strict(function) => pieces.strict = Some(function),
            Code::Runtime(stmts) => pieces.runtime = stmts,
        }
    }
    if !is_setter_used {
        let setter = &pieces.setter.0;
        pieces.runtime.retain(|stmt| !matches!(stmt, Stmt::Decl(Decl::Fn(decl)) if decl.ident.sym == *setter));
        pieces.given.retain(|(_, (name, _))| name != setter);
    }
    let program = match form {
        Form::Resumable => assemble_resumable(pieces, &directives),
        Form::Plain(format) => assemble_plain(pieces, &directives, format),
    };
    Finished { program, modules, spent }
}

/// A piece that is finished without looking at the others.
struct Unit {
    function: Function,
    kind: UnitKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum UnitKind {
    /// A CommonJS module.
    Module {
        /// It only exports a value: often large, and nothing in it can be said shorter.
        is_value: bool,
        /// It needs no directive of its own.
        is_covered: bool,
    },
    /// The program's ES modules.
    Strict,
    /// Its declarations are seen from the other pieces.
    Runtime,
}

fn take_units(pieces: &mut Pieces, directives: &Directives) -> Vec<Unit> {
    let definitions = pieces.table.iter_mut().flat_map(|(_, definitions)| definitions);
    let unit = |(number, definition): (usize, &mut Definition)| {
        let kind = UnitKind::Module { is_value: definition.is_value, is_covered: directives.covers(number) };
        Unit { function: std::mem::take(&mut definition.body), kind }
    };
    let mut units: Vec<Unit> = definitions.enumerate().map(unit).collect();
    units.extend(pieces.strict.take().map(|function| Unit { function, kind: UnitKind::Strict }));
    let runtime = function(FunctionKind::Plain, Vec::new(), std::mem::take(&mut pieces.runtime));
    units.push(Unit { function: runtime, kind: UnitKind::Runtime });
    units
}

impl Unit {
    /// How much there is to do.
    fn weight(&self) -> u32 {
        match self.kind {
            UnitKind::Module { is_value: true, .. } | UnitKind::Runtime => 0,
            _ => self.function.body.as_ref().map_or(0, |body| source_bytes(&body.stmts)),
        }
    }
}

/// How long statements were in their sources.
pub(crate) fn source_bytes(stmts: &[Stmt]) -> u32 {
    stmts.iter().map(Spanned::span).filter(|span| !span.is_dummy()).map(|span| (span.hi - span.lo).0).sum()
}

/// The runtime's function that sets names, printed.
const SETTER_BYTES: usize = 140;

/// A second pass takes 0.1 to 0.2 % off a program, and a third of the compressor's time: of a CommonJS module that is
/// larger, such as lodash, the others would have to wait for it.
const ONE_PASS_BYTES: u32 = 32 << 10;

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
    kind: UnitKind,
}

/// A unit that is finished.
struct Named {
    code: Code,
    /// Whether it uses the runtime's setter of names.
    uses_setter: bool,
}

enum Code {
    Printed(Text, Box<Expr>),
    Strict(Function),
    Runtime(Vec<Stmt>),
}

struct Finisher<'p> {
    printer: &'p Printer,
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

impl Shortened {
    fn weight(&self) -> u32 {
        source_bytes(guarded_stmts(&self.program))
    }
}

impl Finisher<'_> {
    fn finish(&self, units: Vec<Unit>) -> Vec<Named> {
        if !self.keeps_names() {
            let finish = |unit| self.name(self.shorten(unit), Naming::ByBinding);
            return map_in_parallel(units, Unit::weight, finish);
        }
        let shortened = map_in_parallel(units, Unit::weight, |unit| self.shorten(unit));
        let gain: usize = shortened.iter().map(|unit| unit.plan.gain).sum();
        let naming = if gain > SETTER_BYTES { Naming::Shortest } else { Naming::ByBinding };
        map_in_parallel(shortened, Shortened::weight, |unit| self.name(unit, naming))
    }

    fn shorten(&self, unit: Unit) -> Shortened {
        let passes = match unit.kind {
            UnitKind::Module { .. } if unit.weight() > ONE_PASS_BYTES => Passes::One,
            _ => Passes::Two,
        };
        let Unit { mut function, kind } = unit;
        let mut plan = NamePlan::default();
        if let (UnitKind::Runtime, Some(body)) = (kind, &mut function.body) {
            plan.kept.extend(body.stmts.iter().flat_map(crate::runtime::declared));
            body.stmts.push(keep_alive(&self.exported, self.runtime, self.unresolved));
        }
        let mut program = guarded(function, self.unresolved);
        let names = if self.keeps_names() { collect_names(&program, self.runtime) } else { SeenNames::default() };
        let mangles = self.minify != Minify::No && !contains_eval(&program, true);
        if mangles {
            if matches!(kind, UnitKind::Module { is_value: true, .. }) {
                shorten_booleans(&mut program);
            } else if !has_function_in_block(&program) {
                if self.keeps_names() {
                    split_early_vars(&mut program, &self.printer.sources);
                }
                program = compress(program, &self.annotations, self.unresolved, self.minify, passes);
            }
            if kind != UnitKind::Runtime && self.keeps_names() {
                plan = plan_names(&program, guarded_stmts(&program), &names);
            }
        }
        Shortened { program, names, plan, mangles, kind }
    }

    fn name(&self, unit: Shortened, naming: Naming) -> Named {
        let Shortened { mut program, names, plan: NamePlan { mut kept, set, .. }, mangles, kind } = unit;
        let taken = if kind == UnitKind::Runtime { &[][..] } else { &self.taken[..] };
        if mangles {
            if naming == Naming::Shortest {
                kept.retain(|id| !set.contains(id));
            }
            mangle_names(&mut program, kept, taken);
        } else {
            rename_clashes(&mut program, taken);
        }
        let uses_setter = self.keeps_names() && restore_names(&mut program, &names, &self.setter);
        fixer(None).process(&mut program);
        program.visit_mut_with(&mut BareYields);
        let mut function = unguarded(program);
        let code = match kind {
            UnitKind::Module { is_covered, .. } => {
                if is_covered {
                    drop_directives(&mut function);
                }
                let function = module_function(function);
                Code::Printed(self.printer.print(&function), function)
            }
            UnitKind::Strict => Code::Strict(function),
            UnitKind::Runtime => {
                let mut stmts = function.body.map(|body| body.stmts).unwrap_or_default();
                take_last_call(&mut stmts, KEEP);
                Code::Runtime(stmts)
            }
        };
        Named { code, uses_setter }
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
