//! Pages of linear memory → accessible ones: those that every boot touches are mapped at once, the others are
//! decompressed at first touch, so that boot costs what is touched and not what there is.
//!
//! A page's content is the base image's, or zero, changed by what the app stores of it, if anything. A page that is
//! present is never written to again: it may be the guest's by now.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock};

use edgepack_format::container::{ContainerError, Hash, Index, SectionKind, Sections};
use edgepack_format::image::{ColdChunk, HotFrame, Image, Part, Stored};
use edgepack_format::limits::{BASE_FRAME_PAGES, CHUNK_BYTES, HOT_FRAME_PAGES, MEMORY_CHUNKS_MAX, PAGE_BYTES};
use rustix::io::Errno;
use zstd_safe::DCtx;

use super::engine;
use super::memory::{self, PageRun};
use super::source::Source;
use super::stop::{self, BootError};
use super::trace::Subject;

const CHUNK_PAGES: u32 = 16;

/// The pages of each chunk that are accessible; bit 0 is the first.
static PRESENT: [AtomicU16; PRESENT_LENGTH] = [const { AtomicU16::new(0) }; PRESENT_LENGTH];
const PRESENT_LENGTH: usize = 65_536;

/// Chunks from this one on were added by the guest: they are accessible and not in `PRESENT`.
static CHUNKS: AtomicU32 = AtomicU32::new(0);

/// How much of memory one fault makes accessible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// What comes out of one frame.
    Frame,
    /// A chunk: where the kernel's pages are larger than ours nothing smaller can be.
    Chunk,
    /// A page, to find out which are touched.
    Page,
}

static STEP: AtomicU8 = AtomicU8::new(0);

impl Step {
    fn set(self) {
        STEP.store(self.number(), Ordering::Relaxed);
    }

    fn get() -> Step {
        let all = [Step::Frame, Step::Chunk, Step::Page];
        all.into_iter().find(|step| step.number() == STEP.load(Ordering::Relaxed)).unwrap_or(Step::Chunk)
    }

    fn number(self) -> u8 {
        match self {
            Step::Frame => 0,
            Step::Chunk => 1,
            Step::Page => 2,
        }
    }
}

/// Where pages come from.
struct Store {
    image: Option<Image<'static>>,
    /// The table of its cold chunks.
    chunks: &'static [u8],
    pages: &'static [u8],
    /// The package, compressed, and what its hash must be.
    package: &'static [u8],
    package_hash: Hash,
    /// The compressed part of the base image.
    base_frames: &'static [u8],
    workspace: Mutex<Workspace>,
}

/// Made at the first cold page: an app that is all hot needs none.
#[derive(Default)]
struct Workspace {
    decoder: Option<DCtx<'static>>,
    /// What came out of the app's last frame, and the base image's.
    app: Unpacked,
    base: Unpacked,
    /// Leaves of the table that were found to be whole.
    verified: Vec<bool>,
}

#[derive(Default)]
struct Unpacked {
    pages: Vec<u8>,
}

static STORE: OnceLock<Store> = OnceLock::new();

/// Maps what is hot and remembers where the rest is.
pub(crate) fn install(
    source: &Source,
    sections: &Sections<'static>,
    index: &Index<'static>,
    image: Option<&Image<'static>>,
    memory_chunks: u32,
    traced: Subject,
) -> Result<(), BootError> {
    let content = |kind| sections.get(kind).unwrap_or_default();
    CHUNKS.store(memory_chunks, Ordering::Relaxed);
    let (chunks, pages) = (content(SectionKind::Chunks), content(SectionKind::Pages));
    let (image, package, base_frames) = (image.copied(), content(SectionKind::Package), source.frames);
    let named = index.sections.iter().find(|section| section.kind == SectionKind::Package);
    let package_hash = named.map_or_else(Hash::default, |section| section.hash);
    let workspace = Mutex::default();
    let store = Store { image, chunks, pages, package, package_hash, base_frames, workspace };
    let step = match (traced, rustix::param::page_size() == PAGE_BYTES) {
        (_, false) => Step::Chunk,
        (Subject::Pages, true) => Step::Page,
        (_, true) => Step::Frame,
    };
    step.set();
    if step == Step::Frame {
        store.map_hot(source)?;
    }
    // Boot runs once: there is no store yet.
    let _ = STORE.set(store);
    Ok(())
}

