//! From exec to the app's first instruction: find the container, check what is read, lay memory out, resume.

mod allocation;
mod code;
mod engine;
mod faults;
mod imports;
mod memory;
mod pages;
mod process;
mod source;
mod stop;
mod trace;

use std::ffi::{c_char, c_int};

use edgepack_format::container::{
    Assumption, ContainerError, Effect, Guard, Index, Patch, SectionKind, Sections, decode_effects,
};
use edgepack_format::limits::SECTION_BYTES_MAX;

use crate::calls;
use crate::global;
use crate::host::Host;
use crate::memory::OwnedMemory;

use self::source::Source;
use self::stop::BootError;
use self::trace::Trace;

/// Boots; the exit code.
#[must_use]
pub fn main(argc: c_int, argv: *const *const c_char) -> c_int {
    match boot(process::arguments(argc, argv)) {
        Ok(code) => code,
        Err(error) => stop::refuse(&error),
    }
}

fn boot(args: Vec<Vec<u8>>) -> Result<c_int, BootError> {
    let mut trace = Trace::start();
    process::fill_standard_streams();
    process::leave_orphans_to_the_kernel();
    process::check_clock()?;
    let source = Source::find(args)?;
    trace.phase("find");
    let sections = Sections::find(source.container)?;
    let index = checked_index(&sections)?;
    trace.phase("verify");
    let mut host = Host::new(index.grants.clone(), source.launch.clone());
    // The app as it was started at build time, if everything that was assumed then holds.
    let start = started(&index, &mut host);
    let image = index.image.as_ref().filter(|_| start.is_ok());
    trace.image(index.image.is_some(), &start);
    trace.phase("guards");
    code::install(source.code)?;
    let memory_chunks = memory::reserve(image)?;
    pages::install(&source, &sections, &index, image, memory_chunks, trace.subject())?;
    faults::catch()?;
    trace.phase("map");
    if image.is_some() {
        change(start.map_or(&[], |assumption| &assumption.patches))?;
        replay(&mut host, &sections, &index)?;
    }
    global::install(host);
    process::raise_stack_limit();
    let stack_pointer = image.map_or(engine::initial_stack_pointer(), |image| image.stack_pointer);
    engine::prepare(memory_chunks, memory::chunks_max(index.memory_bytes_max), stack_pointer);
    trace.phase("resume");
    if image.is_none() {
        load_package(&sections, &index)?;
        trace.phase("load");
    }
    trace.print();
    Ok(process::leave(engine::run()))
}

fn hash(bytes: &[u8]) -> [u8; 32] {
    blake3::hash(bytes).into()
}

fn checked_index<'a>(sections: &Sections<'a>) -> Result<Index<'a>, BootError> {
    let index = sections.index(hash)?;
    if index.engine != engine::hash() {
        let error = ContainerError::OtherEngine { container: index.engine, stub: engine::hash() };
        return Err(BootError::Container(error));
    }
    Ok(index)
}

/// The first assumption that holds, or else the first guard of all that does not.
fn started<'i>(index: &'i Index<'_>, host: &mut Host) -> Result<&'i Assumption, Option<&'i Guard>> {
    let mut broken = None;
    for assumption in &index.assumptions {
        match assumption.guards.iter().find(|guard| !holds(host, guard)) {
            None => return Ok(assumption),
            Some(guard) => broken = broken.or(Some(guard)),
        }
    }
    Err(broken)
}

/// What is otherwise in memory under the assumption that holds.
fn change(patches: &[Patch]) -> Result<(), BootError> {
    for patch in patches {
        memory::write(patch.address, &patch.bytes).map_err(|_| ContainerError::BadIndex("a patch"))?;
    }
    Ok(())
}

/// Assumed calls have no pointers, so they run on no memory.
fn holds(host: &mut Host, guard: &Guard) -> bool {
    let answer = calls::dispatch(host, &mut OwnedMemory::default(), &guard.call, &guard.args);
    let answer = answer.map(|answer| answer.unwrap_or_else(|refusal| refusal.code().into()));
    answer == Some(guard.result)
}

fn replay(host: &mut Host, sections: &Sections<'_>, index: &Index<'_>) -> Result<(), BootError> {
    let Some(effects) = sections.verified(SectionKind::Deferred, index, hash)? else { return Ok(()) };
    for effect in decode_effects(effects)? {
        // As when the program does it itself: a closed standard output is not an error of the boot.
        match effect {
            Effect::Write { handle, bytes } => {
                let _ = crate::stdio::write(host, handle, &bytes);
            }
            Effect::Call { name, args } => {
                let _ = calls::dispatch(host, &mut OwnedMemory::default(), &name, &args);
            }
        }
    }
    Ok(())
}

/// Without an image: the engine compiles the app's script now.
fn load_package(sections: &Sections<'_>, index: &Index<'_>) -> Result<(), BootError> {
    let frame = sections.verified(SectionKind::Package, index, hash)?;
    let frame = frame.ok_or(ContainerError::MissingSection(SectionKind::Package.name()))?;
    let package = unpack(frame).ok_or(ContainerError::BadIndex("the package"))?;
    let length = u32::try_from(package.len()).map_err(|_| BootError::Load)?;
    let pointer = engine::alloc(length);
    memory::write(pointer, &package).map_err(|_| BootError::Load)?;
    if engine::load(pointer, length) == 0 { Ok(()) } else { Err(BootError::Load) }
}

/// One zstd frame that says how long its content is.
fn unpack(frame: &[u8]) -> Option<Vec<u8>> {
    let bytes = zstd_safe::get_frame_content_size(frame).ok()??;
    let bytes = usize::try_from(bytes).ok().filter(|&bytes| bytes <= SECTION_BYTES_MAX)?;
    let mut content = vec![0; bytes];
    let length = zstd_safe::decompress(content.as_mut_slice(), frame).ok()?;
    (length == bytes).then_some(content)
}
