//! Turns a source file into syntax with every name resolved, types removed and the module system decided.

use swc_core::common::comments::SingleThreadedComments;
use swc_core::common::sync::Lrc;
use swc_core::common::{DUMMY_SP, FileName, Mark, SourceFile, SourceMap, Span, Spanned, SyntaxContext};
use swc_core::ecma::ast::*;
use swc_core::ecma::parser::{
    EsSyntax, Syntax, TsSyntax, error::Error, parse_file_as_commonjs, parse_file_as_module, parse_file_as_program,
};
use swc_core::ecma::transforms::base::fixer::paren_remover;
use swc_core::ecma::transforms::base::resolver;
use swc_core::ecma::transforms::typescript;

use crate::ast::{FunctionKind, expr_stmt, function, function_expr, guarded, unguarded};
use crate::define::{Defines, apply_defines};
use crate::package::PackageType;

/// What all files of a build share.
pub(crate) struct Sources {
    pub(crate) map: Lrc<SourceMap>,
    pub(crate) comments: SingleThreadedComments,
    pub(crate) unresolved: Mark,
    pub(crate) defines: Defines,
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
        Self { map: Lrc::default(), comments: SingleThreadedComments::default(), unresolved: Mark::new(), defines }
    }

    pub(crate) fn unresolved_ctxt(&self) -> SyntaxContext {
        SyntaxContext::empty().apply_mark(self.unresolved)
    }
}

/// Parses `text`; `extension` is without its dot.
pub(crate) fn parse_source(
    sources: &Sources,
    path: &str,
    extension: &str,
    package: PackageType,
    text: String,
) -> Result<Parsed, SyntaxError> {
    let file = sources.map.new_source_file(Lrc::new(FileName::Custom(path.to_owned())), text);
    let typescript = matches!(extension, "ts" | "mts" | "cts" | "tsx");
    let program = parse_program(sources, &file, syntax_for(extension), module_system(extension, package))?;
    Ok(match program {
        Program::Module(module) => {
            let mut program = Program::Module(resolve_module(sources, module, typescript));
            apply_defines(&mut program, &sources.defines, sources.unresolved);
            Parsed::Esm(program.module().unwrap_or_default())
        }
        Program::Script(script) => {
            let mut program = guarded(resolve_commonjs(sources, script, typescript), sources.unresolved);
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

fn syntax_for(extension: &str) -> Syntax {
    match extension {
        "ts" | "mts" | "cts" | "tsx" => {
            // JSX and decorators are refused by the parser: nothing here would turn them into JavaScript.
            Syntax::Typescript(TsSyntax::default())
        }
        _ => {
            Syntax::Es(EsSyntax { import_attributes: true, explicit_resource_management: true, ..EsSyntax::default() })
        }
    }
}

fn parse_program(
    sources: &Sources,
    file: &Lrc<SourceFile>,
    syntax: Syntax,
    system: ModuleSystem,
) -> Result<Program, SyntaxError> {
    let as_module = || {
        let mut errors = Vec::new();
        let parsed = parse_file_as_module(file, syntax, EsVersion::EsNext, Some(&sources.comments), &mut errors);
        first_error(parsed, errors).map(Program::Module)
    };
    let as_commonjs = || {
        let mut errors = Vec::new();
        let parsed = parse_file_as_commonjs(file, syntax, EsVersion::EsNext, Some(&sources.comments), &mut errors);
        first_error(parsed, errors).map(Program::Script)
    };
    match system {
        ModuleSystem::Esm => as_module(),
        ModuleSystem::CommonJs => as_commonjs(),
        ModuleSystem::BySyntax => as_commonjs().or_else(|commonjs_error| {
            as_module().map_err(
                |module_error| {
                    if looks_like_esm(sources, file, syntax) { module_error } else { commonjs_error }
                },
            )
        }),
    }
}

fn looks_like_esm(sources: &Sources, file: &Lrc<SourceFile>, syntax: Syntax) -> bool {
    let parsed = parse_file_as_program(file, syntax, EsVersion::EsNext, Some(&sources.comments), &mut Vec::new());
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

fn resolve_module(sources: &Sources, module: Module, typescript: bool) -> Module {
    match resolve_names(sources, Program::Module(module), typescript) {
        Program::Module(module) => module,
        Program::Script(script) => {
            Module { span: script.span, body: script.body.into_iter().map(ModuleItem::Stmt).collect(), shebang: None }
        }
    }
}

/// The wrapper is put around before names are resolved, so that its parameters are bindings like any other.
fn resolve_commonjs(sources: &Sources, script: Script, typescript: bool) -> Function {
    let params = WRAPPER_PARAMS.iter().map(|name| Ident::new_no_ctxt((*name).into(), DUMMY_SP)).collect();
    let wrapper = function_expr(function(FunctionKind::Generator, params, script.body));
    let script = Script { span: script.span, body: vec![expr_stmt(wrapper)], shebang: None };
    let resolved = resolve_names(sources, Program::Script(script), typescript);
    let found = match resolved {
        Program::Script(script) => script.body.into_iter().find_map(|stmt| match stmt {
            Stmt::Expr(ExprStmt { expr, .. }) => expr.fn_expr().map(|wrapper| *wrapper.function),
            _ => None,
        }),
        Program::Module(_) => None,
    };
    found.unwrap_or_default()
}

fn resolve_names(sources: &Sources, program: Program, typescript: bool) -> Program {
    let top_level = Mark::new();
    let program = program.apply(&mut resolver(sources.unresolved, top_level, typescript));
    let program = if typescript {
        let config = typescript::Config { native_class_properties: true, no_empty_export: true, ..Default::default() };
        program.apply(&mut typescript::typescript(config, sources.unresolved, top_level))
    } else {
        program
    };
    program.apply(&mut paren_remover(Some(&sources.comments)))
}