/// Pages that are neighbours in memory and in their file, collected.
struct Runs<'f> {
    file: BorrowedFd<'f>,
    open: Option<(PageRun, u64)>,
}

impl Runs<'_> {
    fn push(&mut self, page: u32, offset: u64) -> Result<(), BootError> {
        if let Some((run, start)) = &mut self.open
            && run.first.checked_add(run.count) == Some(page)
            && start.checked_add(u64::from(run.count) * PAGE) == Some(offset)
        {
            run.count += 1;
            return Ok(());
        }
        self.finish()?;
        self.open = Some((PageRun { first: page, count: 1 }, offset));
        Ok(())
    }

    fn finish(&mut self) -> Result<(), BootError> {
        let Some((run, offset)) = self.open.take() else { return Ok(()) };
        memory::map(self.file, offset, run).map_err(|errno| BootError::Memory("map", errno))
    }
}

const PAGE: u64 = 4096;

impl Store {
    /// The base image's hot pages are mapped, then the app's: copied where that would divide a mapping, as a mapping
    /// costs more than the copy that the first write to the page would make anyway.
    fn map_hot(&self, source: &Source) -> Result<(), BootError> {
        let hot_offset = memory::file_offset(source, engine::base_hot().as_ptr().addr());
        let hot_offset = hot_offset.ok_or(BootError::Memory("find the base of", Errno::NOEXEC))?;
        let mut runs = Runs { file: source.executable.fd.as_fd(), open: None };
        let mut workspace = self.workspace().map_err(BootError::Container)?;
        for (chunk, hot) in (0_u32..).zip(engine::base_hot_masks()).filter(|(_, hot)| hot.mask != 0) {
            let cold = self.image.map_or(0, |image| image.cold_mask_over_base(chunk));
            let places = (u64::from(hot.stored_before)..).zip(bits(hot.mask));
            for (place, bit) in places.filter(|(_, bit)| cold & (1 << bit) == 0) {
                runs.push(chunk * CHUNK_PAGES + bit, hot_offset + place * PAGE)?;
            }
            set_present(chunk, hot.mask & !cold);
        }
        runs.finish()?;
        self.read_ahead();
        self.unpack_hot(&mut workspace).map_err(BootError::Container)?;
        self.bring_touched(&mut workspace).map_err(BootError::Container)?;
        // Not before what is needed now.
        memory::will_need_soon(engine::not_first());
        Ok(())
    }

