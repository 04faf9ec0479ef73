// SPDX-License-Identifier: BSD-2-Clause

//! Connections, on the simulated link.

use std::time::Duration;

use key_value_service::{Buffers, Service as KeyValueService, Store, serve};
use socket_client::Service;
use stats::Writer;
use test_world::{Tasks, Wire, page};

const PORT: u16 = 6379;

/// Sends `sent` over a connection to the store, in pieces of `piece` bytes, and returns what comes
/// back until the store ends it or nothing more comes.
fn exchange(sent: &[u8], piece: usize) -> (Vec<u8>, bool) {
    let wire = Wire::simple();
    let net = wire.net();
    let places = Service::<_, 2>::new(&net);
    let service = KeyValueService::new(Store::new(1000, (1, 2)), Writer::attach(page(), 0));
    let mut buffers = Buffers::new();
    let mut tasks = Tasks::default();
    tasks.spawn(async {
        places.accept(([0, 0, 0, 0], PORT).into(), 2, |_| {}).await;
    });
    tasks.spawn(async {
        let work = places.work(
            async |guest| serve(&service, guest, &mut buffers).await,
            |_| {},
        );
        let _ = work.await;
    });
    tasks.run(&net);
    let peer = wire.connect(PORT);
    let mut received = Vec::new();
    let mut left = sent;
    for _ in 0..2000 {
        let (piece, _) = left.split_at(piece.min(left.len()));
        left = &left[peer.send(piece)..];
        tasks.run_until(&net, wire.time() + Duration::from_millis(1));
        received.extend(peer.recv());
    }
    assert!(left.is_empty(), "all was taken");
    (received, peer.saw_end())
}

#[test]
fn pipelined_commands_are_answered_in_order_however_they_are_cut() {
    let mut sent = Vec::new();
    let mut expected = String::new();
    for n in 1..=200 {
        sent.extend(b"*2\r\n$4\r\nINCR\r\n$1\r\nn\r\nPING\r\n");
        expected += &format!(":{n}\r\n+PONG\r\n");
    }
    for piece in [7, 100, 3000] {
        let (received, ended) = exchange(&sent, piece);
        assert_eq!(String::from_utf8_lossy(&received), expected);
        assert!(!ended);
    }
}

#[test]
fn replies_longer_than_the_buffer_come_one_after_the_other() {
    let value = "v".repeat(4000);
    let mut sent = format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4000\r\n{value}\r\n").into_bytes();
    let mut expected = "+OK\r\n".to_string();
    for _ in 0..20 {
        sent.extend(b"GET k\r\n");
        expected += &format!("$4000\r\n{value}\r\n");
    }
    let (received, _) = exchange(&sent, 3000);
    assert_eq!(received.len(), expected.len());
    assert!(received == expected.as_bytes());
}

#[test]
fn quit_and_what_is_no_command_end_the_connection() {
    let (received, ended) = exchange(b"PING\r\nQUIT\r\nPING\r\n", 100);
    assert_eq!((&received[..], ended), (&b"+PONG\r\n+OK\r\n"[..], true));
    let (received, ended) = exchange(b"*1\r\n!\r\n", 100);
    assert!(received.starts_with(b"-ERR Protocol error") && ended);
    let (received, ended) = exchange(&[b'x'; 9000], 3000);
    assert!(received.starts_with(b"-ERR Protocol error: command too long") && ended);
}
