//! Turns a source file into the syntax of a module, with the module system decided.

use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use swc_core::common::comments::{Comments, SingleThreadedComments};
use swc_core::common::sync::Lrc;
use swc_core::common::{DUMMY_SP, Mark, SourceFile, SourceMap, Span, Spanned, SyntaxContext};
use swc_core::ecma::ast::*;
use swc_core::ecma::parser::{
    EsSyntax, Syntax, TsSyntax, error::Error, parse_file_as_commonjs, parse_file_as_module, parse_file_as_program,
};

use crate::ast::{call, declare, expr_stmt, guarded, unguarded};
use crate::define::{Defines, apply_defines};
use crate::dialect::Dialect;
use crate::early_errors::early_errors;
use crate::lower::{lower_commonjs, lower_module};
use crate::package::PackageType;

/// What all files of a build share, on every thread.
#[derive(Clone)]
pub(crate) struct Setting {
    pub(crate) map: Lrc<SourceMap>,
    pub(crate) unresolved: Mark,
    defines: Arc<Defines>,
}

/// The same with the comments, of all files or of one.
pub(crate) struct Sources {
    pub(crate) setting: Setting,
    pub(crate) comments: SingleThreadedComments,
}

impl Deref for Sources {
    type Target = Setting;

    fn deref(&self) -> &Setting {
        &self.setting
    }
}

/// A source file as a module of one of Node's two kinds.
pub(crate) enum Parsed {
    /// The body as the function that Node wraps around it; its five parameters are all there.
    CommonJs(Box<Function>),
    Esm(Module),
}

/// A syntax error: where, and what.
pub(crate) struct SyntaxError {
    pub(crate) span: Span,
    pub(crate) message: String,
}

/// The names of Node's module wrapper, in order.
pub(crate) const WRAPPER_PARAMS: [&str; 5] = ["exports", "require", "module", "__filename", "__dirname"];

impl Sources {
    pub(crate) fn new(defines: Defines) -> Self {
        Self::of(Setting { map: Lrc::default(), unresolved: Mark::new(), defines: Arc::new(defines) })
    }

    /// Without any comment.
    pub(crate) fn of(setting: Setting) -> Self {
        Self { setting, comments: SingleThreadedComments::default() }
    }

    pub(crate) fn unresolved_ctxt(&self) -> SyntaxContext {
        SyntaxContext::empty().apply_mark(self.unresolved)
    }
}

/// How a file is parsed.
#[derive(Clone, Copy)]
struct Grammar {
    syntax: Syntax,
    system: ModuleSystem,
}

/// Turns a file into a module, with its names resolved.
pub(crate) fn parse_module(
    sources: &Sources,
    file: &Lrc<SourceFile>,
    dialect: &Dialect,
    package: PackageType,
) -> Result<Parsed, Vec<SyntaxError>> {
    let grammar = Grammar { syntax: syntax_for(dialect), system: module_system(&dialect.extension, package) };
    let program = parse_file(file, grammar, &sources.comments).map_err(|error| vec![error])?;
    lower_parsed(sources, program, dialect)
}

