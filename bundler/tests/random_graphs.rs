//! Random module graphs, bundled, do what Node does: cycles, re-exports, both module systems, side effects in order.
//!
//! The graphs are the same at every run. `EDGEPACK_GRAPHS=FROM..TO` chooses others by their seeds.

mod reference;
mod side_by_side;

use std::fmt::Write;
use std::fs;

use edgepack_bundler::Whitespace;

use self::reference::{Random, bundle_entry, compare, run_bundle, run_node};
use self::side_by_side::{seeds, side_by_side};

#[test]
fn random_graphs_do_what_node_does() {
    let differs = |seed| check(seed).err().map(|reason| format!("── seed {seed}\n{reason}")).into_iter().collect();
    let failures: Vec<String> = side_by_side(seeds("EDGEPACK_GRAPHS"), differs);
    assert!(failures.is_empty(), "{} graphs differ:\n{}", failures.len(), failures.join("\n"));
}

pub(crate) fn check(seed: u64) -> Result<(), String> {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let (edges, files) = graph(seed);
    for (name, text) in &files {
        fs::write(folder.path().join(name), text).expect("the scratch folder can be written to");
    }
    let show = |reason: String| {
        let sources = files.iter().map(|(name, text)| format!("--- {name}\n{text}")).collect::<String>();
        format!("{reason}{sources}")
    };
    let entry = folder.path().join(&files[0].0);
    let ran = run_node(folder.path(), &[&entry.to_string_lossy()]);
    let expected = String::from_utf8_lossy(&ran.stdout);
    assert!(!expected.is_empty(), "node prints nothing: {}", String::from_utf8_lossy(&ran.stderr));
    // The minifier assumes that nothing is read before its declaration, which in circles happens.
    let whitespace = if edges == Edges::Down { Whitespace::Minimal } else { Whitespace::Readable };
    let bundle = bundle_entry(&entry, whitespace).map_err(|found| show(format!("{found}\n")))?;
    let found = run_bundle(&bundle, &folder.path().join("out"), folder.path(), &[]);
    compare(&expected, ran.status.code(), &ran.stderr, &found).map_err(show)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Esm,
    CommonJs,
}

/// What a module may ask for. An ES module that is `require`d must not lead back to who asks: Node refuses that, in
/// different words, and sometimes by aborting.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Edges {
    /// Any module, but CommonJS modules do not `require` ES modules.
    InCircles,
    /// Modules further down only.
    Down,
}

struct Shape {
    kinds: Vec<Kind>,
    edges: Edges,
    awaits: bool,
}

impl Shape {
    /// A module for module `id` to ask for; none if there is no such.
    fn pick(&self, random: &mut Random, id: usize) -> Option<usize> {
        let count = self.kinds.len();
        match self.edges {
            Edges::InCircles => Some(random.below(count)),
            Edges::Down => (id + 1 < count).then(|| id + 1 + random.below(count - id - 1)),
        }
    }
}

/// Two to eight modules; the first is the entry.
fn graph(seed: u64) -> (Edges, Vec<(String, String)>) {
    let mut random = Random(seed);
    let kinds: Vec<Kind> =
        (0..2 + random.below(7)).map(|_| if random.once_in(3) { Kind::CommonJs } else { Kind::Esm }).collect();
    let edges = if random.once_in(3) { Edges::Down } else { Edges::InCircles };
    let shape = Shape { kinds, edges, awaits: random.once_in(3) };
    let files = (0..shape.kinds.len())
        .map(|id| {
            let text = match shape.kinds[id] {
                Kind::Esm => esm(&mut random, &shape, id),
                Kind::CommonJs => commonjs(&mut random, &shape, id),
            };
            (file(&shape.kinds, id), text)
        })
        .collect();
    (edges, files)
}

fn file(kinds: &[Kind], id: usize) -> String {
    format!("m{id}.{}", if kinds[id] == Kind::Esm { "mjs" } else { "cjs" })
}

