//! One file per command.

pub(crate) mod audit;
pub(crate) mod build;
pub(crate) mod bundle;
pub(crate) mod inspect;
pub(crate) mod node;
pub(crate) mod run;
pub(crate) mod runtime;
pub(crate) mod targets;
pub(crate) mod why;
