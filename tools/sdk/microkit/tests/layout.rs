// SPDX-License-Identifier: BSD-2-Clause
//! Page sizes and physical addresses.

mod common;

use common::{Memory, good, platform, settle};
use microkit::check::Place;
use microkit::diagnostics::Diagnostics;
use microkit::image::RootPlace;
use microkit::layout;

fn system(regions: &str, in_pd: &str) -> String {
    format!(
        "<system>{regions}<protection_domain name=\"a\"><program_image path=\"a.elf\"/>{in_pd}</protection_domain></system>"
    )
}

#[test]
fn large_pages_where_everything_is_aligned() {
    let cases = [
        ("size=\"0x200000\"", "0x40000000", 0x20_0000),
        (
            "size=\"0x200000\" page_size=\"0x1000\"",
            "0x40000000",
            0x1000,
        ),
        ("size=\"0x200000\"", "0x40001000", 0x1000),
        ("size=\"0x201000\"", "0x40000000", 0x1000),
        (
            "size=\"0x200000\" phys_addr=\"0x61000000\"",
            "0x40000000",
            0x20_0000,
        ),
        (
            "size=\"0x200000\" phys_addr=\"0x61001000\"",
            "0x40000000",
            0x1000,
        ),
        (
            "size=\"4_194_304\" page_size=\"2097152\"",
            "0x40000000",
            0x20_0000,
        ),
    ];
    for (attributes, vaddr, page_size) in cases {
        let xml = system(
            &format!("<memory_region name=\"m\" {attributes}/>"),
            &format!("<map mr=\"m\" vaddr=\"{vaddr}\"/>"),
        );
        assert_eq!(
            good(&xml, &Memory::new()).plans[0].page_size,
            page_size,
            "{attributes}"
        );
    }
}

#[test]
fn every_map_must_allow_large_pages() {
    let xml = system(
        "<memory_region name=\"m\" size=\"0x200000\"/>",
        "<map mr=\"m\" vaddr=\"0x40000000\"/><map mr=\"m\" vaddr=\"0x50001000\"/>",
    );
    assert_eq!(good(&xml, &Memory::new()).plans[0].page_size, 0x1000);
}

#[test]
fn size_follows_the_prefill_file() {
    let files = Memory::new().with("two.bin", vec![1; 0x1001]);
    let xml = system(
        "<memory_region name=\"m\" prefill_path=\"two.bin\"/>",
        "<map mr=\"m\" vaddr=\"0x40000000\" perms=\"r\"/>",
    );
    let settled = good(&xml, &files);
    assert_eq!(settled.plans[0].size, 0x2000);
}

#[test]
fn contiguous_regions_lie_from_the_top_down_round_fixed_ones() {
    let xml = system(
        r#"<memory_region name="one" size="0x3000"/>
           <memory_region name="two" size="0x200000" page_size="0x200000"/>
           <memory_region name="fixed" size="0x1000" phys_addr="0xAFFFB000"/>
           <memory_region name="three" size="0x2000"/>
           <memory_region name="free" size="0x1000"/>"#,
        r#"<map mr="one" vaddr="0x1000000"/><map mr="two" vaddr="0x2000000"/><map mr="fixed" vaddr="0x3000000"/>
           <map mr="three" vaddr="0x4000000"/><map mr="free" vaddr="0x5000000"/>
           <setvar symbol="word" region_paddr="one"/><setvar symbol="word2" region_paddr="two"/>
           <setvar symbol="word3" region_paddr="three"/>"#,
    );
    let settled = good(&xml, &Memory::new());
    assert_eq!(
        settled.paddrs,
        [
            Some(0xAFFF_D000),
            Some(0xAFC0_0000),
            Some(0xAFFF_B000),
            Some(0xAFFF_9000),
            None
        ]
    );
    assert_eq!(settled.plans[0].place, Place::Contiguous);
    assert_eq!(settled.plans[2].place, Place::Ram(0xAFFF_B000));
    assert_eq!(settled.plans[4].place, Place::Anywhere);
}

#[test]
fn no_room_for_a_contiguous_region() {
    let xml = system(
        "\n<memory_region name=\"m\" size=\"0x50001000\"/>",
        "<map mr=\"m\" vaddr=\"0x100000000\"/><setvar symbol=\"word\" region_paddr=\"m\"/>",
    );
    let (_, printed) = settle(&xml, &Memory::new());
    assert!(
        printed.starts_with("s.xml:2:1: error: no room for memory region 'm'"),
        "{printed}"
    );
}

#[test]
fn what_does_not_fit_is_refused() {
    let place = |end| RootPlace {
        start: 0x4020_0000,
        end,
        vaddr: 0x40_0000,
        spec: 0x50_0000,
    };
    let report = |xml: &str, end| {
        let settled = good(xml, &Memory::new());
        let diagnostics = Diagnostics::new("s.xml");
        let _ = layout::budget(&settled, place(end), &platform(), &diagnostics);
        diagnostics.to_string()
    };
    let of_size = |attributes: &str| {
        system(
            &format!(
                "<memory_region name=\"small\" size=\"0x1000\"/>\n<memory_region name=\"m\" {attributes}/>"
            ),
            "<map mr=\"small\" vaddr=\"0x1000000\"/><map mr=\"m\" vaddr=\"0x100000000\"/>",
        )
    };
    let image = 0x4030_0000;
    assert_eq!(report(&of_size("size=\"0x60000000\""), image), "");
    let printed = report(&of_size("size=\"0x80000000\""), image);
    assert!(
        printed.starts_with("s.xml:2:1: error: the system does not fit: it needs 0x80"),
        "{printed}"
    );
    let printed = report(&of_size("size=\"0x10000000\" page_size=\"0x1000\""), image);
    assert!(
        printed.contains("capabilities, and there are 131072"),
        "{printed}"
    );
    let printed = report(&of_size("size=\"0x1000\""), 0x6000_1000);
    assert!(printed.contains("an image up to 0x60001000"), "{printed}");
}
