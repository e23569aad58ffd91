//! Containers: what is written is read, the same input is the same bytes, and no damage goes unseen.

use std::ops::Range;

use edgepack_format::container::{
    Assumption, ContainerError, Effect, Guard, Patch, SectionKind, Sections, decode_effects,
};
use edgepack_format::image::{Frame, Part, Stored};
use edgepack_format::manifest::Manifest;
use edgepack_format::policy::{Grants, Scope};
use edgepack_packer::{
    CompressedPackage, Contents, Engine, Error, Memory, Started, container, executable, open, stub as stub_of, verify,
};

const CHUNK: usize = 65_536;

struct Case {
    manifest: Manifest,
    base: Vec<u8>,
    started: Vec<u8>,
    package: (Vec<u8>, Range<usize>),
    mapped: Vec<u32>,
    assumptions: Vec<Assumption>,
    effects: Vec<Effect>,
}

impl Case {
    fn new() -> Case {
        let noise =
            |seed: u32| (0..CHUNK as u32).map(move |i| (i.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 13) as u8);
        let base: Vec<u8> = (0..2).flat_map(noise).collect();
        let mut started = base.clone();
        // More chunks than a leaf of their table has.
        started.resize(100 * CHUNK, 0);
        started[5000] ^= 1;
        for chunk in 3..100 {
            let page = chunk * CHUNK + chunk % 16 * 4096;
            started[page..page + 4096].copy_from_slice(&noise(7).take(4096).collect::<Vec<_>>());
            started[page] = chunk as u8;
        }
        // The same as another one.
        started.copy_within(3 * CHUNK..4 * CHUNK, 50 * CHUNK);
        let grants = Grants { net: Scope::Some(vec![":80".to_owned()]), read: Scope::All, ..Grants::default() };
        Case {
            manifest: Manifest { name: "case".to_owned(), grants, memory_bytes_max: 1 << 28, ..Manifest::default() },
            base,
            started,
            package: (b"a package".to_vec(), 0..0),
            mapped: (0..2 * 16).collect(),
            assumptions: vec![
                Assumption { guards: vec![guard(1)], patches: Vec::new() },
                Assumption { guards: vec![guard(2)], patches: vec![Patch { address: 4096, bytes: vec![1, 2, 3] }] },
            ],
            effects: vec![
                Effect::Write { handle: 1, bytes: b"hello\n".to_vec() },
                Effect::Call { name: "signal_watch".to_owned(), args: vec![2, 1] },
            ],
        }
    }

    fn pack(&self, hot_pages: &[u32]) -> Vec<u8> {
        let contents = Contents {
            manifest: &self.manifest,
            engine: Engine { hash: [9; 32], base_memory: &self.base, mapped_pages: &self.mapped },
            started: Some(Started {
                memory: Memory { bytes: &self.started, stack_pointer: 200 },
                assumptions: &self.assumptions,
                effects: &self.effects,
            }),
            package: &CompressedPackage::new(self.package.0.clone(), self.package.1.clone()).unwrap(),
            source_map: "{\"version\":3}",
            licences: "MIT",
            hot_pages,
        };
        container(&contents).unwrap()
    }
}

