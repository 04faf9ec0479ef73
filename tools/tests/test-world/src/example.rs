// SPDX-License-Identifier: BSD-2-Clause

//! Runs the examples of the client library's documentation.

use std::net::SocketAddr;
use std::time::Duration;

use socket_client::{Errno, Net};

use crate::{PEER_IP, Tasks, Wire};

/// The port of the test peer's echo.
const ECHO: u16 = 7;
/// Rounds of a millisecond that an example may take.
const ROUNDS: usize = 10_000;

/// What an example finds at the far end of the link.
#[derive(Debug)]
pub struct ExamplePeer(());

impl ExamplePeer {
    /// Where everything that is sent comes back, by TCP (one connection) and UDP.
    pub fn echo(&self) -> SocketAddr {
        (PEER_IP, ECHO).into()
    }
}

/// Runs an example until it ends.
///
/// # Panics
/// If it fails or takes longer than ten seconds of the world.
pub fn example(
    example: impl for<'a> AsyncFnOnce(&'a Net<&'a Wire>, &'a ExamplePeer) -> Result<(), Errno>,
) {
    let wire = Wire::simple();
    let net = wire.net();
    let peer = ExamplePeer(());
    let tcp = wire.listen(ECHO);
    let udp = wire.world.borrow_mut().peer.bind(ECHO);
    let mut tasks = Tasks::default();
    let done = tasks.spawn(async {
        let result = example(&net, &peer).await;
        result.expect("the example does not fail");
    });
    for _ in 0..ROUNDS {
        tasks.run_until(&net, wire.time() + Duration::from_millis(1));
        if tasks.is_done(done) {
            return;
        }
        let received = tcp.recv();
        if tcp.send(&received) == 0 && tcp.saw_end() {
            tcp.finish();
        }
        let mut world = wire.world.borrow_mut();
        let mut buf = [0; 2000];
        while let Ok((count, from)) = world.peer.udp(udp).recv_slice(&mut buf) {
            let sent = world.peer.udp(udp).send_slice(&buf[..count], from);
            sent.expect("room for the datagram");
        }
    }
    panic!("the example has no end");
}

/// Runs an example of a server, to whose `port` the test peer connects and says `yes`. The bytes
/// that come back are to be `expected`.
///
/// # Panics
/// If they are not.
pub fn example_of_server(
    port: u16,
    expected: &[u8],
    example: impl for<'a> AsyncFnOnce(&'a Net<&'a Wire>),
) {
    let wire = Wire::simple();
    let net = wire.net();
    let mut tasks = Tasks::default();
    tasks.spawn(example(&net));
    tasks.run(&net);
    let guests = [(); 3].map(|()| wire.connect(port));
    let mut received = [const { Vec::new() }; 3];
    for guest in &guests {
        assert_eq!(guest.send(b"yes"), 3);
    }
    for _ in 0..ROUNDS {
        tasks.run_until(&net, wire.time() + Duration::from_millis(1));
        for (guest, received) in guests.iter().zip(&mut received) {
            received.extend(guest.recv());
        }
        if received.iter().all(|bytes| bytes == expected) {
            return;
        }
    }
    panic!("received: {received:?}");
}
