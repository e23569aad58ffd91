//! `cargo xtask bench …`. `boot`: hello and the Express app, as edgepack builds them, against node and bun: the same work,
//! in interleaved rounds, ratios taken within a round, then their median.

mod build;
mod builds;
mod bundle;
pub(crate) mod instructions;
mod measure;
mod targets;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use anyhow::{Context, Result, bail};

use crate::project::Project;
use crate::run::{answers, command, output};
use crate::setup;
pub(crate) use build::express;
use build::{Contender, Peers, contenders};
pub(crate) use bundle::bundle;
use measure::{first_output, first_response};
pub(crate) use targets::targets;

/// Rounds of a comparison; `--rounds N` changes it.
const ROUNDS: usize = 31;
/// Connections of the load.
pub(crate) const CONNECTIONS: usize = 50;

/// Medians of one contender, by measure.
type Row = BTreeMap<&'static str, f64>;

/// Builds the contenders, measures them, writes `bench/boot.md`.
pub(crate) fn boot(project: &Project, args: &[&str]) -> Result<()> {
    let rounds = match args {
        [] => ROUNDS,
        ["--rounds", rounds] => rounds.parse().with_context(|| format!("{rounds} is no number of rounds"))?,
        _ => bail!("usage: cargo xtask bench boot [--rounds N]"),
    };
    if take_real_time_priority(project)? {
        return Ok(());
    }
    setup::packages(project, setup::PEERS)?;
    let Peers { hello, express, heavy, versions } = contenders(project)?;
    let hello_rows = compare(&hello, rounds, first_output)?;
    let heavy_rows = compare(&heavy, rounds, first_output)?;
    // Of what runs in between a process finds its caches full: these two are compared with nothing else around.
    let beside: Vec<Contender> =
        [("hello", &hello), ("the app above", &heavy)].into_iter().filter_map(|(name, all)| own(name, all)).collect();
    let beside_rows = compare(&beside, rounds, first_output)?;
    let cold_hello_rows = compare(&hello, rounds, |contender| from_storage(contender, first_output))?;
    let first = |contender: &Contender| first_response(contender, None);
    let cold_express_rows = compare(&express, rounds, |contender| from_storage(contender, first))?;
    let express_rows = compare(&express, rounds, first)?;
    let loaded = compare(&express, 3, |contender| first_response(contender, Some(CONNECTIONS)))?;
    let tables = [
        Table {
            title: "hello: from spawn to the first byte of output",
            contenders: &hello,
            rows: &hello_rows,
            load: &[],
        },
        Table {
            title: "50,000 entries of a Map and 2,000 functions at module scope: from spawn to the first byte of output",
            contenders: &heavy,
            rows: &heavy_rows,
            load: &[],
        },
        Table {
            title: "edgepack's executable of that beside the one of hello, nothing else in between",
            contenders: &beside,
            rows: &beside_rows,
            load: &[],
        },
        Table {
            title: "Express: from spawn to the first HTTP 200",
            contenders: &express,
            rows: &express_rows,
            load: &loaded,
        },
        Table {
            title: "hello, its files not in the page cache",
            contenders: &hello,
            rows: &cold_hello_rows,
            load: &[],
        },
        Table {
            title: "Express, its files not in the page cache",
            contenders: &express,
            rows: &cold_express_rows,
            load: &[],
        },
    ];
    let report = report(project, rounds, &versions, &tables)? + &builds::builds(project)?;
    fs::create_dir_all(project.root.join("bench"))?;
    fs::write(project.root.join("bench/boot.md"), &report)?;
    println!("{report}");
    Ok(())
}

/// Edgepack's own contender under another name.
fn own(name: &str, contenders: &[Contender]) -> Option<Contender> {
    contenders.first().map(|own| Contender { name: name.to_owned(), ..own.clone() })
}

/// A busy machine hardly moves the figures of processes that run before all others. The benchmark runs itself again
/// under `chrt`, where it may; true if it has.
fn take_real_time_priority(project: &Project) -> Result<bool> {
    const MARK: &str = "EDGEPACK_BENCH_RR";
    if std::env::var_os(MARK).is_some() || !answers("chrt", &["-r", "1", "true"]) {
        return Ok(false);
    }
    let itself = std::env::current_exe()?;
    let args = std::env::args().skip(1);
    let mut again = command("chrt", ["-r", "1"], &project.root);
    let status = again.arg(itself).args(args).env(MARK, "1").status()?;
    if status.success() { Ok(true) } else { bail!("the benchmark failed") }
}