    /// There is one thread: whoever comes while another is at work is inside of that work.
    fn workspace(&self) -> Result<MutexGuard<'_, Workspace>, ContainerError> {
        self.workspace.try_lock().map_err(|_| ContainerError::BadIndex("a chunk inside another"))
    }

    /// The app's hot pages: frame by frame verified, decompressed, and laid into pages of their own or over the base
    /// image's.
    fn unpack_hot(&self, workspace: &mut Workspace) -> Result<(), ContainerError> {
        let ends = self.image.iter().flat_map(Image::hot).map(|hot| hot.frame.offset.saturating_add(hot.frame.length));
        // They are stored before the others.
        memory::will_need(self.pages.get(..ends.max().unwrap_or(0)).unwrap_or_default());
        for hot in self.image.iter().flat_map(Image::hot) {
            let mut start: usize = 0;
            for part in hot.parts() {
                if start == 0 {
                    workspace.unpack_app(hot.frame.bytes(part.chunk, self.pages, super::hash)?)?;
                }
                let end = start.saturating_add(part.memory_bytes());
                let new = part.mask & !present(part.chunk);
                for run in runs_of(part.chunk, new) {
                    memory::map_filled(run).map_err(|_| ContainerError::BadIndex("a chunk's place"))?;
                }
                // SAFETY: the pages of the mask are mapped, and no guest runs yet.
                let target = unsafe { memory::chunk_bytes(part.chunk) };
                self.lay_base(part.chunk, new & !part.whole, target, workspace)?;
                change_pages(target, part, part.mask, workspace.app.part(start, end)?);
                set_present(part.chunk, part.mask);
                start = end;
            }
        }
        Ok(())
    }

    /// Has the base image's frames read that every boot needs: those below what the app has changed, and those that it
    /// touches as they are.
    fn read_ahead(&self) {
        let hot = self.image.iter().flat_map(Image::hot).flat_map(HotFrame::parts);
        let parts = hot.chain(self.image.iter().flat_map(Image::touched));
        let missing = parts.map(|part| (part.chunk, part.mask & !part.whole & !present(part.chunk)));
        memory::will_need_each(missing.flat_map(|(chunk, missing)| {
            let frames = engine::base_frames(chunk).iter().filter(move |frame| frame.mask & missing != 0);
            frames.filter_map(|frame| frame.bytes(self.base_frames))
        }));
    }

    /// What every boot touches, too, and is the base image's: brought at once, which spares a fault for each page.
    fn bring_touched(&self, workspace: &mut Workspace) -> Result<(), ContainerError> {
        for part in self.image.iter().flat_map(Image::touched) {
            let missing = part.mask & !present(part.chunk);
            for run in runs_of(part.chunk, missing) {
                memory::map_filled(run).map_err(|_| ContainerError::BadIndex("a chunk's place"))?;
            }
            // SAFETY: the pages of the mask are mapped, and no guest runs yet.
            let target = unsafe { memory::chunk_bytes(part.chunk) };
            self.lay_base(part.chunk, missing, target, workspace)?;
            set_present(part.chunk, missing);
        }
        Ok(())
    }

    /// The app's part of a chunk.
    fn app(&self, chunk: u32, workspace: &mut Workspace) -> Result<AppChunk, ContainerError> {
        let Some(image) = &self.image else { return Ok(AppChunk::default()) };
        let hot = image.hot_mask(chunk);
        let is_base = base_mask(chunk) != 0;
        let number = image.leaf_of(chunk).filter(|_| !is_base || image.cold_mask_over_base(chunk) != 0);
        let Some(number) = number else { return Ok(AppChunk { hot, cold: None }) };
        let leaf = image.leaf(number, self.chunks)?;
        if !workspace.verified.get(number).is_some_and(|verified| *verified) {
            leaf.verify(super::hash)?;
            let length = workspace.verified.len().max(number.saturating_add(1));
            workspace.verified.resize(length, false);
            workspace.verified.iter_mut().skip(number).take(1).for_each(|verified| *verified = true);
        }
        Ok(AppChunk { hot, cold: leaf.find(chunk) })
    }

    /// Makes these pages of a chunk accessible, and what comes with them.
    fn bring_step(&self, chunk: u32, pages: u16) -> Result<(), ContainerError> {
        let mut workspace = self.workspace()?;
        let app = self.app(chunk, &mut workspace)?;
        let wanted = match Step::get() {
            Step::Page => pages,
            Step::Chunk => u16::MAX,
            Step::Frame if app.mask() | base_mask(chunk) == 0 => u16::MAX,
            Step::Frame => {
                let (cold, frames) = (app.cold_mask(), whole_frames(pages));
                // The app's frames are whole chunks, and have to be verified and decompressed as a whole.
                if cold & frames == 0 { frames } else { frames | cold }
            }
        };
        self.bring(chunk, wanted, &app, &mut workspace)
    }

    /// Makes these pages of a chunk accessible: decompressed, the app's verified before.
    fn bring(&self, chunk: u32, wanted: u16, app: &AppChunk, workspace: &mut Workspace) -> Result<(), ContainerError> {
        let missing = wanted & !present(chunk);
        for run in runs_of(chunk, missing) {
            memory::map_zeros(run).map_err(|_| ContainerError::BadIndex("a chunk's place"))?;
        }
        // SAFETY: the pages that are written, those of `missing`, are accessible since the lines above and are still
        // nobody's: whoever touched one waits for us.
        let target = unsafe { memory::chunk_bytes(chunk) };
        for frame in engine::base_frames(chunk).iter().filter(|frame| frame.mask & missing != 0) {
            memory::will_need(frame.bytes(self.base_frames).unwrap_or_default());
        }
        let whole = self.image.map_or(0, |image| image.whole_mask(chunk));
        self.lay_base(chunk, missing & !whole, target, workspace)?;
        if let Some(ColdChunk { part, stored }) = app.cold.filter(|cold| cold.part.mask & missing != 0) {
            match stored {
                Stored::Frame(frame) => {
                    let end = frame.offset.saturating_add(frame.length);
                    memory::will_need(self.pages.get(frame.offset..end).unwrap_or_default());
                    workspace.unpack_app(frame.bytes(chunk, self.pages, super::hash)?)?;
                    change_pages(target, part, missing, workspace.app.whole(part.memory_bytes())?);
                }
                Stored::Package { offset } => {
                    let package = self.package()?;
                    let text = package.get(offset..offset.saturating_add(part.memory_bytes()));
                    let text = text.ok_or(ContainerError::BadIndex("a chunk's part of the package"))?;
                    change_pages(target, part, missing, text);
                }
            }
        }
        if app.hot & missing != 0 {
            let hot = self.image.iter().flat_map(Image::hot);
            let found = hot.filter_map(|hot| hot.find(chunk).map(|place| (hot.frame, place))).next();
            let (frame, (part, start)) = found.ok_or(ContainerError::BadIndex("a hot chunk"))?;
            workspace.unpack_app(frame.bytes(chunk, self.pages, super::hash)?)?;
            let end = start.saturating_add(part.memory_bytes());
            change_pages(target, part, missing, workspace.app.part(start, end)?);
        }
        set_present(chunk, missing);
        Ok(())
    }

    /// The package, verified and decompressed; each time, as few apps ever look at their own text.
    fn package(&self) -> Result<Vec<u8>, ContainerError> {
        if super::hash(self.package) != self.package_hash {
            return Err(ContainerError::Altered(SectionKind::Package.name().to_owned()));
        }
        super::unpack(self.package).ok_or(ContainerError::BadIndex("the package"))
    }

    /// The base image is a part of this executable: nothing to verify.
    fn lay_base(
        &self,
        chunk: u32,
        missing: u16,
        target: &mut [u8],
        workspace: &mut Workspace,
    ) -> Result<(), ContainerError> {
        for frame in engine::base_frames(chunk).iter().filter(|frame| frame.mask & missing != 0) {
            let pages_bytes = usize::try_from(frame.mask.count_ones()).unwrap_or(0) * PAGE_BYTES;
            let bytes =
                frame.bytes(self.base_frames).ok_or(ContainerError::BadIndex("a frame of the engine's memory"))?;
            workspace.unpack_base(bytes)?;
            lay_pages(target, frame.mask, missing, workspace.base.whole(pages_bytes)?);
        }
        let hot = usize::try_from(chunk).ok().and_then(|chunk| engine::base_hot_masks().get(chunk));
        if let Some(hot) = hot.filter(|hot| hot.mask & missing != 0) {
            let start = usize::try_from(hot.stored_before).unwrap_or(usize::MAX).saturating_mul(PAGE_BYTES);
            let pages = engine::base_hot().get(start..).unwrap_or_default();
            lay_pages(target, hot.mask, missing, pages);
        }
        Ok(())
    }
}

