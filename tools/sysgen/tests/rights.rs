// SPDX-License-Identifier: BSD-2-Clause
//! What an image grants is compared with the description, for the files of both SDKs.

use sdk_spec::abi::{IPC_BUFFER, STACK_TOP, badges};
use sdk_spec::encode::Writer;
use sdk_spec::{
    Cap, CapKind, Irq, Map, NO_INDEX, NO_PADDR, PdRecord, Region, RegionKind, Rights, Span,
};
use sysgen::{Image, Source, check_image};

const XML: &str = r#"<system>
<memory_region name="ring" size="0x2000" />
<memory_region name="uart" size="0x1000" phys_addr="0x9000000" />
<protection_domain name="parent" priority="9">
    <map mr="uart" vaddr="0x2000000" perms="rw" cached="false" />
    <map mr="ring" vaddr="0x1000000" perms="r" />
    <protection_domain name="child" id="3" priority="8">
        <map mr="ring" vaddr="0x1000000" />
        <irq irq="30" id="5" />
    </protection_domain>
</protection_domain>
<channel><end pd="child" id="1" pp="true" notify="false" /><end pd="parent" id="2" /></channel>
</system>"#;

fn differences(image: &Image<'_>) -> Vec<String> {
    let system = Source::new("system.xml", XML);
    match check_image(&system, image) {
        Ok(counts) => {
            assert_eq!(counts, (3, 4));
            Vec::new()
        }
        Err(differences) => differences.into_iter().map(|error| error.message).collect(),
    }
}

/// Each test changes one of these.
struct Content {
    regions: [Region; 2],
    maps: [Vec<Map>; 2],
    caps: [Vec<Cap>; 2],
}

const READ_WRITE: Rights = Rights::READ.and(Rights::WRITE);

fn map(vaddr: u64, region: u32, rights: Rights, cached: u8) -> Map {
    Map {
        vaddr,
        region,
        rights,
        cached,
        reserved: 0,
    }
}

fn cap(slot: u32, kind: CapKind, object: u32, badge: u64) -> Cap {
    Cap {
        badge,
        slot,
        object,
        kind,
        rights: Rights::WRITE,
        reserved: [0; 6],
    }
}

/// The image of `XML` with a change: some bytes of a loader, and the spec.
fn registry(change: impl FnOnce(&mut Content)) -> Vec<u8> {
    let mut spec = Writer::new();
    let region = |spec: &mut Writer, name, paddr, pages, kind| Region {
        name: spec.name(name),
        paddr,
        pages,
        data: Span::default(),
        page_bits: 12,
        kind,
        reserved: [0; 3],
    };
    let mut content = Content {
        regions: [
            region(&mut spec, "ring", NO_PADDR, 2, RegionKind::Ram),
            region(&mut spec, "uart", 0x900_0000, 1, RegionKind::Device),
        ],
        maps: [
            vec![
                map(0x200_0000, 1, READ_WRITE, 0),
                map(0x100_0000, 0, Rights::READ, 1),
            ],
            vec![map(0x100_0000, 0, READ_WRITE, 1)],
        ],
        caps: [
            vec![
                cap(1, CapKind::Endpoint, 0, 0),
                cap(12, CapKind::Notification, 1, badges::NOTIFICATION | 1 << 1),
                cap(205, CapKind::Tcb, 1, 0),
            ],
            vec![
                cap(2, CapKind::Endpoint, 0, badges::FAULT | 3),
                cap(75, CapKind::Endpoint, 0, badges::CALL | 2),
                cap(143, CapKind::IrqHandler, 0, 0),
            ],
        ],
    };
    change(&mut content);
    for region in content.regions {
        spec.region(region);
    }
    for (index, name) in ["parent", "child"].into_iter().enumerate() {
        let pd = PdRecord {
            name: spec.name(name),
            areas: Span::default(),
            maps: spec.maps(&content.maps[index]),
            caps: spec.caps(&content.caps[index]),
            entry: 0x20_0000,
            stack_pointer: STACK_TOP,
            stack_bottom: STACK_TOP - 0x1000,
            ipc_buffer: IPC_BUFFER,
            parent: if index == 0 { NO_INDEX } else { 0 },
            priority: 9 - index as u8,
            has_endpoint: u8::from(index == 0),
            reserved: 0,
        };
        spec.pd(pd);
    }
    spec.irq(Irq {
        badge: badges::NOTIFICATION | 1 << 5,
        number: 30,
        pd: 1,
    });
    // A program that has the magic number in it, and the spec at a multiple of 8.
    [b"\x7fELF....ISTHSPEC........".to_vec(), spec.finish()].concat()
}

