// SPDX-License-Identifier: BSD-2-Clause
//! The spec as the initialiser reads it: memory, rights, capabilities.

mod common;

use common::{Memory, good};
use sdk_spec::abi::{IPC_BUFFER, STACK_TOP, badges};
use sdk_spec::{CapKind, NO_INDEX, NO_PADDR, RegionKind, Rights, Spec};

const XML: &str = r#"<system>
    <memory_region name="shared" size="0x2000" prefill_path="data.bin"/>
    <memory_region name="device" size="0x1000" phys_addr="0x9000000"/>
    <protection_domain name="parent" priority="200" stack_size="0x4000"><program_image path="a.elf"/>
        <map mr="shared" vaddr="0x1000000" perms="r"/>
        <protection_domain name="server" id="4" priority="100"><program_image path="a.elf"/>
            <map mr="shared" vaddr="0x2000000" perms="rwx" cached="false"/>
            <irq irq="48" id="9"/></protection_domain>
    </protection_domain>
    <protection_domain name="client" priority="50"><program_image path="a.elf"/>
        <map mr="device" vaddr="0x3000000" cached="false"/><irq irq="30" id="2"/></protection_domain>
    <channel><end pd="client" id="1" pp="true" notify="false"/><end pd="server" id="6"/></channel>
    <channel><end pd="client" id="3"/><end pd="parent" id="8" notify="false"/></channel>
</system>"#;