impl Workspace {
    fn unpack_app(&mut self, frame: &[u8]) -> Result<(), ContainerError> {
        self.app.fill(self.decoder.get_or_insert_with(DCtx::create), frame, &[], APP_FRAME_BYTES_MAX)
    }

    fn unpack_base(&mut self, frame: &[u8]) -> Result<(), ContainerError> {
        let decoder = self.decoder.get_or_insert_with(DCtx::create);
        self.base.fill(decoder, frame, engine::base_hot(), BASE_FRAME_PAGES * PAGE_BYTES)
    }
}

impl Unpacked {
    /// Whatever the frame has, which may refer to bytes that are known.
    fn fill(
        &mut self,
        decoder: &mut DCtx<'_>,
        frame: &[u8],
        known: &[u8],
        bytes_max: usize,
    ) -> Result<(), ContainerError> {
        self.pages.clear();
        if self.pages.capacity() == 0 {
            self.pages.reserve_exact(bytes_max);
            // What is about to be written comes at once instead of page by page.
            let bytes = zstd_safe::get_frame_content_size(frame).ok().flatten().unwrap_or(0);
            let bytes = usize::try_from(bytes).unwrap_or(0).min(bytes_max);
            memory::populate(self.pages.spare_capacity_mut().get_mut(..bytes).unwrap_or_default());
        }
        // Into its capacity, of which no more is used than a frame may have.
        let result = decoder.decompress_using_dict(&mut self.pages, frame, known);
        result.map(drop).map_err(|_| ContainerError::BadIndex("a frame"))
    }

