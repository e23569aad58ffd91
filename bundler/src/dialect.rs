//! Turns what a file's tsconfig.json and extension say into how the file is read.

use std::path::Path;

use oxc_resolver::{CompilerOptions, TsConfig};
use swc_core::ecma::transforms::react;

/// The language that a file is written in, as far as it is more than JavaScript.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dialect {
    /// Without its dot.
    pub(crate) extension: String,
    pub(crate) jsx: Jsx,
    pub(crate) decorators: Decorators,
    /// Fields without a value are only types.
    pub(crate) drops_empty_fields: bool,
    /// Imports stay unless they say `type`.
    pub(crate) verbatim: bool,
}

/// What JSX becomes.
#[derive(Debug, Clone, Default)]
pub(crate) enum Jsx {
    /// Calls of a function that is in scope; `None` for `React.createElement` and `React.Fragment`.
    #[default]
    React,
    Classic {
        factory: Option<String>,
        fragment: Option<String>,
    },
    /// Calls of functions imported from `<source>/jsx-runtime`.
    Automatic {
        source: Option<String>,
    },
}

/// Which decorators are meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Decorators {
    /// Those of the language's proposal of November 2023.
    #[default]
    Standard,
    /// TypeScript's `experimentalDecorators`.
    Legacy,
    /// With `emitDecoratorMetadata`.
    LegacyWithMetadata,
}

impl Dialect {
    /// Packages are published as JavaScript: a tsconfig.json inside of one says nothing.
    pub(crate) fn of(file: &Path, tsconfig: Option<&TsConfig>) -> Self {
        let extension = file.extension().map_or_else(String::new, |extension| extension.to_string_lossy().into_owned());
        let Some(options) = tsconfig.map(|tsconfig| &tsconfig.compiler_options) else {
            return Self { extension, ..Self::default() };
        };
        Self {
            extension,
            jsx: jsx_of(options),
            decorators: decorators_of(options),
            drops_empty_fields: drops_empty_fields(options),
            verbatim: options.verbatim_module_syntax.unwrap_or(false),
        }
    }

    pub(crate) fn is_typescript(&self) -> bool {
        matches!(&*self.extension, "ts" | "mts" | "cts" | "tsx")
    }

    pub(crate) fn has_jsx(&self) -> bool {
        matches!(&*self.extension, "jsx" | "tsx")
    }

    /// The settings of swc's transform of JSX.
    pub(crate) fn jsx_options(&self) -> react::Options {
        let mut options = react::Options { runtime: Some(react::Runtime::Classic), ..react::Options::default() };
        match &self.jsx {
            Jsx::React => {}
            Jsx::Classic { factory, fragment } => {
                options.pragma = factory.clone().map(Into::into);
                options.pragma_frag = fragment.clone().map(Into::into);
            }
            Jsx::Automatic { source } => {
                options.runtime = Some(react::Runtime::Automatic);
                options.import_source = source.as_deref().map(Into::into);
            }
        }
        options
    }
}

fn jsx_of(options: &CompilerOptions) -> Jsx {
    match options.jsx.as_deref() {
        // `preserve` leaves it to a later tool, which is us.
        Some("react-jsx" | "react-jsxdev" | "preserve") => Jsx::Automatic { source: options.jsx_import_source.clone() },
        _ => Jsx::Classic { factory: options.jsx_factory.clone(), fragment: options.jsx_fragment_factory.clone() },
    }
}

fn decorators_of(options: &CompilerOptions) -> Decorators {
    match (options.experimental_decorators, options.emit_decorator_metadata) {
        (Some(true), Some(true)) => Decorators::LegacyWithMetadata,
        (Some(true), _) => Decorators::Legacy,
        _ => Decorators::Standard,
    }
}

/// TypeScript's rule, but for a `target` that is not stated: then fields are what they are in Node.
fn drops_empty_fields(options: &CompilerOptions) -> bool {
    let is_old = |target: &String| {
        let target = target.to_ascii_lowercase();
        target != "esnext" && target.trim_start_matches("es").parse::<u32>().is_ok_and(|year| year < 2022)
    };
    match options.use_define_for_class_fields {
        Some(defines) => !defines,
        None => options.target.as_ref().is_some_and(is_old),
    }
}