/// The memory that a boot would see, and how many frames and cold chunks there are.
fn restore(container: &[u8], base: &[u8]) -> (Vec<u8>, usize, usize) {
    let hash = |bytes: &[u8]| blake3::hash(bytes).into();
    let sections = Sections::find(container).unwrap();
    let index = sections.index(hash).unwrap();
    let image = index.image.unwrap();
    let mut memory = base.to_vec();
    memory.resize(image.memory_chunks as usize * CHUNK, 0);
    let mut frames = std::collections::BTreeSet::new();
    let package = zstd::stream::decode_all(sections.get(SectionKind::Package).unwrap()).unwrap();
    let mut expand = |frame: &Frame, chunk: u32| {
        frames.insert(frame.offset);
        let bytes = frame.bytes(chunk, sections.get(SectionKind::Pages).unwrap(), hash).unwrap();
        zstd::bulk::decompress(bytes, 4 * CHUNK).unwrap()
    };
    let mut change = |pages: &[u8], Part { chunk, mask, whole }: Part| {
        let target = &mut memory[chunk as usize * CHUNK..][..CHUNK];
        let places = (0..16).filter(|page| mask & (1 << page) != 0);
        for (place, page) in places.zip(pages.chunks_exact(4096)) {
            if whole & (1 << place) != 0 {
                target[place * 4096..][..4096].fill(0);
            }
            target[place * 4096..][..4096].iter_mut().zip(page).for_each(|(byte, change)| *byte ^= change);
        }
    };
    for chunk in 0..image.memory_chunks {
        if let Some((frame, (part, start))) =
            image.hot().find_map(|hot| hot.find(chunk).map(|found| (hot.frame, found)))
        {
            assert_eq!(image.hot_mask(chunk), part.mask);
            assert_eq!(image.whole_mask(chunk), part.whole);
            change(&expand(&frame, chunk)[start..], part);
        }
        let table = sections.get(SectionKind::Chunks).unwrap_or_default();
        let leaf = image.leaf_of(chunk).map(|number| image.leaf(number, table).unwrap());
        leaf.iter().for_each(|leaf| leaf.verify(hash).unwrap());
        if let Some(cold) = leaf.and_then(|leaf| leaf.find(chunk)) {
            match &cold.stored {
                Stored::Frame(frame) => change(&expand(frame, chunk), cold.part),
                Stored::Package { offset } => change(&package[*offset..], cold.part),
            }
        }
    }
    let cold = image.cold_count();
    (memory, frames.len(), cold)
}

#[test]
fn what_was_packed_is_restored_hot_or_not() {
    let case = Case::new();
    // 98 chunks differ, two of them in the same way; the hot part of a chunk is stored with the other hot pages.
    let all: Vec<u32> = (0..1600).collect();
    for (hot_pages, frames, cold) in [(&[][..], 97, 98), (&[1, 51], 97, 96), (&all, 2, 0)] {
        let packed = case.pack(hot_pages);
        let (memory, frame_count, cold_count) = restore(&packed, &case.base);
        assert!(memory == case.started);
        assert_eq!((frame_count, cold_count), (frames, cold));
        let verified = verify(&packed).unwrap();
        assert_eq!(verified.index.grants, case.manifest.grants);
        assert_eq!(verified.index.assumptions, case.assumptions);
        assert_eq!(verified.source_map, "{\"version\":3}");
        assert_eq!(verified.licences, "MIT");
        assert!(verified.manifest.starts_with("{\"capabilities\""));
    }
    let sections = case.pack(&[]);
    let sections = Sections::find(&sections).unwrap();
    assert_eq!(decode_effects(sections.get(SectionKind::Deferred).unwrap()).unwrap(), case.effects);
}

#[test]
fn a_script_that_is_in_memory_is_stored_once() {
    let mut case = Case::new();
    let script: Vec<u8> = (0..4 * CHUNK as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 21) as u8).collect();
    case.package = ([b"head".as_slice(), &script, b"tail"].concat(), 4..4 + script.len());
    let apart = case.pack(&[]).len();
    let start = 20 * CHUNK + 100;
    case.started[start..start + script.len()].copy_from_slice(&script);
    let packed = case.pack(&[]);
    assert!(restore(&packed, &case.base).0 == case.started);
    verify(&packed).unwrap();
    // Its first and its last part share chunks with something else.
    assert!(packed.len() < apart + 2 * CHUNK, "{apart} {}", packed.len());
}

#[test]
fn what_a_boot_touches_of_the_base_image_is_named_or_stored() {
    let mut case = Case::new();
    case.base.resize(3 * CHUNK, 0);
    // A page of the base image that has changed, one that has not, and one that is new and zero.
    let pages = [1, 2, 40];
    for (mapped, hot, touched) in [
        (vec![1, 2], (1 << 1, 0), vec![(0, 1 << 2), (2, 1 << 8)]),
        (vec![1], (0b110, 0b100), vec![(2, 1 << 8)]),
        (vec![], (0b110, 0b110), vec![(2, 1 << 8)]),
    ] {
        case.mapped = mapped;
        let packed = case.pack(&pages);
        assert!(restore(&packed, &case.base).0 == case.started);
        let sections = Sections::find(&packed).unwrap();
        let index = sections.index(|bytes| blake3::hash(bytes).into()).unwrap();
        let image = index.image.unwrap();
        let found: Vec<_> = image.touched().map(|part| (part.chunk, part.mask)).collect();
        assert_eq!(((image.hot_mask(0), image.whole_mask(0)), found), (hot, touched));
    }
}

