//! `edgepack inspect`: a container or an executable → its manifest, sections and sizes, all of it verified.
#![expect(clippy::print_stdout, reason = "the result of the command")]

use anyhow::{Context, Result};
use edgepack_format::image::{HotFrame, Image};
use edgepack_format::targets::{Target, find_machine};
use edgepack_packer::Verified;
use serde_json::{Value, json};

use crate::args::InspectArgs;
use crate::failure::Failure;
use crate::report::size;
use crate::target::is_own;

/// Runs the command.
pub(crate) fn inspect(args: &InspectArgs) -> Result<()> {
    let shown = args.app.display();
    let bytes = std::fs::read(&args.app).map_err(|error| Failure::new(format!("{shown} cannot be read: {error}")))?;
    let container = edgepack_packer::open(&bytes).with_context(|| shown.to_string())?;
    let verified = edgepack_packer::verify(container).with_context(|| shown.to_string())?;
    let manifest: Value = serde_json::from_str(verified.manifest).with_context(|| format!("{shown}: the manifest"))?;
    let file = Inspected { target: target_of(&bytes), bytes: bytes.len(), container_bytes: container.len() };
    if args.json {
        print_json(manifest, &verified, &file)
    } else {
        print_text(&manifest, &verified, &file)
    }
    Ok(())
}

struct Inspected {
    /// The machine of an executable; a container is for all of them.
    target: Option<&'static Target>,
    bytes: usize,
    container_bytes: usize,
}

/// From the field `e_machine` of ELF's header, little endian in all that edgepack makes.
fn target_of(bytes: &[u8]) -> Option<&'static Target> {
    let machine = bytes.strip_prefix(b"\x7fELF")?.get(14..16)?;
    find_machine(u16::from_le_bytes(machine.try_into().ok()?))
}

fn runs_on(target: Option<&'static Target>) -> String {
    match target {
        None => "every target, with edgepack-run".to_owned(),
        Some(target) if is_own(target) => target.triple.to_owned(),
        Some(target) => {
            format!("{}: not on this machine ({})", target.triple, std::env::consts::ARCH)
        }
    }
}

fn print_json(manifest: Value, verified: &Verified<'_>, file: &Inspected) {
    let sections = verified.sections.iter().map(|section| json!({ "name": section.name, "bytes": section.bytes }));
    let object = json!({
        "target": file.target.map(|target| target.triple),
        "file_bytes": file.bytes,
        "container_bytes": file.container_bytes,
        "manifest": manifest,
        "sections": sections.collect::<Vec<_>>(),
        "image": verified.index.image.as_ref().map(image),
    });
    println!("{object}");
}

/// Of the app as it was started at build time.
fn image(image: &Image<'_>) -> Value {
    let hot_pages: u32 = image.hot().flat_map(HotFrame::parts).map(|part| part.mask.count_ones()).sum();
    json!({ "memory_chunks": image.memory_chunks, "hot_pages": hot_pages, "cold_chunks": image.cold_count() })
}

fn print_text(manifest: &Value, verified: &Verified<'_>, file: &Inspected) {
    let text = |key: &str| manifest[key].as_str().unwrap_or_default().to_owned();
    println!("{} {}", text("name"), text("version"));
    println!("  entry         {}", text("entry"));
    println!("  runs on       {}", runs_on(file.target));
    println!("  engine        {}", text("engine"));
    println!("  start-up      {}", text("stop_reason"));
    println!("  guards        {}", manifest["guards"]);
    println!("  other guards  {}", manifest["other_guards"]);
    for (name, scope) in manifest["capabilities"].as_object().into_iter().flatten() {
        println!("  --allow-{name:<6}{}", allowed(scope));
    }
    println!("  file          {}", size(file.bytes));
    println!("  container     {}", size(file.container_bytes));
    for section in &verified.sections {
        println!("    {:<20} {}", section.name, size(section.bytes));
    }
    if let Some(found) = &verified.index.image {
        let image = image(found);
        println!("  image         {} hot pages, {} cold chunks", image["hot_pages"], image["cold_chunks"]);
    }
}

fn allowed(scope: &Value) -> String {
    match scope {
        Value::Bool(true) => "everything".to_owned(),
        Value::Array(entries) => entries.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        _ => "nothing".to_owned(),
    }
}