/// Gives the spec of a system, in memory aligned as the initialiser has it.
fn with_spec(xml: &str, test: impl FnOnce(&Spec<'_>)) {
    let bytes = microkit::spec::encode(&good(xml, &Memory::new()));
    let mut words = vec![0u64; bytes.len() / 8 + 2];
    let offset = words.as_ptr().align_offset(8);
    assert_eq!(offset, 0);
    for (word, chunk) in words.iter_mut().zip(bytes.chunks(8)) {
        let mut le = [0; 8];
        le[..chunk.len()].copy_from_slice(chunk);
        *word = u64::from_le_bytes(le);
    }
    let aligned = zerocopy::IntoBytes::as_bytes(words.as_slice());
    test(&Spec::decode(&aligned[..bytes.len()]).expect("the tool's own spec is valid"));
}

#[test]
fn protection_domains() {
    with_spec(XML, |spec| {
        let names: Vec<_> = spec.pds().map(|pd| pd.name).collect();
        assert_eq!(names, ["parent", "server", "client"]);
        let facts: Vec<_> = spec
            .pds()
            .map(|pd| (pd.record.priority, pd.record.parent, pd.record.has_endpoint))
            .collect();
        // The parent has an endpoint for faults, the server for calls and the client needs none.
        assert_eq!(facts, [(200, NO_INDEX, 1), (100, 0, 1), (50, NO_INDEX, 0)]);
        let parent = spec.pd(0).expect("there");
        assert_eq!(parent.record.entry, 0x20_0010);
        assert_eq!(parent.record.stack_pointer, STACK_TOP);
        assert_eq!(parent.record.stack_bottom, STACK_TOP - 0x4000);
        assert_eq!(parent.record.ipc_buffer, IPC_BUFFER);
    });
}

#[test]
fn private_memory() {
    with_spec(XML, |spec| {
        let areas: Vec<_> = spec
            .pd(0)
            .expect("there")
            .areas
            .iter()
            .map(|a| (a.vaddr, a.pages, a.rights.0))
            .collect();
        assert_eq!(
            areas,
            [
                (0x20_0000, 1, 1 | 4),
                (0x20_1000, 1, 1 | 2),
                (STACK_TOP - 0x4000, 4, 1 | 2)
            ]
        );
        let data = spec.pd(0).expect("there").areas[1].data;
        let bytes = spec.data(data);
        assert!(bytes.starts_with(b"parent"));
        // Behind the last byte that is not zero the spec has nothing.
        assert_eq!(bytes.len(), 0x80);
        assert_eq!(spec.data(spec.pd(0).expect("there").areas[2].data), b"");
    });
}

#[test]
fn regions_and_maps() {
    with_spec(XML, |spec| {
        let shared = &spec.regions()[0];
        assert_eq!(
            (spec.name(shared.name), shared.pages, shared.page_bits),
            ("shared", 2, 12)
        );
        assert_eq!((shared.paddr, shared.kind), (NO_PADDR, RegionKind::Ram));
        assert_eq!(spec.data(shared.data), b"12345");
        let device = &spec.regions()[1];
        assert_eq!(
            (device.paddr, device.kind),
            (0x900_0000, RegionKind::Device)
        );
        let maps = |pd| {
            let maps = spec.pd(pd).expect("there").maps.iter();
            maps.map(|m| (m.vaddr, m.region, m.rights, m.cached))
                .collect::<Vec<_>>()
        };
        let all = Rights::READ.and(Rights::WRITE).and(Rights::EXECUTE);
        assert_eq!(maps(0), [(0x100_0000, 0, Rights::READ, 1)]);
        assert_eq!(maps(1), [(0x200_0000, 0, all, 0)]);
        assert_eq!(
            maps(2),
            [(0x300_0000, 1, Rights::READ.and(Rights::WRITE), 0)]
        );
    });
}

#[test]
fn capabilities_are_exactly_these() {
    let (receive, send) = (Rights::READ, Rights::WRITE);
    let call = Rights::WRITE.and(Rights::GRANT);
    let none = Rights::default();
    let ntfn = badges::NOTIFICATION;
    with_spec(XML, |spec| {
        let caps = |pd| {
            let caps = spec.pd(pd).expect("there").caps.iter();
            caps.map(|c| (c.slot, c.kind, c.object, c.rights, c.badge))
                .collect::<Vec<_>>()
        };
        use CapKind::{Endpoint, IrqHandler, MonitorEndpoint, Notification, Tcb};
        assert_eq!(
            caps(0),
            [
                (1, Endpoint, 0, receive, 0),
                (2, MonitorEndpoint, 0, call, 1),
                (202 + 4, Tcb, 1, none, 0),
            ]
        );
        assert_eq!(
            caps(1),
            [
                (1, Endpoint, 1, receive, 0),
                (2, Endpoint, 0, call, badges::FAULT | 4),
                (10 + 6, Notification, 2, send, ntfn | 1 << 1),
                (138 + 9, IrqHandler, 0, none, 0),
            ]
        );
        assert_eq!(
            caps(2),
            [
                (1, Notification, 2, receive, 0),
                (2, MonitorEndpoint, 0, call, 3),
                (10 + 3, Notification, 0, send, ntfn | 1 << 8),
                (74 + 1, Endpoint, 1, call, badges::CALL | 6),
                (138 + 2, IrqHandler, 1, none, 0),
            ]
        );
        let irqs: Vec<_> = spec
            .irqs()
            .iter()
            .map(|i| (i.number, i.pd, i.badge))
            .collect();
        assert_eq!(irqs, [(48, 1, ntfn | 1 << 9), (30, 2, ntfn | 1 << 2)]);
    });
}

#[test]
fn flattening_puts_a_childs_children_behind_it() {
    let pd = |name: &str, id: &str, inner: &str| {
        format!(
            "<protection_domain name=\"{name}\"{id}><program_image path=\"a.elf\"/>{inner}</protection_domain>"
        )
    };
    let d = pd("d", " id=\"0\"", "");
    let b = pd("b", " id=\"0\"", &d);
    let c = pd("c", " id=\"1\"", "");
    let xml = format!(
        "<system>{}{}</system>",
        pd("a", "", &(b + &c)),
        pd("e", "", "")
    );
    with_spec(&xml, |spec| {
        let tree: Vec<_> = spec.pds().map(|pd| (pd.name, pd.record.parent)).collect();
        assert_eq!(
            tree,
            [
                ("a", NO_INDEX),
                ("b", 0),
                ("d", 1),
                ("c", 0),
                ("e", NO_INDEX)
            ]
        );
    });
}