#[test]
fn the_same_input_gives_the_same_bytes_and_a_valid_module() {
    let case = Case::new();
    let packed = case.pack(&[48]);
    assert!(packed == case.pack(&[48]));
    wasmparser::Validator::new().validate_all(&packed).unwrap();
}

#[test]
fn no_flipped_bit_and_no_cut_goes_unseen() {
    for hot_pages in [&[][..], &[48]] {
        let packed = Case::new().pack(hot_pages);
        let sections = Sections::find(&packed).unwrap();
        // Every byte of the small sections, and samples of the pages.
        let places = (0..packed.len()).filter(|at| *at < sections.pages_offset || at % 97 == 0);
        for at in places {
            let mut damaged = packed.clone();
            damaged[at] ^= 1 << (at % 8);
            assert!(verify(&damaged).is_err(), "bit {} of byte {at}", at % 8);
        }
        for length in (0..sections.pages_offset).chain((sections.pages_offset..packed.len()).step_by(97)) {
            assert!(verify(&packed[..length]).is_err(), "cut to {length}");
        }
    }
}

#[test]
fn damage_is_told_in_a_sentence() {
    let packed = Case::new().pack(&[]);
    let sentence = |bytes: &[u8]| verify(bytes).unwrap_err().to_string();
    assert_eq!(sentence(b"hello"), "not an edgepack container");
    assert_eq!(sentence(&packed[..packed.len() - 1]), "the container is cut short");
    let mut damaged = packed.clone();
    *damaged.last_mut().unwrap() ^= 1;
    assert_eq!(
        sentence(&damaged),
        "the container was altered or damaged: chunk 99 of the app's memory has another hash"
    );
    let other = ContainerError::OtherEngine { container: [1; 32], stub: [0xab; 32] };
    let expected = "the container was made for engine 0101010101010101, this executable has engine abababababababab";
    assert_eq!(other.to_string(), expected);
}

#[test]
fn an_executable_carries_the_container_and_a_second_one_is_refused() {
    let stub = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let packed = Case::new().pack(&[48]);
    let program = executable(&stub, &packed).unwrap();
    assert!(open(&program).unwrap() == packed);
    assert!(open(&packed).unwrap() == packed);
    assert!(matches!(open(&stub), Err(Error::NothingInside)));
    let again = executable(&program, &packed).unwrap_err().to_string();
    assert_eq!(again, "the stub is not an ELF executable: it already has an app inside");
    let foreign = stub_of(&stub, b"frames").unwrap_err().to_string();
    assert_eq!(foreign, "the stub is not an ELF executable: it has no edge_cold_code");
    assert!(executable(b"MZ", &packed).unwrap_err().to_string().starts_with("the stub is not an ELF executable"));
}

#[test]
fn an_index_made_to_harm_is_read_without_a_panic() {
    let packed = Case::new().pack(&[48]);
    let index = Sections::find(&packed).unwrap().require(SectionKind::Index).unwrap();
    let start = index.as_ptr() as usize - packed.as_ptr() as usize;
    let range = start..start + index.len();
    let root = Sections::find(&packed).unwrap().require(SectionKind::Root).unwrap();
    let root_start = root.as_ptr() as usize - packed.as_ptr() as usize;
    let mut refused = 0;
    for at in range.clone() {
        for byte in [0x00, 0x7f, 0x80, 0xff] {
            let mut hostile = packed.clone();
            hostile[at] = byte;
            let hash = blake3::hash(&hostile[range.clone()]);
            hostile[root_start..root_start + 32].copy_from_slice(hash.as_bytes());
            refused += usize::from(verify(&hostile).is_err());
        }
    }
    assert!(refused > range.len(), "most of them are refused: {refused}");
}

fn guard(result: i64) -> Guard {
    Guard { call: "stdio_kind".to_owned(), args: vec![1], result }
}
