//! Turns types, JSX and decorators into JavaScript, with every name resolved.

use swc_core::common::{DUMMY_SP, Mark, SyntaxContext};
use swc_core::ecma::ast::*;
use swc_core::ecma::transforms::base::fixer::paren_remover;
use swc_core::ecma::transforms::base::helpers::{HELPERS, Helpers, inject_helpers};
use swc_core::ecma::transforms::base::resolver;
use swc_core::ecma::transforms::proposal::decorator_2023_11::decorator_2023_11;
use swc_core::ecma::transforms::proposal::decorators::{Config as DecoratorConfig, decorators};
use swc_core::ecma::transforms::{react, typescript};
use swc_core::ecma::visit::{VisitMut, VisitMutWith};

use crate::ast::{FunctionKind, expr_stmt, function, function_expr};
use crate::catch_vars::move_catch_vars;
use crate::dialect::{Decorators, Dialect};
use crate::parse::{Sources, WRAPPER_PARAMS};

/// Resolves the names of an ES module, and leaves JavaScript.
pub(crate) fn lower_module(sources: &Sources, module: Module, dialect: &Dialect) -> Module {
    let mut program = Program::Module(module);
    lower(sources, &mut program, dialect, Mark::new());
    match program {
        Program::Module(module) => module,
        Program::Script(script) => {
            Module { span: script.span, body: script.body.into_iter().map(ModuleItem::Stmt).collect(), shebang: None }
        }
    }
}

/// The same for a CommonJS module. The wrapper is put around before, so that its parameters are bindings like any other.
pub(crate) fn lower_commonjs(sources: &Sources, script: Script, dialect: &Dialect) -> Function {
    let params = WRAPPER_PARAMS.iter().map(|name| Ident::new_no_ctxt((*name).into(), DUMMY_SP)).collect();
    let wrapper = function_expr(function(FunctionKind::Generator, params, script.body));
    let top_level = Mark::new();
    let script = Script { span: script.span, body: vec![expr_stmt(wrapper)], shebang: None };
    let mut program = Program::Script(script);
    lower(sources, &mut program, dialect, top_level);
    let Program::Script(script) = program else { return Function::default() };
    let mut added = script.body;
    let wrapper = added.pop().and_then(|stmt| match stmt {
        Stmt::Expr(ExprStmt { expr, .. }) => expr.fn_expr().map(|wrapper| *wrapper.function),
        _ => None,
    });
    let mut function = wrapper.unwrap_or_default();
    if dialect.is_typescript() || dialect.has_jsx() {
        move_into(&mut function, added, sources.unresolved_ctxt(), SyntaxContext::empty().apply_mark(top_level));
    }
    function
}

fn lower(sources: &Sources, program: &mut Program, dialect: &Dialect, top_level: Mark) {
    move_catch_vars(program);
    program.mutate(&mut resolver(sources.unresolved, top_level, dialect.is_typescript()));
    if dialect.is_typescript() || dialect.has_jsx() {
        HELPERS.set(&Helpers::new(false), || lower_syntax(sources, program, dialect, top_level));
    }
    program.mutate(&mut paren_remover(Some(&sources.comments)));
}

fn lower_syntax(sources: &Sources, program: &mut Program, dialect: &Dialect, top_level: Mark) {
    lower_decorators(program, dialect);
    if dialect.drops_empty_fields {
        program.visit_mut_with(&mut EmptyFields);
    }
    if dialect.is_typescript() {
        let config = typescript::Config {
            native_class_properties: true,
            no_empty_export: true,
            verbatim_module_syntax: dialect.verbatim,
            // `import x = require('x')` among other imports.
            import_export_assign_config: typescript::TsImportExportAssignConfig::NodeNext,
            ..typescript::Config::default()
        };
        if dialect.has_jsx() {
            let pragmas = dialect.jsx_options();
            let tsx = typescript::TsxConfig { pragma: pragmas.pragma, pragma_frag: pragmas.pragma_frag };
            let comments = Some(&sources.comments);
            let map = sources.map.clone();
            program.mutate(&mut typescript::tsx(map, config, tsx, comments, sources.unresolved, top_level));
        } else {
            program.mutate(&mut typescript::typescript(config, sources.unresolved, top_level));
        }
    }
    if dialect.has_jsx() {
        let comments = Some(&sources.comments);
        let options = dialect.jsx_options();
        program.mutate(&mut react::react(sources.map.clone(), comments, options, top_level, sources.unresolved));
    }
    program.mutate(&mut inject_helpers(sources.unresolved));
}

fn lower_decorators(program: &mut Program, dialect: &Dialect) {
    match dialect.decorators {
        Decorators::Standard => program.mutate(&mut decorator_2023_11()),
        legacy => program.mutate(&mut decorators(DecoratorConfig {
            legacy: true,
            emit_metadata: legacy == Decorators::LegacyWithMetadata,
            use_define_for_class_fields: !dialect.drops_empty_fields,
        })),
    }
}

/// Removes the fields that only have a type.
struct EmptyFields;

impl VisitMut for EmptyFields {
    fn visit_mut_class(&mut self, class: &mut Class) {
        class.visit_mut_children_with(self);
        class.body.retain(|member| !matches!(member, ClassMember::ClassProp(prop) if prop.value.is_none()));
    }
}

/// What the transforms have put before the wrapper of a CommonJS module goes into it, where its names are.
fn move_into(function: &mut Function, mut added: Vec<Stmt>, unresolved: SyntaxContext, top_level: SyntaxContext) {
    let wrapper = function.params.first().and_then(|param| param.pat.as_ident()).map(|name| name.ctxt);
    let (Some(body), Some(wrapper)) = (&mut function.body, wrapper) else { return };
    added.visit_mut_with(&mut MovedNames { unresolved, top_level, wrapper });
    // JSX has named its factory as one of the top level.
    body.stmts.visit_mut_with(&mut MovedNames { unresolved: top_level, top_level, wrapper });
    let directives = body.stmts.iter().take_while(|stmt| crate::emit_commonjs::is_directive(stmt)).count();
    body.stmts.splice(directives..directives, added);
}

struct MovedNames {
    unresolved: SyntaxContext,
    top_level: SyntaxContext,
    wrapper: SyntaxContext,
}

impl VisitMut for MovedNames {
    fn visit_mut_ident(&mut self, ident: &mut Ident) {
        if ident.ctxt == self.top_level || (ident.sym == "require" && ident.ctxt == self.unresolved) {
            ident.ctxt = self.wrapper;
        }
    }
}
