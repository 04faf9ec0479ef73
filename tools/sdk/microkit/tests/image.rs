// SPDX-License-Identifier: BSD-2-Clause
//! `loader.img` as the loader reads it, made of small executables in place of the SDK's.

mod common;

use common::sdk::{KERNEL, elf, initialiser, kernel, loader};
use common::{Elf, Memory, platform};
use microkit::diagnostics::Diagnostics;
use microkit::elf::Executable;
use microkit::image::{self, ImageError, Parts};
use microkit::sdk::Board;
use sdk_spec::Spec;
use sdk_spec::loader::{LOAD_ADDRESS, Payload};
use zerocopy::IntoBytes;

fn board(loader: &Elf, kernel: &Elf, initialiser: &Elf) -> Board {
    Board {
        kernel: kernel.bytes(),
        loader: loader.bytes(),
        initialiser: initialiser.bytes(),
        platform: platform(),
    }
}

const XML: &str = "<system><protection_domain name=\"a\"><program_image path=\"a.elf\"/></protection_domain></system>";

fn build(board: &Board) -> Result<Vec<u8>, String> {
    let diagnostics = Diagnostics::new("s.xml");
    let output = microkit::build(XML, &Memory::new(), board, &diagnostics);
    let output = output.map_err(|why| why.to_string())?;
    Ok(output.expect("the description is good").image)
}

fn aligned<T>(bytes: &[u8], test: impl FnOnce(&[u8]) -> T) -> T {
    let mut words = vec![0u64; bytes.len().div_ceil(8)];
    words.as_mut_bytes()[..bytes.len()].copy_from_slice(bytes);
    test(&words.as_bytes()[..bytes.len()])
}

#[test]
fn the_loader_accepts_the_image_and_the_initialiser_finds_its_spec() {
    let image = build(&board(&loader(), &kernel(), &initialiser())).expect("fits together");
    assert_eq!(&image[..6], b"loader");
    assert_eq!(&image[0x1000..0x1004], b"data");
    let span = LOAD_ADDRESS..LOAD_ADDRESS + image.len() as u64;
    aligned(&image[0x4000..], |bytes| {
        let payload = Payload::check(bytes, span).expect("the loader's own check");
        let header = payload.header;
        assert_eq!(
            (header.kernel_entry, header.kernel_vaddr),
            (KERNEL + 4, KERNEL)
        );
        assert_eq!(header.kernel_paddr, 0x4000_0000);
        assert_eq!(
            (header.root_start, header.root_vaddr),
            (0x4000_2000, 0x40_0000)
        );
        assert_eq!(header.root_entry, 0x40_0004);
        let segments: Vec<_> = payload.segments().collect();
        let places: Vec<_> = segments
            .iter()
            .map(|(s, b)| (s.paddr, b.len(), s.mem_len))
            .collect();
        assert_eq!(
            places[..2],
            [(0x4000_0000, 6, 0x1000), (0x4000_1000, 0, 0x800)]
        );
        assert_eq!(
            places[2..4],
            [(0x4000_2000, 4, 0x10), (0x4000_3000, 0x40, 0x1234)]
        );
        // Virtual 0x403000 is the first page behind the initialiser: its offset in the image is
        // 0x3000.
        let (spec_segment, spec_bytes) = segments[4];
        assert_eq!(spec_segment.paddr, 0x4000_5000);
        assert_eq!(
            header.root_end,
            0x4000_5000 + (spec_bytes.len() as u64).next_multiple_of(0x1000)
        );
        let data = segments[3].1;
        let word = |at: usize| u64::from_le_bytes(data[at..at + 8].try_into().expect("8 bytes"));
        assert_eq!(
            (word(0x10), word(0x18)),
            (0x40_3000, spec_bytes.len() as u64)
        );
        assert_eq!((data[0xF], data[0x20]), (0xEE, 0xEE));
        let name = aligned(spec_bytes, |bytes| {
            Spec::decode(bytes).map(|spec| spec.pd(0).map(|pd| pd.name.to_owned()))
        });
        assert_eq!(name, Ok(Some("a".to_owned())));
    });
}

#[test]
fn the_image_stays_away_from_the_end_of_a_page_table() {
    let (loader, kernel, initialiser) = (loader().bytes(), kernel().bytes(), initialiser().bytes());
    let parts = Parts {
        loader: Executable::parse(&loader).expect("an executable"),
        kernel: Executable::parse(&kernel).expect("an executable"),
        initialiser: Executable::parse(&initialiser).expect("an executable"),
    };
    let mut last = 0;
    for pages in 0x1F0..0x210 {
        let place = image::place(&parts, pages * 0x1000);
        let end = place.vaddr + (place.end - place.start);
        assert!(end >= place.spec + pages * 0x1000);
        // The kernel's two pages and the end itself are in the table of the image's last page.
        let last_of_kernel = end + 0x2000;
        assert_eq!((end - 1) >> 21, last_of_kernel >> 21, "{pages:#x} pages");
        assert!(place.end >= last, "grows with the spec");
        last = place.end;
    }
}

#[test]
fn an_sdk_that_does_not_fit_together_is_refused() {
    let refused = |loader: &Elf, kernel: &Elf, initialiser: &Elf, why: ImageError| {
        let error = build(&board(loader, kernel, initialiser)).expect_err("refused");
        assert!(error.contains(&why.to_string()), "{error}");
        assert!(error.contains("\n  help: "), "{error}");
    };
    let mut moved = loader();
    moved.entry = LOAD_ADDRESS + 4;
    refused(
        &moved,
        &kernel(),
        &initialiser(),
        ImageError::LoaderAddress(LOAD_ADDRESS),
    );
    let mut short = loader();
    short.parts[1].size = 0x100;
    let (expected, end) = (LOAD_ADDRESS + 0x4000, LOAD_ADDRESS + 0x2000);
    refused(
        &short,
        &kernel(),
        &initialiser(),
        ImageError::LoaderPayload { expected, end },
    );
    let mut without = initialiser();
    without.symbols.clear();
    refused(&loader(), &kernel(), &without, ImageError::NoSpecSymbol);
    let in_bss = elf(0x40_0004, initialiser().parts).with_symbol("sdk_spec", 0x40_1040, 16);
    refused(&loader(), &kernel(), &in_bss, ImageError::NoSpecSymbol);
}