/// Every module exports `v`, `f` and a default, each with its number.
fn esm(random: &mut Random, shape: &Shape, id: usize) -> String {
    let kinds = &shape.kinds;
    let mut head = String::new();
    let mut body = format!("console.log('{id} starts');\n");
    for use_number in 0..random.below(4) {
        let Some(other) = shape.pick(random, id) else { break };
        let from = file(kinds, other);
        let name = format!("x{use_number}");
        match random.below(8) {
            0 => writeln!(head, "import './{from}';"),
            // The names of a CommonJS module come last in a namespace, and in Node `module.exports` is one of them.
            1 if kinds[other] == Kind::Esm => writeln!(head, "export * from './{from}';"),
            2 => writeln!(head, "export {{ v{other} as r{id}_{use_number} }} from './{from}';"),
            3 => writeln!(head, "export * as n{id}_{use_number} from './{from}';"),
            4 => {
                writeln!(body, "{}", probe(id, &format!("Object.getOwnPropertyNames({name}).join()")))
                    .expect("a string");
                writeln!(body, "{}", probe(id, &format!("{name}.v{other}"))).expect("a string");
                writeln!(head, "import * as {name} from './{from}';")
            }
            5 => {
                let value = format!("typeof {name} === 'object' ? Object.getOwnPropertyNames({name}).join() : {name}");
                writeln!(body, "{}", probe(id, &value)).expect("a string");
                writeln!(head, "import {name} from './{from}';")
            }
            6 => {
                writeln!(body, "{}", probe(id, &format!("{name}()"))).expect("a string");
                writeln!(head, "import {{ f{other} as {name} }} from './{from}';")
            }
            _ => {
                writeln!(body, "{}", probe(id, &name)).expect("a string");
                writeln!(head, "import {{ v{other} as {name} }} from './{from}';")
            }
        }
        .expect("a string");
    }
    if shape.awaits && random.once_in(3) {
        writeln!(body, "await {};\nconsole.log('{id} goes on');", random.below(2)).expect("a string");
    }
    if random.once_in(5) {
        let other = file(kinds, random.below(kinds.len()));
        writeln!(body, "{}", later(id, &other)).expect("a string");
    }
    let declaration = ["let", "var", "const"][random.below(3)];
    writeln!(body, "export {declaration} v{id} = 'v{id}';").expect("a string");
    writeln!(body, "export function f{id}() {{ return typeof v{id}; }}").expect("a string");
    let default = ["'d'", "function () { return 1; }", "class {}"][random.below(3)];
    writeln!(body, "export default {default};").expect("a string");
    if declaration == "let" && random.once_in(2) {
        writeln!(body, "v{id} += '!';").expect("a string");
    }
    format!("{head}{body}console.log('{id} ends');\n")
}

fn commonjs(random: &mut Random, shape: &Shape, id: usize) -> String {
    let kinds = &shape.kinds;
    let mut body = format!("console.log('{id} starts');\n");
    let early = random.once_in(2);
    let exports = format!("exports.v{id} = 'v{id}';\nexports.f{id} = () => typeof exports.v{id};\n");
    if early {
        body.push_str(&exports);
    }
    for _ in 0..random.below(3) {
        let Some(other) = shape.pick(random, id) else { break };
        let from = file(kinds, other);
        let value = format!("Object.getOwnPropertyNames(require('./{from}')).join()");
        let line = match random.below(4) {
            _ if kinds[other] == Kind::Esm && shape.edges == Edges::InCircles => later(id, &from),
            0 => format!("setImmediate(() => {{ {} }});", probe(id, &value)),
            1 => later(id, &from),
            2 => probe(id, &format!("require('./{from}').v{other}")),
            _ => probe(id, &value),
        };
        writeln!(body, "{line}").expect("a string");
    }
    if !early {
        body.push_str(&exports);
    }
    format!("{body}console.log('{id} ends');\n")
}

/// What a module sees of another may not be there yet. Which of several reasons `require` of an ES module gives for
/// failing (it awaits, it is part of a cycle) is not compared.
fn probe(id: usize, value: &str) -> String {
    format!(
        "try {{ console.log({id}, {value}); }} catch (error) {{ console.log({id}, (error.code ?? error.name).slice(0, 11)); }}"
    )
}

/// Long after everything else, and one after the other: how many turns an `import()` takes is not promised.
fn later(id: usize, file: &str) -> String {
    format!(
        "globalThis.last = (globalThis.last ?? new Promise((done) => setImmediate(() => setImmediate(() => setImmediate(done))))).then(() => import('./{file}')).then(\
        (ns) => console.log({id}, Object.getOwnPropertyNames(ns).join()), \
        (error) => console.log({id}, error.code ?? error.name));"
    )
}
