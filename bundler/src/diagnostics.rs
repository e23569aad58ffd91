//! What went wrong or may go wrong: a sentence, the place with a code frame, and a hint.

use std::fmt;

use serde::{Deserialize, Serialize};
use swc_core::common::{SourceMap, Span};

/// Whether a diagnostic stops the build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Severity {
    /// Nothing is built.
    Error,
    /// The bundle is built; the sentence says what happens at run time.
    Warning,
}

/// One finding about the app's sources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Whether it stops the build.
    pub severity: Severity,
    /// One sentence.
    pub message: String,
    /// The file, relative to the app's root.
    pub file: String,
    /// One-based; zero when the finding concerns the whole file.
    pub line: usize,
    /// One-based, in characters.
    pub column: usize,
    /// The source line with a caret under the place; empty without a place.
    pub frame: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The files through which this one is reached, from the entry on.
    pub importers: Vec<String>,
}

/// All findings of a build that failed; at least one is an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostic {
    pub(crate) fn of_file(severity: Severity, file: &str, message: impl Into<String>) -> Self {
        Self {
            severity,
            message: message.into(),
            file: file.to_owned(),
            line: 0,
            column: 0,
            frame: String::new(),
            hint: None,
            importers: Vec::new(),
        }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds line, column and code frame of `span`.
    pub(crate) fn at(mut self, sources: &SourceMap, span: Span) -> Self {
        if span.is_dummy() {
            return self;
        }
        let Ok(start) = sources.try_lookup_char_pos(span.lo) else { return self };
        self.line = start.line;
        self.column = start.col.0 + 1;
        let Some(text) = start.file.get_line(start.line - 1) else { return self };
        self.frame = draw_frame(&text, start.line, start.col.0, span_width(sources, span));
        self
    }
}

impl Diagnostic {
    /// Adds a place known by line and column, both one-based, of a file that is not among the parsed sources.
    pub(crate) fn at_line(mut self, text: &str, line: usize, column: usize) -> Self {
        self.line = line;
        self.column = column;
        let shown = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        self.frame = draw_frame(shown, line, column.saturating_sub(1), 1);
        self
    }
}

fn span_width(sources: &SourceMap, span: Span) -> usize {
    let (Ok(start), Ok(end)) = (sources.try_lookup_char_pos(span.lo), sources.try_lookup_char_pos(span.hi)) else {
        return 1;
    };
    if start.line == end.line { end.col.0.saturating_sub(start.col.0).max(1) } else { 1 }
}

/// Long lines (minified sources) are cut to a window around the place.
fn draw_frame(text: &str, line: usize, column: usize, width: usize) -> String {
    const BEFORE: usize = 60;
    const WINDOW: usize = 120;
    let skipped = if column > WINDOW { column - BEFORE } else { 0 };
    let shown: String = text.chars().skip(skipped).take(WINDOW).map(|c| if c == '\t' { ' ' } else { c }).collect();
    let gutter = line.to_string();
    let caret_at = column - skipped;
    let carets = "^".repeat(width.min(WINDOW.saturating_sub(caret_at)).max(1));
    format!("{gutter} | {}\n{} | {}{carets}", shown.trim_end(), " ".repeat(gutter.len()), " ".repeat(caret_at))
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{label}: {}", self.message)?;
        if self.line > 0 {
            write!(f, "\n  at {}:{}:{}", self.file, self.line, self.column)?;
        } else if !self.file.is_empty() {
            write!(f, "\n  at {}", self.file)?;
        }
        for line in self.frame.lines() {
            write!(f, "\n    {line}")?;
        }
        if self.importers.len() > 1 {
            write!(f, "\n  imported through {}", self.importers.join(" > "))?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

impl Diagnostics {
    /// The findings that stop the build.
    pub fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter().filter(|found| found.severity == Severity::Error)
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(found: Diagnostic) -> Self {
        Self(vec![found])
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, found) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            found.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}