#[track_caller]
fn found_in_registry(change: impl FnOnce(&mut Content), words: &[&str]) {
    expect(&differences(&Image::Registry(&registry(change))), words);
}

#[track_caller]
fn expect(found: &[String], words: &[&str]) {
    assert_eq!(found.len(), words.len(), "{found:#?}");
    for (found, words) in found.iter().zip(words) {
        assert!(found.contains(words), "{found}");
    }
}

const MORE: &str = "the image grants what the description does not: ";
const LESS: &str = "the image does not grant what the description does: ";

#[test]
fn the_registry_s_image() {
    found_in_registry(|_| {}, &[]);
    found_in_registry(
        |content| content.maps[0][1].rights = READ_WRITE,
        &[
            &format!("{MORE}parent has ring at 0x1000000, 0x2000 bytes, rw"),
            &format!("{LESS}parent has ring at 0x1000000, 0x2000 bytes, r"),
        ],
    );
    found_in_registry(
        |content| content.maps[1].push(map(0x300_0000, 1, Rights::READ, 0)),
        &[&format!(
            "{MORE}child has uart at 0x3000000, 0x1000 bytes, r uncached"
        )],
    );
    found_in_registry(
        |content| content.maps[1][0].vaddr += 0x1000,
        &["child has ring at 0x1001000", "child has ring at 0x1000000"],
    );
    found_in_registry(
        |content| content.regions[0].pages = 1,
        &[
            "child has ring at 0x1000000, 0x1000 bytes",
            "0x1000 bytes, r",
            "",
            "",
        ],
    );
    found_in_registry(
        |content| content.caps[1].push(cap(13, CapKind::Notification, 0, 1)),
        &[&format!(
            "{MORE}child has in slot 13 the notification of parent"
        )],
    );
    found_in_registry(
        |content| content.caps[0].truncate(2),
        &[&format!("{LESS}parent has in slot 205 the thread of child")],
    );
}

#[test]
fn an_image_without_a_spec() {
    expect(
        &differences(&Image::Registry(b"ISTHSPEC")),
        &["the image cannot be read"],
    );
    expect(
        &differences(&Image::Registry(&[0; 64])),
        &["the image cannot be read: no spec in it"],
    );
}

