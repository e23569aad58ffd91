//! Gives local names the shortest spelling that clashes with nothing, and leaves alone those that can be seen.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use swc_core::atoms::Atom;
use swc_core::common::Mark;
use swc_core::ecma::ast::*;
use swc_core::ecma::transforms::base::hygiene::Config;
use swc_core::ecma::transforms::base::rename::{Renamer, renamer};
use swc_core::ecma::visit::{Visit, VisitMut, VisitMutWith, VisitWith};

/// Renames what `program` declares, to nothing in `taken`; a name in `kept` only changes where it would hide
/// another one.
pub(crate) fn mangle_names(program: &mut Program, kept: HashSet<Id>, taken: &[Atom]) {
    let reserved = kept.iter().map(|id| id.0.clone()).collect();
    program.visit_mut_with(&mut renamer(config(), Shortener { kept, reserved, taken, refused: RefCell::default() }));
    mangle_private_names(program);
}

/// `#name` can be seen by nothing but its class, which may be in another one.
fn mangle_private_names(program: &mut Program) {
    let mut census = PrivateNames::default();
    program.visit_with(&mut census);
    if census.0.is_empty() {
        return;
    }
    let mut by_uses: Vec<(Atom, usize)> = census.0.into_iter().collect();
    by_uses.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let mut n = 0;
    let names = by_uses.into_iter().map(|(name, _)| (name, next_short_name(&mut n))).collect();
    program.visit_mut_with(&mut PrivateNamer(names));
}

#[derive(Default)]
struct PrivateNames(HashMap<Atom, usize>);

impl Visit for PrivateNames {
    fn visit_private_name(&mut self, name: &PrivateName) {
        *self.0.entry(name.name.clone()).or_default() += 1;
    }
}

struct PrivateNamer(HashMap<Atom, Atom>);

impl VisitMut for PrivateNamer {
    fn visit_mut_private_name(&mut self, name: &mut PrivateName) {
        if let Some(short) = self.0.get(&name.name) {
            name.name = short.clone();
        }
    }
}

/// Renames what has the name of something else, or is in `taken`.
pub(crate) fn rename_clashes(program: &mut Program, taken: &[Atom]) {
    program.visit_mut_with(&mut renamer(config(), Numberer { taken }));
}

/// Nothing is mangled where a direct `eval` could see it: the caller has looked.
fn config() -> Config {
    Config { top_level_mark: Mark::new(), ..Config::hygiene_default() }
}

struct Shortener<'a> {
    kept: HashSet<Id>,
    /// The names in `kept`, which others must not get before.
    reserved: HashSet<Atom>,
    taken: &'a [Atom],
    /// Names of `kept` that were proposed once already.
    refused: RefCell<HashSet<Id>>,
}

impl Renamer for Shortener<'_> {
    type Target = Atom;

    const RESET_N: bool = false;
    const MANGLE: bool = true;

    /// Asked again for the same name until it gets one that is free.
    fn new_name_for(&self, original: &Id, n: &mut usize) -> Atom {
        if self.kept.contains(original) && self.refused.borrow_mut().insert(original.clone()) {
            return original.0.clone();
        }
        loop {
            let name = next_short_name(n);
            if !self.reserved.contains(&name) {
                return name;
            }
        }
    }

    fn unresolved_symbols(&self) -> Vec<Atom> {
        self.taken.to_vec()
    }
}

struct Numberer<'a> {
    taken: &'a [Atom],
}

impl Renamer for Numberer<'_> {
    type Target = Atom;

    const RESET_N: bool = true;
    const MANGLE: bool = false;

    /// `name`, `name1`, `name2`, …
    fn new_name_for(&self, original: &Id, n: &mut usize) -> Atom {
        let name = if *n == 0 { original.0.clone() } else { format!("{}{n}", original.0).into() };
        *n += 1;
        name
    }

    fn unresolved_symbols(&self) -> Vec<Atom> {
        self.taken.to_vec()
    }
}

/// The next short name that is no keyword: `e`, `t`, …, `ee`, …
pub(crate) fn next_short_name(n: &mut usize) -> Atom {
    // Every piece of code asks for the first of them.
    static FIRST_NAMES: LazyLock<Vec<Option<Atom>>> = LazyLock::new(|| (0..4096).map(short_name).collect());
    loop {
        let name = FIRST_NAMES.get(*n).cloned().unwrap_or_else(|| short_name(*n));
        *n += 1;
        if let Some(name) = name {
            return name;
        }
    }
}

/// The short name of this number, unless it is a keyword.
fn short_name(number: usize) -> Option<Atom> {
    const FIRST: &[u8; 54] = b"etnraiosclhudfpmgvybwExkzTASICODLNPRMjFUqBHGWV_XK$YJQZ";
    const REST: &[u8; 64] = b"etnraiosclhudfpmgvybwExkzTASICODLNPRMjFUqBHGWV_XK$YJQZ0123456789";
    let mut name = String::from(char::from(FIRST[number % FIRST.len()]));
    let mut rest = number / FIRST.len();
    while rest > 0 {
        rest -= 1;
        name.push(char::from(REST[rest % REST.len()]));
        rest /= REST.len();
    }
    Ident::verify_symbol(&name).is_ok().then(|| Atom::from(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_distinct_and_no_keywords() {
        let mut n = 0;
        let names: Vec<Atom> = (0..60_000).map(|_| next_short_name(&mut n)).collect();
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
        assert!(names[..54].iter().all(|name| name.len() == 1));
        for keyword in ["do", "in", "if", "of", "let", "new", "for"] {
            assert_eq!(names.iter().any(|name| name == keyword), keyword == "of", "{keyword}");
        }
    }
}
