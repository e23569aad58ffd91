//! Random programs do what Node does, whether they boot from a snapshot or from the beginning: pure work at module scope,
//! inputs, effects, exceptions, requires, awaits, and what is still alive when start-up ends.
//!
//! The programs are the same at every run. `EDGEPACK_PROGRAMS=FROM..TO` chooses others by their seeds.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use edgepack_bundler::Minify;
use edgepack_format::targets::{TARGETS, Target};

use crate::args::{AllowArgs, SourceMapPlace};
use crate::build::{Plan, StartUp, pack};
use crate::embedded;
use crate::progress::{Audience, Progress};

#[path = "../tests/reference/mod.rs"]
mod reference;
#[path = "../../bundler/tests/side_by_side/mod.rs"]
mod side_by_side;

use side_by_side::{seeds, side_by_side};

#[test]
fn random_programs_do_what_node_does_with_a_snapshot_and_without() {
    let bench = Bench::new();
    let differs =
        |seed| bench.check(seed).err().map(|reason| format!("── seed {seed}\n{reason}")).into_iter().collect();
    let failures: Vec<String> = side_by_side(seeds("EDGEPACK_PROGRAMS"), differs);
    assert!(failures.is_empty(), "{} programs differ:\n{}", failures.len(), failures.join("\n"));
}

struct Bench {
    node: PathBuf,
    folder: tempfile::TempDir,
    runtime: PathBuf,
    target: &'static Target,
}

impl Bench {
    fn new() -> Bench {
        let own = |target: &&Target| target.host_arch == std::env::consts::ARCH;
        let target = TARGETS.iter().find(own).expect("this machine is a target");
        let folder = tempfile::tempdir().expect("a scratch folder");
        let runtime = folder.path().join("edgepack-run");
        fs::write(&runtime, embedded::stub(target).expect("a stub")).expect("the scratch folder can be written to");
        let status = Command::new("chmod").arg("+x").arg(&runtime).status();
        assert!(status.is_ok_and(|status| status.success()), "the runtime can be made executable");
        let node = reference::node().unwrap_or_else(|message| panic!("{message}"));
        Bench { node, folder, runtime, target }
    }

    fn check(&self, seed: u64) -> Result<(), String> {
        let files = program(seed);
        let app = self.folder.path().join(seed.to_string());
        fs::create_dir(&app).expect("the scratch folder can be written to");
        for (name, text) in &files {
            fs::write(app.join(name), text).expect("the scratch folder can be written to");
        }
        let entry = app.join(&files[0].0);
        let expected = ran(Command::new(&self.node).arg(&entry));
        let mut told = String::new();
        for (how, start_up) in [("with a snapshot", StartUp::Run), ("without a snapshot", StartUp::Nothing)] {
            let found = match self.packed(&entry, start_up) {
                Ok(container) => {
                    let path = app.join("app.epk");
                    fs::write(&path, container).expect("the scratch folder can be written to");
                    ran(Command::new(&self.runtime).arg(&path))
                }
                Err(error) => format!("not built: {error:#}"),
            };
            if found != expected {
                let lines = expected.lines().zip(found.lines());
                let same = lines.take_while(|(expected, found)| expected == found).count();
                let shown = |text: &str| text.lines().skip(same).take(3).collect::<Vec<_>>().join("\n");
                writeln!(told, "=== node, from line {}\n{}", same + 1, shown(&expected)).expect("a string");
                writeln!(told, "=== {how}\n{}", shown(&found)).expect("a string");
            }
        }
        fs::remove_dir_all(&app).expect("the scratch folder can be written to");
        if told.is_empty() {
            return Ok(());
        }
        let sources: String = files.iter().map(|(name, text)| format!("--- {name}\n{text}")).collect();
        Err(format!("{sources}{told}"))
    }

    fn packed(&self, entry: &Path, start_up: StartUp) -> anyhow::Result<Vec<u8>> {
        let allow = AllowArgs { allow_all: true, ..AllowArgs::default() };
        let plan = Plan {
            entry,
            targets: &[self.target],
            allow: &allow,
            start_up,
            source_map: SourceMapPlace::None,
            minify: Minify::KeepNames,
            define: &[],
            audit: false,
        };
        let packed = pack(&plan, &mut Progress::new(Audience::Silent))?;
        Ok(packed.variants.into_iter().next().expect("a variant").container)
    }
}

/// Standard output and how it ended: what errors say differs from engine to engine.
fn ran(command: &mut Command) -> String {
    let Output { status, stdout, .. } =
        command.env("FUZZ", "granted").stdin(Stdio::null()).output().expect("it can be started");
    format!("{}{status}\n", String::from_utf8_lossy(&stdout))
}

/// xorshift64*, by Marsaglia and Vigna.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap_or(0) % end.max(1)
    }

    fn pick<'t>(&mut self, all: &[&'t str]) -> &'t str {
        all[self.below(all.len())]
    }
}