/// Rounds go A B C, A B C; the first is not counted. One row of medians for each contender, with the ratio to the
/// first contender's times as `… ratio`.
fn compare(contenders: &[Contender], rounds: usize, measure: impl Fn(&Contender) -> Result<Row>) -> Result<Vec<Row>> {
    let mut seen: Vec<BTreeMap<&'static str, Vec<f64>>> = vec![BTreeMap::new(); contenders.len()];
    for round in 0..=rounds {
        let mut base = Row::new();
        for (number, contender) in contenders.iter().enumerate() {
            let row = measure(contender).with_context(|| contender.name.clone())?;
            if round == 0 {
                continue;
            }
            if number == 0 {
                base.clone_from(&row);
            }
            if let (Some(own), Some(first)) = (row.get(measure::MILLISECONDS), base.get(measure::MILLISECONDS)) {
                seen[number].entry(measure::RATIO).or_default().push(own / first);
            }
            for (key, value) in row {
                seen[number].entry(key).or_default().push(value);
            }
        }
    }
    let medians =
        |values: BTreeMap<&'static str, Vec<f64>>| values.into_iter().map(|(key, v)| (key, median(v))).collect();
    Ok(seen.into_iter().map(medians).collect())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// One measure after the contender's files have left the page cache.
fn from_storage(contender: &Contender, measure: impl Fn(&Contender) -> Result<Row>) -> Result<Row> {
    measure::drop_from_page_cache(contender)?;
    measure(contender)
}

/// A table of the page.
struct Table<'a> {
    title: &'a str,
    contenders: &'a [Contender],
    rows: &'a [Row],
    /// Rows of those under load.
    load: &'a [Row],
}

/// Columns, of which a table has those that were measured.
const COLUMNS: &[(&str, &str, usize)] = &[
    ("ms", measure::MILLISECONDS, 2),
    ("times edgepack's", measure::RATIO, 1),
    ("resident MB, listening", measure::MEGABYTES, 1),
    ("of which written to", measure::DIRTY, 1),
];

/// The processor and the kernel.
fn machine(project: &Project) -> Result<String> {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown CPU", |name| name.trim_start_matches([' ', '\t', ':']));
    let kernel = output(&mut command("uname", ["-r"], &project.root))?;
    Ok(format!("{cpu}, Linux {}", kernel.trim()))
}

fn report(project: &Project, rounds: usize, versions: &str, tables: &[Table<'_>]) -> Result<String> {
    let mut text = format!(
        "# Boot times\n\nWritten by `cargo xtask bench boot`: medians of {rounds} interleaved rounds; a ratio is the median of the rounds'\nratios to edgepack. {}; {versions}.\n",
        machine(project)?
    );
    for table in tables {
        write_table(&mut text, table)?;
    }
    Ok(text)
}

fn write_table(text: &mut String, table: &Table<'_>) -> Result<()> {
    let is_measured = |key: &str| table.rows.iter().any(|row| row.contains_key(key));
    let columns: Vec<_> = COLUMNS.iter().filter(|(_, key, _)| is_measured(key)).collect();
    let mut heads: Vec<String> = columns.iter().map(|(head, ..)| (*head).to_owned()).collect();
    if !table.load.is_empty() {
        heads.push(format!("requests/s, {CONNECTIONS} connections"));
    }
    heads.push("executable".to_owned());
    write!(text, "\n## {}\n\n| | {} |\n| --- |{}\n", table.title, heads.join(" | "), " ---: |".repeat(heads.len()))?;
    for (number, (contender, row)) in table.contenders.iter().zip(table.rows).enumerate() {
        let mut cells: Vec<String> = columns.iter().map(|(_, key, digits)| cell(row, key, *digits)).collect();
        cells.extend(table.load.get(number).map(|load| cell(load, measure::REQUESTS, 0)));
        cells.push(contender.size());
        writeln!(text, "| {} | {} |", contender.name, cells.join(" | "))?;
    }
    Ok(())
}

fn cell(row: &Row, key: &str, digits: usize) -> String {
    row.get(key).map_or_else(|| "–".to_owned(), |value| format!("{value:.digits$}"))
}