/// What the official tool writes for `XML`, without what is not looked at. Two tables lie above the
/// last.
fn capdl(from: &str, to: &str) -> String {
    let rights =
        |write| format!(r#""rights": {{"read": true, "write": {write}}}, "executable": false"#);
    let frame = |slot: u64, object: u64, write: bool, cached: bool| {
        format!(
            r#"{{"slot": {slot}, "cap": {{"Frame": {{"object": {object}, {}, "cached": {cached}}}}}}}"#,
            rights(write)
        )
    };
    let table = |name: &str, level: u64, slots: String| {
        format!(
            r#"{{"name": "{name}", "object": {{"PageTable": {{"level": {level}, "slots": [{slots}]}}}}}}"#
        )
    };
    let to_table = |slot: u64, object: u64| {
        format!(r#"{{"slot": {slot}, "cap": {{"PageTable": {{"object": {object}}}}}}}"#)
    };
    let thread = |name: &str, cnode: u64, vspace: u64| {
        format!(
            r#"{{"name": "tcb_{name}", "object": {{"Tcb": {{"slots": [{{"slot": 0, "cap": {{"CNode": {{"object": {cnode}}}}}}}, {}]}}}}}}"#,
            to_table(1, vspace)
        )
    };
    let cnode = |name: &str, slots: String| {
        format!(r#"{{"name": "cnode_{name}", "object": {{"CNode": {{"slots": [{slots}]}}}}}}"#)
    };
    let root =
        |object: u64| format!(r#"{{"slot": 0, "cap": {{"CNode": {{"object": {object}}}}}}}"#);
    let cap = |slot: u64, kind: &str, object: u64| {
        format!(r#"{{"slot": {slot}, "cap": {{"{kind}": {{"object": {object}}}}}}}"#)
    };
    let named = |name: &str| format!(r#"{{"name": "{name}", "object": "Endpoint"}}"#);
    let objects = [
        named("frame_mr_ring_000000000"),
        named("frame_mr_ring_000000001"),
        named("frame_mr_uart_000000000"),
        named("frame_elf_parent_000000000"),
        // 4: parent's tables. 0x1000000 is slot 8 of its table with 2 MiB an entry, 0x2000000 slot
        // 16.
        table("pud_parent", 1, to_table(0, 5)),
        table("pd_parent", 2, [to_table(8, 6), to_table(16, 7)].join(",")),
        table(
            "pt_parent",
            3,
            [frame(0, 0, false, true), frame(1, 1, false, true)].join(","),
        ),
        table(
            "pt_parent_2",
            3,
            [frame(0, 2, true, false), frame(9, 3, true, true)].join(","),
        ),
        // 8: child's tables.
        table("pud_child", 1, to_table(0, 9)),
        table("pd_child", 2, to_table(8, 10)),
        table(
            "pt_child",
            3,
            [frame(0, 0, true, true), frame(1, 1, true, true)].join(","),
        ),
        // 11: threads and what their capabilities name.
        thread("parent", 13, 4),
        thread("child", 15, 8),
        cnode("root_parent", root(14)),
        cnode(
            "parent",
            [
                cap(1, "Endpoint", 18),
                cap(12, "Notification", 17),
                cap(205, "Tcb", 12),
            ]
            .join(","),
        ),
        cnode("root_child", root(16)),
        cnode(
            "child",
            [cap(75, "Endpoint", 18), cap(143, "ArmIrqHandler", 19)].join(","),
        ),
        named("ntfn_child"),
        named("ep_parent"),
        named("irq_30_child"),
        thread("monitor", 13, 4),
    ];
    let text = format!(r#"{{"objects": [{}]}}"#, objects.join(",\n"));
    if !from.is_empty() {
        assert_eq!(
            text.matches(from).count(),
            1,
            "{from} must occur once in {text}"
        );
    }
    text.replace(from, to)
}

#[track_caller]
fn found_in_capdl(from: &str, to: &str, words: &[&str]) {
    expect(&differences(&Image::Capdl(&capdl(from, to))), words);
}

#[test]
fn the_official_sdk_s_distribution() {
    expect(&differences(&Image::Capdl(&capdl("", ""))), &[]);
    let page =
        r#"{"slot": 1, "cap": {"Frame": {"object": 1, "rights": {"read": true, "write": false}"#;
    found_in_capdl(
        page,
        &page.replace("false", "true"),
        &[
            &format!("{MORE}parent has ring at 0x1000000, 0x1000 bytes, r"),
            &format!("{MORE}parent has ring at 0x1001000, 0x1000 bytes, rw"),
            &format!("{LESS}parent has ring at 0x1000000, 0x2000 bytes, r"),
        ],
    );
    found_in_capdl(
        "frame_elf_parent_000000000",
        "frame_mr_ring_000000001",
        &[&format!(
            "{MORE}parent has ring at 0x2009000, 0x1000 bytes, rw"
        )],
    );
    found_in_capdl(
        r#"{"slot": 16, "cap""#,
        r#"{"slot": 17, "cap""#,
        &[
            "parent has uart at 0x2200000",
            "parent has uart at 0x2000000",
        ],
    );
    found_in_capdl(
        r#"{"slot": 75, "cap""#,
        r#"{"slot": 74, "cap""#,
        &[
            "child has in slot 74 the endpoint of parent",
            "child has in slot 75",
        ],
    );
    found_in_capdl(
        "irq_30_child",
        "irq_31_child",
        &["interrupt 31", "interrupt 30"],
    );
}

#[test]
fn a_distribution_of_another_form() {
    for (text, why) in [
        ("[]", "no list"),
        ("{", "EOF"),
        (r#"{"objects": []}"#, "no thread"),
        (
            r#"{"objects": [{"name": "tcb_a", "object": {"Tcb": {"slots": []}}}]}"#,
            "without slot 1",
        ),
    ] {
        expect(&differences(&Image::Capdl(text)), &[why]);
    }
    found_in_capdl(
        r#""level": 1, "slots": [{"slot": 0, "cap": {"PageTable": {"object": 5}"#,
        r#""level": 4, "slots": [{"slot": 0, "cap": {"PageTable": {"object": 5}"#,
        &["known level"],
    );
}
