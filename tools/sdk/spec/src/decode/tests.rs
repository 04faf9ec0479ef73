// SPDX-License-Identifier: BSD-2-Clause
//! Every rule, broken one at a time; damaged bytes.

use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;
use zerocopy::IntoBytes;

use super::*;
use crate::abi::{IPC_BUFFER, STACK_TOP};
use crate::encode::Writer;

/// The records of a small system, to be changed before they are written.
struct Parts {
    region: Region,
    irq: Irq,
    area: Area,
    map: Map,
    caps: Vec<Cap>,
    pds: [PdRecord; 2],
}

fn good() -> Parts {
    let cap = |slot, kind, object, badge| Cap {
        badge,
        slot,
        object,
        kind,
        rights: Rights::WRITE,
        reserved: [0; 6],
    };
    let pd = PdRecord {
        name: Span::default(),
        areas: Span::default(),
        maps: Span::default(),
        caps: Span::default(),
        entry: 0x20_0000,
        stack_pointer: STACK_TOP,
        stack_bottom: STACK_TOP - 0x1000,
        ipc_buffer: IPC_BUFFER,
        parent: NO_INDEX,
        priority: 254,
        has_endpoint: 1,
        reserved: 0,
    };
    Parts {
        region: Region {
            name: Span::default(),
            paddr: 0x6000_0000,
            pages: 2,
            data: Span { first: 0, count: 4 },
            page_bits: 12,
            kind: RegionKind::Ram,
            reserved: [0; 3],
        },
        irq: Irq {
            badge: 1 << 63 | 1,
            number: 255,
            pd: 1,
        },
        area: Area {
            vaddr: 0x20_0000,
            pages: 1,
            data: Span { first: 0, count: 4 },
            rights: Rights(7),
            reserved: [0; 7],
        },
        map: Map {
            vaddr: 0x100_0000,
            region: 0,
            rights: Rights::READ,
            cached: 1,
            reserved: 0,
        },
        caps: vec![
            cap(1, CapKind::Endpoint, 0, (1 << 28) - 1),
            cap(2, CapKind::MonitorEndpoint, 0, 1),
            cap(10, CapKind::Notification, 1, u64::MAX),
            cap(138, CapKind::IrqHandler, 0, 0),
            cap(511, CapKind::Tcb, 1, 0),
        ],
        pds: [
            pd,
            PdRecord {
                parent: 0,
                has_endpoint: 0,
                ..pd
            },
        ],
    }
}

fn encode(parts: Parts) -> Vec<u8> {
    let mut writer = Writer::new();
    let _ = writer.data(b"data");
    let name = writer.name("näme");
    writer.region(Region {
        name: Span {
            first: name.first + parts.region.name.first,
            ..name
        },
        ..parts.region
    });
    writer.irq(parts.irq);
    let mut lists = Some((
        writer.areas(&[parts.area]),
        writer.maps(&[parts.map]),
        writer.caps(&parts.caps),
    ));
    for pd in parts.pds {
        let (areas, maps, caps) = lists.take().unwrap_or_default();
        writer.pd(PdRecord {
            name,
            areas: Span {
                first: areas.first + pd.areas.first,
                ..areas
            },
            maps: Span {
                count: maps.count + pd.maps.count,
                ..maps
            },
            caps: Span {
                count: caps.count + pd.caps.count,
                ..caps
            },
            ..pd
        });
    }
    writer.finish()
}

fn aligned<T>(bytes: &[u8], test: impl FnOnce(&[u8]) -> T) -> T {
    let mut words = vec![0u64; bytes.len().div_ceil(8)];
    words.as_mut_bytes()[..bytes.len()].copy_from_slice(bytes);
    test(&words.as_bytes()[..bytes.len()])
}

fn error(bytes: &[u8]) -> Option<DecodeError> {
    aligned(bytes, |bytes| Spec::decode(bytes).err())
}

/// Checks that what `change` does is found in this record and field.
fn broken(table: &'static str, index: usize, field: &'static str, change: impl FnOnce(&mut Parts)) {
    let mut parts = good();
    change(&mut parts);
    let wanted = DecodeError::Record {
        table,
        index,
        field,
    };
    assert_eq!(error(&encode(parts)), Some(wanted), "{table}.{field}");
}

#[test]
fn a_good_spec_is_read_back() {
    aligned(&encode(good()), |bytes| {
        let spec = Spec::decode(bytes).expect("good");
        assert_eq!(spec.pd_count(), 2);
        let pds: Vec<_> = spec.pds().collect();
        assert_eq!(
            (pds[0].name, pds[0].areas.len(), pds[0].caps.len()),
            ("näme", 1, 5)
        );
        assert_eq!(
            (pds[1].areas.len(), pds[1].maps.len(), pds[1].caps.len()),
            (0, 0, 0)
        );
        assert_eq!(spec.name(spec.regions()[0].name), "näme");
        assert_eq!(spec.data(pds[0].areas[0].data), b"data");
        assert_eq!(spec.data(Span { first: 3, count: 2 }), b"");
        assert_eq!(spec.name(Span { first: 2, count: 1 }), "");
        assert!(spec.pd(2).is_none());
    });
}

