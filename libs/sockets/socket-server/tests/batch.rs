// SPDX-License-Identifier: BSD-2-Clause

//! Several requests in one call.

use proptest::prelude::*;
use socket_proto::layouts::Layout;
use socket_proto::{Call, Errno, MAX_BATCH, Message, PollBits, Record, Sent, SocketKind, Span, op};
use socket_proto::{Opened, reply};
use stats::NetServer as Counter;
use test_world::{C2S, S2C, World};

/// Where the replies go, behind the payload.
const REPLIES: u64 = C2S as u64 + S2C as u64 / 2;

fn message<C: Call>(request: C) -> Message {
    Message::new(request)
}

/// Makes one call for all; the payload lies behind them.
fn batch(world: &mut World, requests: &[Message], payload: &[u8]) -> Result<Vec<Message>, Errno> {
    let mut bytes: Vec<u8> = requests
        .iter()
        .flat_map(|request| request.bytes().to_vec())
        .collect();
    bytes.extend(payload);
    world.clients[0].fill(&bytes);
    let batched = world.ask(op::Batch {
        requests: 0,
        count: requests.len() as u64,
        replies: REPLIES,
    })?;
    let reply = |n| {
        let at = (REPLIES - u64::from(C2S)) as usize + n * Message::SIZE;
        let mut message = Message::default();
        let bytes = world.clients[0].read(at, Message::SIZE);
        message.bytes_mut().copy_from_slice(&bytes);
        message
    };
    Ok((0..batched.count as usize).map(reply).collect())
}

#[test]
fn each_is_served_and_counted_as_if_it_had_come_alone() {
    let mut world = World::simple();
    let listener = world.listen(80, 4);
    let (first, peer) = world.connected(listener, 80);
    let (second, other) = world.connected(listener, 80);
    let stale = world.socket(SocketKind::Stream);
    world.close(stale);
    let span = |length| Span {
        offset: 5 * Message::SIZE as u64,
        length,
    };
    let requests = [
        message(op::Send::new(first, span(5))),
        message(op::Send::new(second, span(9))),
        message(op::Send::new(stale, span(9))),
        message(op::Accept { socket: listener }),
        message(op::Socket::new(SocketKind::Datagram)),
    ];
    let calls = [Counter::CallsSend, Counter::CallsBatch];
    let before = calls.map(|calls| world.count(calls));
    let replies = batch(&mut world, &requests, b"the bytes").unwrap();
    let sent = |n: usize| reply::decode::<Sent>(replies[n].label, replies[n].words);
    assert_eq!(sent(0).unwrap().count, 5);
    assert_eq!(sent(1).unwrap().count, 9);
    assert_eq!(sent(2), Err(Errno::EBADF.into()));
    assert_eq!(sent(3), Err(Errno::EAGAIN.into()));
    let opened: Opened = reply::decode(replies[4].label, replies[4].words).unwrap();
    assert_eq!(world.bits(opened.socket), PollBits::OUT);
    world.run_until("the bytes", |world| {
        world.peer.tcp(peer).recv_queue() == 5 && world.peer.tcp(other).recv_queue() == 9
    });
    let after = calls.map(|calls| world.count(calls));
    assert_eq!([after[0] - before[0], after[1] - before[1]], [3, 1]);
}

#[test]
fn a_batch_is_bounded() {
    let mut world = World::simple();
    let socket = world.socket(SocketKind::Datagram);
    let many = vec![message(op::SockName { socket }); MAX_BATCH + 10];
    assert_eq!(batch(&mut world, &many, &[]).unwrap().len(), MAX_BATCH);
    assert_eq!(batch(&mut world, &[], &[]).unwrap(), []);

    // Neither a batch nor an attach within: a batch has an end, and its replies have a reader.
    let version = socket_proto::VERSION;
    let inner = message(op::Batch {
        requests: 0,
        count: 64,
        replies: REPLIES,
    });
    for inner in [inner, message(op::Attach { version })] {
        let replies = batch(&mut world, &[inner], &[]).unwrap();
        assert_eq!(replies[0].label, u64::from(Errno::EINVAL.raw()));
    }
    assert_eq!(world.bits(socket), PollBits::OUT);

    // What moves much leaves the rest to another call.
    let listener = world.listen(80, 16);
    let sockets: Vec<_> = (0..12).map(|_| world.connected(listener, 80).0).collect();
    let length = 1 << 16;
    let span = Span {
        offset: u64::from(C2S) - length,
        length,
    };
    let sends: Vec<_> = (sockets.iter())
        .map(|&socket| message(op::Send::new(socket, span)))
        .collect();
    let done = batch(&mut world, &sends, &[]).unwrap();
    assert!((4..12).contains(&done.len()), "{}", done.len());
}

#[test]
fn both_ranges_lie_in_their_halves() {
    let mut world = World::simple();
    let size = Message::SIZE as u64;
    let (c2s, end) = (u64::from(C2S), u64::from(C2S + S2C));
    for (requests, count, replies) in [
        (c2s, 1, REPLIES),
        (c2s - size + 1, 1, REPLIES),
        (0, 1, 0),
        (0, 1, end - size + 1),
        (u64::MAX, u64::MAX, u64::MAX),
        (0, 64, end - 63 * size),
    ] {
        let batch = op::Batch {
            requests,
            count,
            replies,
        };
        assert_eq!(world.ask(batch), Err(Errno::EFAULT), "{batch:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever lies in the window, and wherever the replies go (over payload that is being
    /// received, too), the server's tables stay whole: the world audits them after each call.
    #[test]
    fn no_window_upsets_the_server(
        messages in prop::collection::vec((0u64..20, prop::array::uniform4(prop_oneof![
            0u64..4, 0x1_0000u64..0x1_0008, Just(u64::from(C2S)), any::<u64>(),
        ])), 1..64),
        replies in prop_oneof![Just(u64::from(C2S)), u64::from(C2S)..u64::from(C2S + S2C)],
    ) {
        let mut world = World::simple();
        let requests: Vec<u8> = messages
            .iter()
            .flat_map(|&(label, words)| Message { label, words }.bytes().to_vec())
            .collect();
        world.clients[0].fill(&requests);
        for _ in 0..3 {
            let batch = op::Batch { requests: 0, count: messages.len() as u64, replies };
            let (label, words) = world.raw_call(0, op::Batch::OPERATION.raw(), batch.encode());
            prop_assert!(label != 0 || words[0] <= messages.len() as u64);
        }
    }
}
