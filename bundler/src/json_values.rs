//! Turns JSON modules that are only imported into constants, so that what is not used of them can go.

use std::collections::{HashMap, HashSet};

use swc_core::common::DUMMY_SP;
use swc_core::ecma::ast::*;

use crate::ast::{declare, fresh_ident};
use crate::graph::{Body, CommonJs, Graph, ModuleId, Target};
use crate::purity::Effects;
use crate::requires::Requests;
use crate::scan::{EsModule, Export, ImportBinding, Imported, Part, WrapperNames};

/// Changes JSON modules that nothing `require`s, and of which only the whole is imported, as Node allows.
pub(crate) fn inline_json(graph: &mut Graph) {
    let targets =
        graph.modules.iter().flat_map(|module| module.targets.values().chain(module.matches.values().flatten()));
    let asked: HashSet<ModuleId> = targets.filter_map(module_of).collect();
    let picked = picked_by_name(graph);
    for id in 1..graph.modules.len() {
        let module = &mut graph.modules[id];
        let Body::CommonJs(body) = &mut module.body else { continue };
        if !body.is_json || asked.contains(&id) || picked.contains(&id) {
            continue;
        }
        if let Some(value) = take_value(body) {
            module.body = Body::Esm(Box::new(constant(value)));
        }
    }
}

fn module_of(target: &Target) -> Option<ModuleId> {
    if let Target::Module(id) = target { Some(*id) } else { None }
}

/// Modules of which single names are imported, or all by `export *`.
fn picked_by_name(graph: &Graph) -> HashSet<ModuleId> {
    let mut found = HashSet::new();
    for module in &graph.modules {
        let Some(body) = module.esm() else { continue };
        let is_name = |binding: &&ImportBinding| !matches!(&binding.name, Imported::Name(name) if name == "default");
        let exports = body.exports.iter().filter_map(|(_, export)| match export {
            Export::From(binding) => Some(binding),
            Export::Local(_) => None,
        });
        let records = body.bindings.values().chain(exports).filter(is_name).map(|binding| binding.record);
        let records: Vec<usize> = records.chain(body.stars.iter().copied()).collect();
        found.extend(records.iter().filter_map(|record| module_of(&module.import_targets[*record])));
    }
    found
}

/// The value in `module.exports = value`.
fn take_value(body: &mut CommonJs) -> Option<Box<Expr>> {
    let stmt = body.function.body.as_mut()?.stmts.pop()?;
    Some(stmt.expr()?.expr.assign()?.right)
}

/// `const value = …; export default value`
fn constant(value: Box<Expr>) -> EsModule {
    let id = fresh_ident("json").to_id();
    let part = Part {
        stmt: declare(VarDeclKind::Const, vec![(id.clone(), Some(value))]),
        span: DUMMY_SP,
        uses: Vec::new(),
        effects: Effects::None,
        requests: Requests::default(),
    };
    EsModule {
        imports: Vec::new(),
        bindings: HashMap::new(),
        exports: vec![("default".into(), Export::Local(id.clone()))],
        stars: Vec::new(),
        parts: vec![part],
        declared_by: HashMap::from([(id, vec![0])]),
        awaits: false,
        callable: HashSet::new(),
        wrapper: WrapperNames::Undeclared,
    }
}