    /// All of it, if it is that long.
    fn whole(&self, bytes: usize) -> Result<&[u8], ContainerError> {
        if self.pages.len() == bytes { self.part(0, bytes) } else { Err(ContainerError::BadIndex("a chunk's length")) }
    }

    fn part(&self, start: usize, end: usize) -> Result<&[u8], ContainerError> {
        self.pages.get(start..end).ok_or(ContainerError::BadIndex("a chunk's length"))
    }
}

/// The largest of the app's frames.
const APP_FRAME_BYTES_MAX: usize = HOT_FRAME_PAGES * PAGE_BYTES;
const _: () = assert!(APP_FRAME_BYTES_MAX >= CHUNK_BYTES, "a cold frame is at most a chunk");

/// What an app has of a chunk.
#[derive(Debug, Clone, Copy, Default)]
struct AppChunk {
    hot: u16,
    cold: Option<ColdChunk>,
}

impl AppChunk {
    fn cold_mask(&self) -> u16 {
        self.cold.map_or(0, |cold| cold.part.mask)
    }

    fn mask(&self) -> u16 {
        self.hot | self.cold_mask()
    }
}

/// The pages of a chunk that the base image has.
fn base_mask(chunk: u32) -> u16 {
    let hot = usize::try_from(chunk).ok().and_then(|chunk| engine::base_hot_masks().get(chunk));
    let frames = engine::base_frames(chunk).iter().fold(0, |all, frame| all | frame.mask);
    frames | hot.map_or(0, |hot| hot.mask)
}

/// Copies the wanted ones of the pages that the mask says are there.
fn lay_pages(target: &mut [u8], mask: u16, wanted: u16, pages: &[u8]) {
    with_places(target, mask, wanted, pages, |_, place, page| place.copy_from_slice(page));
}

/// Changes the wanted ones of them by what is stored, or copies them where they are stored whole.
fn change_pages(target: &mut [u8], part: Part, wanted: u16, changes: &[u8]) {
    with_places(target, part.mask, wanted, changes, |bit, place, changes| {
        if part.whole & bit != 0 {
            place.copy_from_slice(changes);
            return;
        }
        // By words: this is compiled for size.
        let (words, changes) = (place.as_chunks_mut::<8>().0, changes.as_chunks::<8>().0);
        for (word, change) in words.iter_mut().zip(changes) {
            *word = (u64::from_ne_bytes(*word) ^ u64::from_ne_bytes(*change)).to_ne_bytes();
        }
    });
}

fn with_places(target: &mut [u8], mask: u16, wanted: u16, pages: &[u8], lay: impl Fn(u16, &mut [u8], &[u8])) {
    let places = target.chunks_exact_mut(PAGE_BYTES).enumerate().filter(|(page, _)| mask & (1 << page) != 0);
    for ((number, place), page) in places.zip(pages.chunks_exact(PAGE_BYTES)) {
        let bit = 1 << number;
        if wanted & bit != 0 {
            lay(bit, place, page);
        }
    }
}