/// A program's files; the first is the entry.
fn program(seed: u64) -> Vec<(String, String)> {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let is_esm = random.below(2) == 0;
    let modules = 1 + random.below(3);
    let extension = if is_esm { "mjs" } else { "cjs" };
    let name = |module: usize| if module == 0 { format!("main.{extension}") } else { format!("m{module}.{extension}") };
    let write = |module: usize| {
        let mut writer =
            Writer { random: &mut random, is_esm, module, text: String::new(), values: Vec::new(), next: 0 };
        writer.module(modules);
        (name(module), writer.text)
    };
    (0..modules).map(write).collect()
}

/// Writes one module: statements over the values made so far.
struct Writer<'r> {
    random: &'r mut Random,
    is_esm: bool,
    module: usize,
    text: String,
    /// Names of values that can be printed.
    values: Vec<String>,
    next: usize,
}

/// What differs from process to process, reduced to what does not.
const INPUTS: &[&str] = &[
    "Date.now() > 1e12",
    "typeof Math.random()",
    "process.pid > 0",
    "performance.now() >= 0",
    "process.env.FUZZ",
    "process.argv.length",
    "typeof process.hrtime.bigint()",
    "process.uptime() >= 0",
    "process.memoryUsage().rss > 0",
    "new Date().getFullYear() > 2000",
    "typeof crypto.randomUUID()",
    "process.cwd().length > 0",
    "require('os').hostname().length > 0",
    "require('fs').existsSync('/no/such/file')",
    "require('crypto').randomBytes(4).length",
    "process.env.NO_SUCH_VARIABLE",
];

/// Timers run one after the other: how two of them would overtake each other depends on how fast the machine is.
const LATER: &str = "const later = globalThis.later ??= (() => { let last = Promise.resolve(); return (then) => { last = last.then(() => new Promise((done) => { setTimeout(() => { done(); then(); }, 1); })); }; })();";

const PURE: &[&str] = &[
    "[3, 1, 2].sort().map((x) => x * §)",
    "Object.entries({ a: §, b: [§, 2] })",
    "JSON.parse('{\"k\":[§,{\"z\":null}]}')",
    "new Map([['a', §], ['b', { c: § }]])",
    "new Set([§, 'x', §])",
    "Array.from({ length: § % 7 }, (_, i) => i * i)",
    "'text-§'.replace(/(\\w+)-(\\d+)/, '$2:$1')",
    "[...'aXbXc'.matchAll(/X(.)/g)].map((m) => m[1])",
    "new Date(§ * 86400000).toISOString()",
    "Buffer.from('bytes §').toString('base64')",
    "new Uint16Array([§, 65536 + §, -1])",
    "(§ ** 3).toString(36)",
    "BigInt(§) ** 20n",
    "Symbol.for('s' + §).description",
    "structuredClone({ deep: { list: [§] } })",
    "require('crypto').createHash('md5').update('§').digest('hex')",
    "require('path').join('a', '..', 'b' + §)",
    "new URL('http://h/p?q=§#f').searchParams.get('q')",
    "require('util').format('%s %d %j', 'n', §, { n: § })",
    "[1, [2, [§]]].flat(Infinity)",
    "(() => { let s = 0; for (let i = 0; i < §; i++) { if (i % 3 === 0) continue; s += i; } return s; })()",
    "((a, { b = §, ...rest } = {}) => [a, b, rest])(1, { c: 2 })",
    "new (class P { #x = §; static made = 1; get x() { return this.#x + P.made; } })().x",
    "typeof globalThis.absent?.deep[§]",
    "(function f(n) { return n < 2 ? 1 : n * f(n - 1); })(§ % 10)",
    "[..._gen(§)]",
    "Reflect.ownKeys(new Proxy({ a: § }, { ownKeys: (t) => [...Reflect.ownKeys(t), 'b'] }))",
    "new Error('e' + §).message",
];

