// SPDX-License-Identifier: BSD-2-Clause
//! A table that is written, read in Rust and in C; and bytes that are no table.

use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use wiring::{ChannelSpec, MemorySpec, PeerSpec, TableSpec, Wiring, WiringError};

fn table() -> TableSpec {
    let peer = |name: &str, number, is_client| PeerSpec {
        name: name.into(),
        about: format!("what {name} does"),
        number,
        priority: 50,
        stack: 0x4000,
        is_child: false,
        is_client,
    };
    let window = |peer: &str, address, is_writable| MemorySpec {
        role: "window".into(),
        peer: Some(peer.into()),
        address,
        size: 0x4_0000,
        is_writable,
        is_device: false,
    };
    TableSpec {
        peers: vec![
            peer("net_server", 2, false),
            peer("echo_server", 3, true),
            // As long as a name can be: without a zero behind it.
            peer("a_client_with_a_name_of_32_bytes", 4, true),
        ],
        memory: vec![
            MemorySpec {
                role: "virtio_net".into(),
                address: 0x1000,
                size: 0x1000,
                is_writable: true,
                is_device: true,
                peer: None,
            },
            window("echo_server", 0x10_0000, false),
            window("a_client_with_a_name_of_32_bytes", 0x20_0000, true),
        ],
        channels: vec![
            ChannelSpec {
                role: "virtio_net".into(),
                id: 7,
                ..ChannelSpec::default()
            },
            ChannelSpec {
                role: "sockets".into(),
                peer: Some("a_client_with_a_name_of_32_bytes".into()),
                id: 61,
                may_notify: true,
                may_call: false,
                is_called: true,
            },
        ],
    }
}

#[test]
fn what_is_written_is_read() {
    let bytes = table().encode().unwrap();
    let wiring = Wiring::parse(&bytes).unwrap();
    assert_eq!(wiring.own().name, "net_server");
    let names: Vec<_> = wiring.peers().map(|peer| peer.name).collect();
    assert_eq!(names, ["echo_server", "a_client_with_a_name_of_32_bytes"]);
    assert!(wiring.peers().all(|peer| peer.is_client && !peer.is_child));
    let first = wiring.memory("window").unwrap();
    assert_eq!((first.address, first.is_writable), (0x10_0000, false));
    assert_eq!(first.peer.unwrap().about, "what echo_server does");
    let second = wiring.memory_with("window", names[1]).unwrap();
    assert!(second.address == 0x20_0000 && second.is_writable && second.index == 2);
    assert_eq!(wiring.memory("nothing"), None);
    assert_eq!(wiring.device().unwrap().role, "virtio_net");
    assert_eq!(wiring.interrupt().unwrap().id, 7);
    let channel = wiring.channel("sockets").unwrap();
    assert!(channel.is_called && channel.may_notify && !channel.may_call);
    assert_eq!((channel.id, channel.peer.unwrap().number), (61, 4));
}

#[test]
fn what_cannot_be_is_refused() {
    let refused = |change: fn(&mut TableSpec)| {
        let mut spec = table();
        change(&mut spec);
        Wiring::parse(&spec.encode().unwrap())
            .map(|_| ())
            .unwrap_err()
    };
    let memory = |index| WiringError::Memory { index };
    assert_eq!(refused(|t| t.memory[1].size = 0), memory(1));
    assert_eq!(refused(|t| t.memory[1].address = 0), memory(1));
    assert_eq!(refused(|t| t.memory[2].size = u64::MAX), memory(2));
    assert_eq!(refused(|t| t.memory[0].role.clear()), memory(0));
    let channel = WiringError::Channel { index: 1 };
    assert_eq!(refused(|t| t.channels[1].id = 62), channel);
    assert_eq!(
        refused(|t| t.peers[0].name.clear()),
        WiringError::Peer { index: 0 }
    );
    let bytes = table().encode().unwrap();
    assert_eq!(
        Wiring::parse(&bytes[..bytes.len() - 1]).map(|_| ()),
        Err(WiringError::Short)
    );
    let mut other = bytes;
    other[7] += 1;
    assert_eq!(Wiring::parse(&other).map(|_| ()), Err(WiringError::Magic));
}

#[test]
fn c_reads_the_same() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (table_file, program) = (folder.join("table.bin"), folder.join("reader"));
    std::fs::write(&table_file, table().encode().unwrap()).unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let compiled = Command::new("cc")
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(here.join("include"))
        .arg(here.join("tests/reader.c"))
        .arg("-o")
        .arg(&program)
        .status()
        .expect("a C compiler, as the build needs one");
    assert!(compiled.success());
    let output = Command::new(&program).arg(&table_file).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        said,
        "net_server\n0x100000 r echo_server\n0x200000 rw\n7 interrupt\n61 called\nnone\n"
    );
}

proptest! {
    #[test]
    fn garbage_is_an_error(
        at in 0usize..800,
        with in proptest::collection::vec(any::<u8>(), 1..64),
    ) {
        let mut bytes = table().encode().unwrap();
        let end = (at + with.len()).min(bytes.len());
        if at < end {
            bytes[at..end].copy_from_slice(&with[..end - at]);
        }
        // Whatever is accepted can be read to its end.
        if let Ok(wiring) = Wiring::parse(&bytes) {
            let _ = wiring.own();
            for peer in wiring.peers() {
                let _ = wiring.memory_with("window", peer.name);
            }
            for memory in wiring.memories("window") {
                prop_assert!(memory.address.checked_add(memory.size).is_some());
            }
            for channel in wiring.channels("sockets") {
                prop_assert!(channel.id < 62);
            }
        }
    }
}
