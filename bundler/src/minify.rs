//! Says the same with fewer words, by SWC's minifier.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use swc_core::common::comments::{Comment, SingleThreadedComments, SingleThreadedCommentsMapInner};
use swc_core::common::sync::Lrc;
use swc_core::common::{BytePos, Mark, Spanned};
use swc_core::ecma::ast::{Bool, EsVersion, Expr, Function, Id, Lit, Program, UnaryExpr, VarDeclKind, op};
use swc_core::ecma::minifier::optimize;
use swc_core::ecma::minifier::option::{CompressOptions, ExtraOptions, MinifyOptions};
use swc_core::ecma::utils::find_pat_ids;
use swc_core::ecma::visit::{VisitMut, VisitMutWith};

use crate::Minify;
use crate::ast::number;
use crate::pure_names::find_reassigned;

/// The comments that tell a minifier something, by the position of what follows them.
pub(crate) struct Annotations(BTreeMap<BytePos, Vec<Comment>>);

impl Annotations {
    /// Those among `comments`.
    pub(crate) fn of(comments: &SingleThreadedComments) -> Self {
        let (leading, _) = comments.borrow_all();
        let tells = |comment: &Comment| comment.text.contains("__");
        let found = leading.iter().filter(|(_, comments)| comments.iter().any(tells));
        Self(found.map(|(pos, comments)| (*pos, comments.clone())).collect())
    }

    /// Those of one piece of code, for one thread.
    fn within(&self, span: swc_core::common::Span) -> SingleThreadedComments {
        let all = span.is_dummy();
        let found = self.0.iter().filter(|(pos, _)| all || (span.lo <= **pos && **pos < span.hi));
        let leading: SingleThreadedCommentsMapInner = found.map(|(pos, comments)| (*pos, comments.clone())).collect();
        SingleThreadedComments::from_leading_and_trailing(Rc::new(RefCell::new(leading)), Rc::default())
    }
}

/// How often the compressor goes over a piece of code.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Passes {
    One = 1,
    Two = 2,
}

/// Compresses `program`, but leaves its names alone.
pub(crate) fn compress(
    program: Program,
    annotations: &Annotations,
    unresolved: Mark,
    minify: Minify,
    passes: Passes,
) -> Program {
    let comments = annotations.within(program.span());
    let compress = CompressOptions { passes: passes as usize, ..compress_options(minify) };
    let options = MinifyOptions { compress: Some(compress), ..MinifyOptions::default() };
    let extra = ExtraOptions { unresolved_mark: unresolved, top_level_mark: Mark::new(), mangle_name_cache: None };
    optimize(program, Lrc::default(), Some(&comments), None, &options, &extra)
}

fn compress_options(minify: Minify) -> CompressOptions {
    let is_careful = minify == Minify::KeepNames;
    CompressOptions {
        ecma: EsVersion::EsNext,
        keep_fnames: is_careful,
        keep_classnames: is_careful,
        reduce_vars: true,
        // Assigning to a constant is an error that may be met on purpose.
        const_to_let: !is_careful,
        // Nobody knows what a program does to the globals.
        pristine_globals: !is_careful,
        ..CompressOptions::default()
    }
}

/// Turns what a function's body declares by `let` and `const` into variables, which can be declared together.
/// That nothing is read before its declaration is assumed, as other bundlers do.
pub(crate) fn flatten_declarations(function: &mut Function) {
    let Some(body) = &mut function.body else { return };
    let reassigned = find_reassigned(&body.stmts);
    for var in body.stmts.iter_mut().filter_map(|stmt| stmt.as_mut_decl()?.as_mut_var()) {
        let ids: Vec<Id> = find_pat_ids(&var.decls);
        if var.kind != VarDeclKind::Const || !ids.iter().any(|id| reassigned.contains(id)) {
            var.kind = VarDeclKind::Var;
        }
    }
}

/// Writes `true` as `!0`.
pub(crate) fn shorten_booleans(program: &mut Program) {
    program.visit_mut_with(&mut BooleanShortener);
}

struct BooleanShortener;

impl VisitMut for BooleanShortener {
    fn visit_mut_expr(&mut self, expr: &mut Expr) {
        expr.visit_mut_children_with(self);
        if let Expr::Lit(Lit::Bool(Bool { span, value })) = *expr {
            let arg = number(usize::from(!value));
            *expr = Expr::Unary(UnaryExpr { span, op: op!("!"), arg });
        }
    }
}