impl Writer<'_> {
    fn module(&mut self, modules: usize) {
        let out = &mut self.text;
        if self.is_esm {
            if self.module == 0 {
                (1..modules).for_each(|m| out.push_str(&format!("import * as m{m} from './m{m}.mjs';\n")));
            }
            // The bundler knows what it makes.
            out.push_str("import * as os_ from 'os'; import * as fs_ from 'fs'; import * as crypto_ from 'crypto';\n");
            out.push_str(
                "import * as path_ from 'path'; import * as util_ from 'util'; import * as events_ from 'events';\n",
            );
            out.push_str("const require = (id) => ({ os: os_, fs: fs_, crypto: crypto_, path: path_, util: util_, events: events_.default })[id];\n");
        }
        let module = self.module;
        self.line(&format!("const say = (...all) => console.log('{module}', ...all);"));
        self.line(LATER);
        self.line("function* _gen(n) { for (let i = 0; i < n % 5; i++) yield i * n; }");
        for _ in 0..4 + self.random.below(9) {
            self.statement(modules);
        }
        let values = self.values.join(", ");
        if self.is_esm {
            self.line(&format!("export const all = () => [{values}];"));
        } else {
            self.line(&format!("exports.all = () => [{values}];"));
        }
        if module == 0 {
            (1..modules).for_each(|m| {
                let other = if self.is_esm { format!("m{m}") } else { format!("require('./m{m}.cjs')") };
                self.line(&format!("say('module {m}', {other}.all());"));
            });
            self.line(&format!("process.on('exit', (code) => say('exit', code, {values}));"));
            if self.random.below(12) == 0 {
                self.line("later(() => { throw new Error('at last'); });");
            }
        }
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn fresh(&mut self) -> String {
        self.next += 1;
        format!("v{}", self.next)
    }

    fn pure(&mut self) -> String {
        let number = (2 + self.random.below(30)).to_string();
        self.random.pick(PURE).replace('§', &number)
    }

    /// Modules that await at once go on in an order of their own, which a bundle does not have: only one may.
    fn may_await(&self) -> bool {
        self.is_esm && self.module == 0
    }

    fn known(&mut self) -> String {
        if self.values.is_empty() { "0".to_owned() } else { self.values[self.random.below(self.values.len())].clone() }
    }

    fn statement(&mut self, modules: usize) {
        let (name, pure, known) = (self.fresh(), self.pure(), self.known());
        let input = self.random.pick(INPUTS);
        let number = self.random.below(9);
        let text = match self.random.below(22) {
            0 | 1 => format!("const {name} = {pure};"),
            2 | 3 => format!("const {name} = {input};"),
            4 => format!("let {name} = [{known}]; {name}.push({pure}); say({name}.length);"),
            5 => format!("say('{name}', {known});\nconst {name} = {number};"),
            6 => format!(
                "const {name} = {{ count: 0 }}; later(() => {{ {name}.count += {number}; say('timer {name}', {name}); }});"
            ),
            7 => format!(
                "const {name} = []; process.nextTick(() => {{ {name}.push('tick'); say('tick {name}'); }}); Promise.resolve().then(() => {{ {name}.push('job'); say('job {name}', {name}); }});"
            ),
            8 => format!(
                "const {name} = {{}}; (async () => {{ {name}.a = 1; await null; {name}.b = {pure}; await new Promise((done) => later(done)); say('async {name}', {name}, {known}); }})();"
            ),
            9 => format!(
                "const {name} = (function* () {{ let n = {number}; for (;;) n += yield n; }})(); {name}.next(); say({name}.next(2).value);\nlater(() => say('generator {name}', {name}.next(5).value));"
            ),
            10 => format!(
                "class C{name} {{ static #made = 0; static {{ say('static {name}'); C{name}.#made = {number}; }} own = {pure}; get made() {{ return C{name}.#made++; }} }}\nconst {name} = new C{name}(); say({name}.made, {name}.made);"
            ),
            11 => format!(
                "let {name}; try {{ {name} = {known}; throw new TypeError('t{number}'); }} catch (error) {{ {name} = [error.name, error.message, error instanceof TypeError]; }} finally {{ say('finally {name}'); }}"
            ),
            12 => format!(
                "const {name} = new (require('events'))(); {name}.on('e', (x) => say('event {name}', x)); {name}.emit('e', {pure}); later(() => {name}.emit('e', {input}));"
            ),
            13 => format!("const {name} = new WeakRef({{ alive: {number} }}).deref()?.alive;"),
            14 => format!(
                "let {name} = 0; outer: for (const a of [1, 2, 3]) {{ for (const b of [1, 2, 3]) {{ if (a * b === {number}) break outer; {name} += a * b; }} }}"
            ),
            15 => format!(
                "const {name} = /a(\\d)?/gy; {name}.test('a1a2'); say({name}.lastIndex);\nlater(() => say('regexp {name}', {name}.exec('a1a2')?.[1], {name}.lastIndex));"
            ),
            16 => format!(
                "const {name} = new Map(); for (let i = 0; i < {number} * 4; i++) {name}.set('k' + i, {{ i }}); say({name}.size);"
            ),
            17 => format!("const {name} = {input}; say('input', {name}); if ({name}) say('so', {known});"),
            18 => format!("queueMicrotask(() => say('micro {name}', {known}));\nconst {name} = {pure};"),
            19 if self.may_await() => format!("const {name} = await Promise.resolve({pure});"),
            19 if !self.is_esm => format!(
                "const {name} = (() => {{ try {{ return require('./no-such-module'); }} catch (error) {{ return error.code; }} }})();"
            ),
            20 if self.may_await() => format!("const {name} = await new Promise((done) => later(() => done({pure})));"),
            20 if !self.is_esm && self.module + 1 < modules => {
                format!("const {name} = require('./m{}.cjs').all().length;", self.module + 1)
            }
            19 | 20 => format!("const {name} = typeof exports;"),
            _ => format!(
                "const {name} = [(() => {{ const kept = {pure}; return () => kept; }})()];\nlater(() => say('closure {name}', {name}[0]()));"
            ),
        };
        self.line(&text);
        self.values.push(name);
    }
}
