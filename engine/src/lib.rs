//! The guest: QuickJS-ng running Node's own library over bindings of ours, driven by the host through the exports of
//! `edgepack_format::guest`.

mod app_files;
mod bindings;
mod bootstrap;
mod engine;
pub mod exports;
mod file_tree;
mod host;
mod js;
mod library;
mod places;
mod program;
mod script;

// Tests link the host calls natively too.
#[cfg(all(test, feature = "native"))]
use edgepack_stub as _;
