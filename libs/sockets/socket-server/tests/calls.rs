// SPDX-License-Identifier: BSD-2-Clause

//! The server's time is shared by client: one that calls without pause does not keep others from
//! calling.

use socket_proto::{Errno, Handle, Name, PollBits, SocketKind, Span, op};
use stats::NetServer as Counter;
use test_world::{C2S, Faults, World, config, errno, limits};

const MICROSECOND: u64 = 1_000;
const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;
/// Time of its own after which the kernel lets another of the same priority run.
const SLICE: u64 = 5 * MILLISECOND;
/// What a refusal costs the server.
const REFUSAL: u64 = MICROSECOND;

/// What a client does again and again: work of its own, then perhaps a call, in nanoseconds.
#[derive(Clone, Copy)]
struct Loop {
    own: u64,
    call: Option<u64>,
}

/// What became of it.
#[derive(Clone, Copy, Debug, Default)]
struct Taken {
    rounds: u64,
    /// The server's time.
    served: u64,
}

/// Two clients with the same priority, below the server's: time slices count their own time only.
fn side_by_side(loops: [Loop; 2]) -> [Taken; 2] {
    let mut world = World::new(config(), vec![limits(4, 4), limits(4, 4)], Faults::none());
    let sockets = [0, 1].map(|client| world.socket_as(client, SocketKind::Datagram).unwrap());
    let mut taken = [Taken::default(); 2];
    let end = world.now + 4 * SECOND;
    while world.now < end {
        for client in 0..2 {
            let mut own = 0;
            while own < SLICE {
                own += loops[client].own;
                world.now += loops[client].own;
                let Some(cost) = loops[client].call else {
                    continue;
                };
                let (reply, refused) = recv(&mut world, client, sockets[client]);
                assert_eq!(reply, Some(Errno::EAGAIN), "there is nothing to receive");
                let cost = if refused { REFUSAL } else { cost };
                world.now += cost;
                taken[client].served += cost;
                taken[client].rounds += u64::from(!refused);
                if world.outcome.metered {
                    world.server.spent(client, cost);
                }
            }
        }
    }
    taken
}

/// Returns also whether the call was refused.
fn recv(world: &mut World, client: usize, socket: Handle) -> (Option<Errno>, bool) {
    let before = world.count(Counter::CallsRefused);
    let span = Span {
        offset: C2S.into(),
        length: 1000,
    };
    let reply = world.call(client, op::Recv::new(socket, span));
    let refused = world.count(Counter::CallsRefused) > before;
    (errno(reply), refused)
}

/// Uses up a client's share.
fn exhaust(world: &mut World, client: usize, socket: Handle) {
    loop {
        let (_, refused) = recv(world, client, socket);
        if refused {
            return;
        }
        assert!(world.outcome.metered);
        world.server.spent(client, MILLISECOND);
    }
}

#[test]
fn a_client_that_calls_without_pause_gets_its_share() {
    let modest = Loop {
        own: 20 * MICROSECOND,
        call: Some(10 * MICROSECOND),
    };
    let eager = Loop {
        own: MICROSECOND / 2,
        call: Some(200 * MICROSECOND),
    };
    // What the modest one could get beside a client that takes its time slices and nothing else.
    let spinning = Loop {
        call: None,
        ..eager
    };
    let [_, beside_spinning] = side_by_side([spinning, modest]);
    let [eager, beside_eager] = side_by_side([eager, modest]);
    assert!(
        eager.served < 4 * SECOND * 55 / 100,
        "more than a half: {eager:?}"
    );
    assert!(eager.rounds > 1000, "it is served, too: {eager:?}");
    assert!(
        beside_eager.rounds * 100 > beside_spinning.rounds * 45,
        "{beside_eager:?} instead of {beside_spinning:?}"
    );
}

#[test]
fn alone_nobody_is_refused() {
    let mut world = World::new(config(), vec![limits(4, 4), limits(4, 4)], Faults::none());
    world.run_for(SECOND);
    let socket = world.socket(SocketKind::Datagram);
    for _ in 0..10_000 {
        assert!(!recv(&mut world, 0, socket).1);
        assert!(!world.outcome.metered);
        world.now += MILLISECOND;
    }
}

#[test]
fn who_is_refused_is_notified_and_then_served() {
    let mut world = World::new(config(), vec![limits(4, 4), limits(4, 4)], Faults::none());
    let socket = world.socket(SocketKind::Datagram);
    world.bind(socket, "0.0.0.0:0").unwrap();
    world.socket_as(1, SocketKind::Datagram).unwrap();
    // A deadline of its own, later, is not lost over this.
    let deadline = world.now + SECOND;
    let ask = op::Poll {
        socket: None,
        deadline,
    };
    world.ask(ask).unwrap();
    exhaust(&mut world, 0, socket);
    // What must not fail does not.
    let another = world.socket(SocketKind::Stream);
    world.close(another);
    world.take_notified(0);
    // News in the meantime do not make it call in vain.
    let peer = world.peer.bind(5000);
    let Ok(Name { address: name }) = world.ask(op::SockName { socket }) else {
        panic!("getsockname");
    };
    world.peer.send_to(peer, name.port(), b"news");
    let start = world.now;
    world.run_for(MILLISECOND);
    assert!(world.bits(socket).contains(PollBits::IN));
    assert!(!world.take_notified(0));
    let serial = world.clients[0].page().serial();
    world.run_until("a notification", |world| world.take_notified(0));
    assert_ne!(world.clients[0].page().serial(), serial, "look again");
    assert!(world.now > start + 5 * MILLISECOND && world.now < start + 100 * MILLISECOND);
    assert_eq!(recv(&mut world, 0, socket), (None, false));
    world.run_for(deadline - world.now - MILLISECOND);
    assert!(!world.take_notified(0));
    world.run_for(2 * MILLISECOND);
    assert!(world.take_notified(0));
}
