// SPDX-License-Identifier: BSD-2-Clause
//! Whatever is declared: the tables say what the description enforces, and the rules of the README
//! hold.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use proptest::prelude::*;
use roxmltree::{Document, Node};
use sysgen::{Built, Source, compile};
use wiring::Wiring;

const OWN: &str = include_str!("../../../isthmus.toml");

/// The project's declaration with more clients. Each has sockets, a window, and may read counters.
fn with_clients(clients: &[(u16, u64, bool)]) -> Built {
    let mut text = OWN.to_string();
    for (n, (sockets, window, reads)) in clients.iter().enumerate() {
        write!(
            text,
            "[pds.client{n}]\nuses = [\"net_server\"]\nstream_sockets = {sockets}\nwindow = {}\nreads_counters = {reads}\ntcp_listen = [{}]\n",
            window * 0x1000,
            10_000 + n
        )
        .unwrap();
    }
    let files = [Source::new("isthmus.toml", text)];
    compile(&files, |_| Err("no fragment".to_string())).unwrap()
}

fn number(text: &str) -> u64 {
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).unwrap(),
        None => text.parse().unwrap(),
    }
}

fn attribute<'a>(node: Node<'a, '_>, name: &str) -> &'a str {
    node.attribute(name).unwrap_or_default()
}

/// Compares every table with the description.
fn check(built: &Built) {
    let document = Document::parse(&built.description).unwrap();
    let all = |tag: &'static str| document.descendants().filter(move |n| n.has_tag_name(tag));
    let sizes: BTreeMap<&str, u64> = all("memory_region")
        .map(|region| (attribute(region, "name"), number(attribute(region, "size"))))
        .collect();
    let mut writers: BTreeMap<&str, &str> = BTreeMap::new();
    let files: BTreeMap<&str, &[u8]> = built
        .files
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    for pd in all("protection_domain") {
        let name = attribute(pd, "name");
        let table = Wiring::parse(files[format!("{name}.wiring").as_str()]).unwrap();
        assert_eq!(table.own().name, name);
        let is_client = table.own().is_client;
        assert_eq!(table.limits(name).is_some(), is_client, "{name}");
        assert_eq!(table.network().is_some(), is_client || name == "net_server");
        if is_client {
            let server = Wiring::parse(files["net_server.wiring"]).unwrap();
            assert_eq!(server.limits(name), table.limits(name), "{name}");
            assert_eq!(server.network(), table.network(), "{name}");
        }
        assert_eq!(
            u64::from(table.own().priority),
            number(attribute(pd, "priority"))
        );
        let mut mapped = BTreeSet::new();
        for map in pd.children().filter(|child| child.has_tag_name("map")) {
            let region = attribute(map, "mr");
            let writable = attribute(map, "perms") == "rw";
            if writable {
                let other = writers.insert(region, name);
                assert_eq!(other, None, "{region} is written by two");
            }
            let vaddr = number(attribute(map, "vaddr"));
            mapped.insert((vaddr, sizes[region], writable));
        }
        let roles = ["log", "counters", "readiness", "client_to_server"];
        let more = [
            "server_to_client",
            "driver_rings",
            "server_rings",
            "rx_data",
            "tx_data",
        ];
        let rest = [
            "dma",
            "lives",
            "wiring",
            "heap",
            "uart",
            "rtc",
            "virtio_net",
            "virtio_rng",
        ];
        let told: BTreeSet<(u64, u64, bool)> = roles
            .iter()
            .chain(&more)
            .chain(&rest)
            .flat_map(|role| table.memories(role))
            .map(|memory| {
                (
                    memory.address as u64,
                    memory.size as u64,
                    memory.is_writable,
                )
            })
            .collect();
        assert_eq!(told, mapped, "{name}");
        let channels: BTreeSet<(u64, bool, bool)> = all("end")
            .filter(|end| attribute(*end, "pd") == name)
            .map(|end| {
                let (id, call) = (number(attribute(end, "id")), attribute(end, "pp") == "true");
                (id, call, attribute(end, "notify") != "false")
            })
            .collect();
        let roles = [
            "log",
            "supervision",
            "sockets",
            "packets",
            "time",
            "random",
            "lives",
        ];
        let told: BTreeSet<(u64, bool, bool)> = roles
            .iter()
            .flat_map(|role| table.channels(role))
            .map(|channel| (channel.id as u64, channel.may_call, channel.may_notify))
            .collect();
        assert_eq!(told, channels, "{name}");
        assert!(channels.iter().all(|(id, ..)| *id < 62), "{name}");
        let children = pd
            .children()
            .filter(|child| child.has_tag_name("protection_domain"));
        let children: BTreeSet<(&str, usize)> = children
            .map(|child| {
                (
                    attribute(child, "name"),
                    number(attribute(child, "id")) as usize,
                )
            })
            .collect();
        let told = table.peers().filter(|peer| peer.is_child);
        assert_eq!(
            told.map(|peer| (peer.name, peer.number))
                .collect::<BTreeSet<_>>(),
            children
        );
    }
}

#[test]
fn the_project_s_own() {
    check(&with_clients(&[]));
}

#[test]
fn forty_clients() {
    let built = with_clients(&[(300, 16, false); 40]);
    check(&built);
    assert!(built.costs.contains("client39"), "{}", built.costs);
}

#[test]
fn a_file_that_changes_another_adds_and_replaces() {
    let files = [
        Source::new("isthmus.toml", OWN),
        Source::new(
            "test.toml",
            "[pds.console]\npriority = 250\n[pds.more]\n[devices.uart]\nirq = 33\n",
        ),
    ];
    let none = |_: &str| Err("no fragment".to_string());
    let built = compile(&files, none).unwrap();
    check(&built);
    assert!(
        built
            .description
            .contains("<protection_domain name=\"console\" id=\"4\" priority=\"250\"")
    );
    assert!(built.description.contains("<irq irq=\"33\""));
    assert!(built.programs.contains("more"));
    let wrong = [
        Source::new("isthmus.toml", OWN),
        Source::new("test.toml", "[pds.console]\npriority = 300\n"),
    ];
    let error = compile(&wrong, none).unwrap_err().remove(0);
    assert_eq!(
        (error.file.as_str(), error.line, error.column),
        ("test.toml", 2, 12)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_clients(
        clients in proptest::collection::vec((1u16..300, 1u64..200, any::<bool>()), 0..40),
    ) {
        check(&with_clients(&clients));
    }
}