/// Turns the syntax of a file into that of a module, with its names resolved.
fn lower_parsed(sources: &Sources, program: Program, dialect: &Dialect) -> Result<Parsed, Vec<SyntaxError>> {
    Ok(match program {
        Program::Module(module) => {
            // In TypeScript a name may stand for a type and a value at once.
            let errors = if dialect.is_typescript() { Vec::new() } else { early_errors(&module) };
            if !errors.is_empty() {
                return Err(errors);
            }
            let mut program = Program::Module(lower_module(sources, module, dialect));
            apply_defines(&mut program, &sources.defines, sources.unresolved);
            Parsed::Esm(program.module().unwrap_or_default())
        }
        Program::Script(script) => {
            let mut program = guarded(lower_commonjs(sources, script, dialect), sources.unresolved);
            apply_defines(&mut program, &sources.defines, sources.unresolved);
            Parsed::CommonJs(Box::new(unguarded(program)))
        }
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ModuleSystem {
    Esm,
    CommonJs,
    /// Node tries CommonJS, and ESM if the syntax asks for it.
    BySyntax,
}

fn module_system(extension: &str, package: PackageType) -> ModuleSystem {
    match (extension, package) {
        ("mjs" | "mts", _) => ModuleSystem::Esm,
        ("cjs" | "cts", _) => ModuleSystem::CommonJs,
        // Compilers accept `import` in TypeScript whatever package.json says.
        ("ts" | "tsx", PackageType::Module) | ("js" | "jsx", PackageType::Module) => ModuleSystem::Esm,
        ("js" | "jsx", PackageType::CommonJs) => ModuleSystem::CommonJs,
        _ => ModuleSystem::BySyntax,
    }
}

fn syntax_for(dialect: &Dialect) -> Syntax {
    if dialect.is_typescript() {
        return Syntax::Typescript(TsSyntax { tsx: dialect.has_jsx(), decorators: true, ..TsSyntax::default() });
    }
    Syntax::Es(EsSyntax {
        jsx: dialect.has_jsx(),
        import_attributes: true,
        explicit_resource_management: true,
        ..EsSyntax::default()
    })
}

/// Parses a file. A few malformed sources break what swc's parser asserts.
fn parse_file(
    file: &Lrc<SourceFile>,
    grammar: Grammar,
    comments: &SingleThreadedComments,
) -> Result<Program, SyntaxError> {
    catch_unwind(AssertUnwindSafe(|| parse_program(file, grammar, comments))).unwrap_or_else(|panic| {
        let reason = panic.downcast_ref::<String>().map(|text| text.trim_start_matches("assertion failed: "));
        let message = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
        Err(SyntaxError {
            span: Span::new(file.start_pos, file.start_pos),
            message: format!("the parser gives up on this file{message}"),
        })
    })
}

fn parse_program(
    file: &Lrc<SourceFile>,
    Grammar { syntax, system }: Grammar,
    comments: &SingleThreadedComments,
) -> Result<Program, SyntaxError> {
    let comments: Option<&dyn Comments> = if tells_by_comments(file, syntax) { Some(comments) } else { None };
    let as_module = || {
        let mut errors = Vec::new();
        let parsed = parse_file_as_module(file, syntax, EsVersion::EsNext, comments, &mut errors);
        first_error(parsed, errors).map(Program::Module)
    };
    let as_commonjs = || {
        let mut errors = Vec::new();
        let parsed = parse_file_as_commonjs(file, syntax, EsVersion::EsNext, comments, &mut errors);
        first_error(parsed, errors).map(Program::Script)
    };
    let typescript = matches!(syntax, Syntax::Typescript(_));
    let as_typescript_commonjs = || match as_module()? {
        Program::Module(module) if typescript => Ok(into_script(module).map_or_else(Program::Module, Program::Script)),
        program => Ok(program),
    };
    match system {
        ModuleSystem::Esm => as_module(),
        ModuleSystem::CommonJs => as_commonjs().or_else(|error| match as_typescript_commonjs() {
            Ok(Program::Script(script)) => Ok(Program::Script(script)),
            _ => Err(error),
        }),
        ModuleSystem::BySyntax => as_commonjs().or_else(|commonjs_error| {
            as_typescript_commonjs()
                .map_err(|module_error| if looks_like_esm(file, syntax) { module_error } else { commonjs_error })
        }),
    }
}

/// Whether a comment may mean something, as `/*#__PURE__*/` and `@jsx` do: most comments are only long.
fn tells_by_comments(file: &SourceFile, syntax: Syntax) -> bool {
    syntax.jsx() || syntax.typescript() || ["#__", "@__"].iter().any(|mark| file.src.contains(mark))
}

fn looks_like_esm(file: &Lrc<SourceFile>, syntax: Syntax) -> bool {
    let parsed = parse_file_as_program(file, syntax, EsVersion::EsNext, None, &mut Vec::new());
    parsed.map_or_else(
        |_| file.src.lines().any(|line| line.starts_with("import ") || line.starts_with("export ")),
        |program| program.is_module(),
    )
}

fn first_error<T>(parsed: Result<T, Error>, recovered: Vec<Error>) -> Result<T, SyntaxError> {
    let found = match parsed {
        Ok(parsed) if recovered.is_empty() => return Ok(parsed),
        Ok(_) => recovered.into_iter().next(),
        Err(error) => Some(recovered.into_iter().next().unwrap_or(error)),
    };
    let (span, message) =
        found.map_or((DUMMY_SP, String::new()), |error| (error.span(), error.into_kind().msg().into_owned()));
    Err(SyntaxError { span, message })
}

/// TypeScript's CommonJS: all of its imports and exports are `import x = require('x')` and `export = x`.
fn into_script(module: Module) -> Result<Script, Module> {
    let is_commonjs = |item: &ModuleItem| match item {
        ModuleItem::Stmt(_) | ModuleItem::ModuleDecl(ModuleDecl::TsExportAssignment(_)) => true,
        ModuleItem::ModuleDecl(ModuleDecl::TsImportEquals(import)) => !import.is_export,
        ModuleItem::ModuleDecl(ModuleDecl::Import(import)) => import.type_only,
        ModuleItem::ModuleDecl(_) => false,
    };
    let says_so = |item: &ModuleItem| {
        matches!(item, ModuleItem::ModuleDecl(ModuleDecl::TsExportAssignment(_) | ModuleDecl::TsImportEquals(_)))
    };
    if !module.body.iter().all(is_commonjs) || !module.body.iter().any(says_so) {
        return Err(module);
    }
    Ok(Script { span: module.span, body: module.body.into_iter().filter_map(statement_of).collect(), shebang: None })
}

fn statement_of(item: ModuleItem) -> Option<Stmt> {
    let name = |name: &str| Box::new(Expr::Ident(Ident::new_no_ctxt(name.into(), DUMMY_SP)));
    match item {
        ModuleItem::Stmt(stmt) => Some(stmt),
        ModuleItem::ModuleDecl(ModuleDecl::TsExportAssignment(export)) => {
            let exports = MemberExpr {
                span: DUMMY_SP,
                obj: name("module"),
                prop: IdentName::new("exports".into(), DUMMY_SP).into(),
            };
            let assign = AssignExpr { span: export.span, op: op!("="), left: exports.into(), right: export.expr };
            Some(expr_stmt(Box::new(Expr::Assign(assign))))
        }
        ModuleItem::ModuleDecl(ModuleDecl::TsImportEquals(import)) if !import.is_type_only => match import.module_ref {
            TsModuleRef::TsExternalModuleRef(module) => {
                let required = call(name("require"), vec![Box::new(Expr::Lit(Lit::Str(module.expr)))], import.span);
                Some(declare(VarDeclKind::Const, vec![(import.id.to_id(), Some(required))]))
            }
            module_ref => Some(Stmt::Decl(Decl::Var(Box::new(VarDecl {
                kind: VarDeclKind::Const,
                decls: vec![VarDeclarator {
                    span: import.span,
                    name: Pat::Ident(import.id.into()),
                    init: entity(module_ref),
                    definite: false,
                }],
                ..VarDecl::default()
            })))),
        },
        ModuleItem::ModuleDecl(_) => None,
    }
}

/// `import x = a.b`
fn entity(reference: TsModuleRef) -> Option<Box<Expr>> {
    fn expr_of(name: TsEntityName) -> Box<Expr> {
        match name {
            TsEntityName::Ident(ident) => Box::new(Expr::Ident(ident)),
            TsEntityName::TsQualifiedName(name) => {
                Box::new(Expr::Member(MemberExpr { span: name.span, obj: expr_of(name.left), prop: name.right.into() }))
            }
        }
    }
    match reference {
        TsModuleRef::TsEntityName(name) => Some(expr_of(name)),
        TsModuleRef::TsExternalModuleRef(_) => None,
    }
}