#[test]
fn regions() {
    broken("regions", 0, "page_bits", |p| p.region.page_bits = 13);
    broken("regions", 0, "name", |p| p.region.name.first = 2);
    broken("regions", 0, "pages", |p| p.region.pages = 0);
    broken("regions", 0, "pages", |p| p.region.pages = 1 << 52);
    broken("regions", 0, "paddr", |p| p.region.paddr += 0x800);
    broken("regions", 0, "paddr", |p| {
        p.region.paddr = 0xFFFF_FFFF_FFFF_E000
    });
    broken("regions", 0, "kind", |p| p.region.kind = RegionKind::Device);
    broken("regions", 0, "data", |p| p.region.data.count = 5);
}

#[test]
fn interrupts() {
    broken("irqs", 0, "number", |p| p.irq.number = 256);
    broken("irqs", 0, "pd", |p| p.irq.pd = 2);
    broken("irqs", 0, "badge", |p| p.irq.badge = 0);
}

#[test]
fn areas() {
    broken("areas", 0, "pages", |p| p.area.pages = 0);
    broken("areas", 0, "vaddr", |p| p.area.pages = u64::MAX);
    broken("areas", 0, "vaddr", |p| p.area.vaddr += 1);
    broken("areas", 0, "vaddr", |p| p.area.vaddr = USER_TOP + 1);
    broken("areas", 0, "data", |p| p.area.data.first = 1);
    broken("areas", 0, "rights", |p| p.area.rights = Rights::WRITE);
    broken("areas", 0, "rights", |p| p.area.rights = Rights(15));
}

#[test]
fn maps() {
    broken("maps", 0, "region", |p| p.map.region = 1);
    broken("maps", 0, "vaddr", |p| p.map.vaddr = IPC_BUFFER);
    broken("maps", 0, "vaddr", |p| {
        p.region.page_bits = 21;
        p.map.vaddr = 0x1000;
    });
    broken("maps", 0, "rights", |p| p.map.rights = Rights::default());
    broken("maps", 0, "cached", |p| p.map.cached = 2);
}

#[test]
fn capabilities() {
    broken("caps", 0, "badge", |p| p.caps[0].badge = 1 << 28);
    broken("caps", 0, "object", |p| p.caps[0].object = 1);
    broken("caps", 0, "object", |p| p.caps[0].object = 2);
    broken("caps", 1, "object", |p| p.caps[1].object = 1);
    broken("caps", 2, "object", |p| p.caps[2].object = 2);
    broken("caps", 2, "rights", |p| p.caps[2].rights = Rights::EXECUTE);
    broken("caps", 3, "object", |p| p.caps[3].object = 1);
    broken("caps", 3, "badge", |p| p.caps[3].badge = 1);
    broken("caps", 4, "slot", |p| p.caps[4].slot = 512);
}

#[test]
fn protection_domains() {
    broken("pds", 0, "areas", |p| p.pds[0].areas.first = 1);
    broken("pds", 0, "maps", |p| p.pds[0].maps.count = 1);
    broken("pds", 0, "caps", |p| p.pds[0].caps.count = u64::MAX - 5);
    broken("pds", 0, "caps", |p| p.caps[0].slot = 2);
    broken("pds", 1, "ipc_buffer", |p| p.pds[1].ipc_buffer += 8);
    broken("pds", 1, "stack_bottom", |p| {
        p.pds[1].stack_bottom = USER_TOP + 1
    });
    broken("pds", 1, "parent", |p| p.pds[1].parent = 2);
    broken("pds", 1, "parent", |p| p.pds[1].parent = 1);
    broken("pds", 0, "priority", |p| p.pds[0].priority = 255);
    broken("pds", 1, "has_endpoint", |p| p.pds[1].has_endpoint = 2);
}

#[test]
fn header_and_tables() {
    let bytes = encode(good());
    let with = |at: usize, value: u64| {
        let mut bytes = bytes.clone();
        bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
        error(&bytes)
    };
    assert_eq!(with(0, 1), Some(DecodeError::Magic(1)));
    assert_eq!(with(8, 2), Some(DecodeError::Version(2)));
    assert_eq!(
        with(16, bytes.len() as u64 + 1),
        Some(DecodeError::Truncated)
    );
    for (index, table) in [
        "pds", "areas", "maps", "caps", "regions", "irqs", "names", "data",
    ]
    .into_iter()
    .enumerate()
    {
        let at = 24 + 16 * index;
        assert_eq!(with(at, u64::MAX - 1), Some(DecodeError::Table(table)));
        assert_eq!(with(at + 8, u64::MAX / 2), Some(DecodeError::Table(table)));
    }
    for len in (0..bytes.len()).step_by(8) {
        assert!(error(&bytes[..len]).is_some(), "{len} bytes");
    }
}

#[test]
fn too_many_protection_domains() {
    let mut writer = Writer::new();
    for _ in 0..=MAX_PDS {
        writer.pd(good().pds[0]);
    }
    assert_eq!(error(&writer.finish()), Some(DecodeError::Table("pds")));
}

proptest! {
    #[test]
    fn damaged_bytes_never_panic(edits in prop::collection::vec((any::<u16>(), any::<u8>()), 1..6)) {
        let mut bytes = encode(good());
        let len = bytes.len();
        for (at, value) in edits {
            bytes[usize::from(at) % len] = value;
        }
        aligned(&bytes, |bytes| {
            if let Ok(spec) = Spec::decode(bytes) {
                for pd in spec.pds() {
                    for area in pd.areas {
                        assert!(spec.data(area.data).len() as u64 <= area.pages * SMALL_PAGE);
                    }
                    for map in pd.maps {
                        assert!((map.region as usize) < spec.regions().len());
                    }
                }
                assert_eq!(spec.pds().count(), spec.pd_count());
            }
        });
    }
}