/// The numbers of the bits that are set.
fn bits(mask: u16) -> impl Iterator<Item = u32> {
    (0..CHUNK_PAGES).filter(move |bit| mask & (1 << bit) != 0)
}

/// The pages of the mask that follow one another.
fn runs_of(chunk: u32, mask: u16) -> impl Iterator<Item = PageRun> {
    let mut rest = mask;
    std::iter::from_fn(move || {
        let first = rest.trailing_zeros();
        let count = rest.checked_shr(first)?.trailing_ones();
        rest &= !(u16::MAX >> (CHUNK_PAGES - count) << first);
        Some(PageRun { first: chunk.saturating_mul(CHUNK_PAGES) + first, count })
    })
}

fn slot(chunk: u32) -> Option<&'static AtomicU16> {
    PRESENT.get(usize::try_from(chunk).ok()?)
}

fn present(chunk: u32) -> u16 {
    slot(chunk).map_or(0, |slot| slot.load(Ordering::Relaxed))
}

fn set_present(chunk: u32, mask: u16) {
    if let Some(slot) = slot(chunk) {
        slot.fetch_or(mask, Ordering::Relaxed);
    }
}

/// Brings the pages of a range of addresses in linear memory, for code that must not fault.
pub(crate) fn fetch(first_page: u32, last_page: u32) {
    let chunks = CHUNKS.load(Ordering::Relaxed);
    for chunk in first_page / CHUNK_PAGES..=last_page / CHUNK_PAGES {
        if chunk >= chunks {
            return;
        }
        let start = first_page.saturating_sub(chunk * CHUNK_PAGES).min(CHUNK_PAGES - 1);
        let end = (last_page - chunk * CHUNK_PAGES).min(CHUNK_PAGES - 1);
        let pages = (u16::MAX << start) & (u16::MAX >> (CHUNK_PAGES - 1 - end));
        if pages & !present(chunk) != 0 {
            bring(chunk, pages);
        }
    }
}

/// Decompresses what is no page, and may refer to bytes that are known; its length.
pub(crate) fn expand(target: &mut [u8], frame: &[u8], known: &[u8]) -> Result<usize, ContainerError> {
    let store = STORE.get().ok_or(ContainerError::BadIndex("the engine's code"))?;
    let mut workspace = store.workspace()?;
    let decoder = workspace.decoder.get_or_insert_with(DCtx::create);
    decoder.decompress_using_dict(target, frame, known).map_err(|_| ContainerError::BadIndex("a frame"))
}

/// Whether the page was to come; then it is there now.
pub(crate) fn fault(page: u32) -> bool {
    let (chunk, bit) = (page / CHUNK_PAGES, page % CHUNK_PAGES);
    if chunk >= CHUNKS.load(Ordering::Relaxed) || present(chunk) & (1 << bit) != 0 {
        return false;
    }
    bring(chunk, 1 << bit);
    true
}

fn bring(chunk: u32, pages: u16) {
    let Some(store) = STORE.get() else { return };
    if let Err(error) = store.bring_step(chunk, pages) {
        stop::damaged(&error);
    }
}

/// The pages of all frames that have one of these.
fn whole_frames(pages: u16) -> u16 {
    let frame = u16::MAX >> (16 - BASE_FRAME_PAGES);
    let frames = (0..CHUNK_PAGES).step_by(BASE_FRAME_PAGES).map(|start| frame << start);
    frames.filter(|frame| frame & pages != 0).fold(0, |all, frame| all | frame)
}

/// The pages that are present, as text: what was touched, if pages come one by one.
pub(crate) fn list() -> String {
    let chunks = CHUNKS.load(Ordering::Relaxed);
    let pages = (0..chunks).flat_map(|chunk| bits(present(chunk)).map(move |bit| chunk * CHUNK_PAGES + bit));
    pages.map(|page| format!("edgepack: page {page}\n")).collect()
}

const _: () = assert!(MEMORY_CHUNKS_MAX == 65_536 && CHUNK_BYTES == 65_536 && PAGE_BYTES == 4096);
