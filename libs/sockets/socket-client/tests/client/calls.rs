// SPDX-License-Identifier: BSD-2-Clause

//! The non-blocking calls against a server that keeps the protocol's promises, and against one that
//! does not.

use std::net::IpAddr;
use std::num::NonZeroU16;
use std::time::Duration;

use proptest::prelude::*;
use socket_client::{
    Batch, Client, Errno, Message, PollBits, PollFd, Sent, Shutdown, Socket, SocketKind,
    SocketOption, Span,
};
use socket_proto::{Handle, NO_PLACE, RESTARTED, VERSION, WindowSizes, op};
use test_world::{C2S, ClientMemory, S2C, SERVER_IP, Stream, Wire, administrator, limits, pattern};

use super::{addr, peer_addr};

const MILLISECOND: Duration = Duration::from_millis(1);

fn listener(client: &Client<&Wire>, port: u16) -> Socket {
    let socket = client.socket(SocketKind::Stream).unwrap();
    client.bind(socket, addr(port)).unwrap();
    client.listen(socket, 8).unwrap();
    socket
}

/// A connection: the client's end and the test peer's.
fn connection<'w>(wire: &'w Wire, client: &Client<&Wire>) -> (Socket, Stream<'w>) {
    let listening = listener(client, 7);
    let peer = wire.connect(7);
    let (socket, from) = client.accept(listening).unwrap();
    assert_eq!(from, peer.addr());
    (socket, peer)
}

#[test]
fn a_connection_from_accept_to_close() {
    let wire = Wire::simple();
    let client = wire.client();
    let listening = listener(&client, 7);
    assert_eq!(client.accept(listening), Err(Errno::EAGAIN));
    assert_eq!(client.poll_bits(listening), PollBits::NONE);

    let peer = wire.connect(7);
    assert!(wire.take_notified());
    let (socket, from) = client.accept(listening).unwrap();
    assert_eq!(from, peer.addr());
    assert_eq!(client.getpeername(socket), Ok(from));
    assert_eq!(client.getsockname(socket), Ok((SERVER_IP, 7).into()));

    let mut buf = [0; 100];
    assert_eq!(client.recv(socket, &mut buf), Err(Errno::EAGAIN));
    assert_eq!(peer.send(b"hello"), 5);
    assert_eq!(client.recv(socket, &mut buf), Ok(5));
    assert_eq!(&buf[..5], b"hello");
    assert_eq!(client.send(socket, b"welcome"), Ok(7));
    wire.settle();
    assert_eq!(peer.recv(), b"welcome");

    peer.finish();
    assert_eq!(client.recv(socket, &mut buf), Ok(0));
    assert_eq!(client.send(socket, b"still open this way"), Ok(19));
    client.shutdown(socket, Shutdown::Write).unwrap();
    assert_eq!(client.send(socket, b"x"), Err(Errno::EPIPE));
    wire.settle();
    assert!(!peer.saw_end(), "there are bytes before it");
    assert_eq!(peer.recv(), b"still open this way");
    assert!(peer.saw_end());
    assert_eq!(client.close(socket), Ok(()));
    assert_eq!(client.close(socket), Err(Errno::EBADF));
    assert_eq!(client.poll_bits(socket), PollBits::NVAL);
}

#[test]
fn what_was_received_is_sent_back_without_a_copy_and_never_exceeds_the_room() {
    let wire = Wire::with_buffers(limits(4, 1), 700);
    let client = wire.client();
    let (socket, peer) = connection(&wire, &client);
    let data = pattern(50_000, 1);
    let mut sent = 0;
    let mut echoed = Vec::new();
    let mut room = client.send_vectored(socket, &[]).unwrap().room;
    for round in 0.. {
        if echoed.len() == data.len() {
            break;
        }
        assert!(round < 10_000, "{} bytes came back", echoed.len());
        sent += peer.send(&data[sent..]);
        if let Ok(span) = client.recv_in_place(socket, room) {
            let back = client.send_span(socket, span).unwrap();
            assert_eq!(back.count as u64, span.length, "room was a promise");
            room = back.room;
            wire.settle();
        }
        // The peer reads now and then.
        if room == 0 || round % 3 == 0 {
            echoed.extend(peer.recv());
            wire.run_until(wire.time() + 100 * MILLISECOND);
            room = client.send_vectored(socket, &[]).unwrap().room;
        }
    }
    assert_eq!(echoed, data);
}

#[test]
fn pieces_travel_as_one_and_are_cut_at_the_window() {
    const BUFFER: usize = 1 << 20;
    let wire = Wire::with_buffers(limits(4, 1), BUFFER);
    let client = wire.client();
    let (socket, peer) = connection(&wire, &client);
    wire.take_calls();
    let sent = client.send_vectored(socket, &[b"head", b"", b"body"]);
    assert_eq!(
        sent,
        Ok(Sent {
            count: 8,
            // Its own buffer; a larger one is lent when there is something for it.
            room: 4096 - 8
        })
    );
    assert_eq!(wire.count_calls(), 1);
    wire.settle();
    assert_eq!(peer.recv(), b"headbody");

    let large = vec![7; C2S as usize];
    assert_eq!(client.send(socket, &large), Ok(C2S as usize / 2));
    let filled = client.send_with(socket, 5, |window| {
        assert_eq!(window.len(), 5);
        window.fill(9);
        1000
    });
    assert_eq!(filled.unwrap().count, 5);
}

#[test]
fn areas_keep_their_content_between_calls() {
    let wire = Wire::simple();
    let client = wire.client();
    let (socket, peer) = connection(&wire, &client);
    let area = client.reserve(100).unwrap();
    client.write_area(&area, 10, b"resident").unwrap();
    client.send(socket, &[0xff; 500]).unwrap();
    wire.settle();
    assert_eq!(peer.recv(), [0xff; 500]);
    let span = client.area_span(&area, 10..18).unwrap();
    client.send_span(socket, span).unwrap();
    client.send_span(socket, span).unwrap();
    wire.settle();
    assert_eq!(peer.recv(), b"residentresident");
    assert_eq!(
        client.write_area(&area, area.len() - 1, b"xx"),
        Err(Errno::EFAULT)
    );
    assert_eq!(
        client.area_span(&area, 0..area.len() + 1),
        Err(Errno::EFAULT)
    );
}

#[test]
fn connect_says_what_linux_says() {
    let wire = Wire::simple();
    let client = wire.client();
    let socket = client.socket(SocketKind::Stream).unwrap();
    assert_eq!(
        client.connect(socket, peer_addr(80)),
        Err(Errno::EINPROGRESS)
    );
    assert_eq!(client.connect(socket, peer_addr(80)), Err(Errno::EALREADY));
    let peer = wire.listen(80);
    wire.settle();
    assert!(peer.is_connected());
    assert!(client.poll_bits(socket).contains(PollBits::OUT));
    assert_eq!(client.take_error(socket), Ok(()));
    assert_eq!(client.connect(socket, peer_addr(80)), Ok(()));
    assert_eq!(client.connect(socket, peer_addr(80)), Err(Errno::EISCONN));

    let refused = client.socket(SocketKind::Stream).unwrap();
    assert_eq!(
        client.connect(refused, peer_addr(81)),
        Err(Errno::EINPROGRESS)
    );
    wire.settle();
    assert_eq!(client.take_error(refused), Err(Errno::ECONNREFUSED));
}

#[test]
fn poll_makes_no_call_when_something_is_ready() {
    let wire = Wire::simple();
    let client = wire.client();
    let (a, b) = (listener(&client, 7), listener(&client, 80));
    let mut fds = [a, b].map(|socket| PollFd::new(socket, PollBits::IN));
    wire.take_calls();
    assert_eq!(client.poll(&mut fds), 0);
    let deadline = wire.time() + 5 * MILLISECOND;
    assert_eq!(client.poll_until(&mut fds, deadline), Err(Errno::EAGAIN));
    assert_eq!(wire.take_deadlines(), [deadline]);
    wire.run_until(deadline - Duration::from_micros(1));
    assert!(!wire.take_notified());
    wire.run_until(deadline);
    assert!(wire.take_notified());
    assert_eq!(client.poll_until(&mut fds, deadline), Ok(0));
    wire.connect(80);
    let deadline = wire.time() + 5 * MILLISECOND;
    assert_eq!(client.poll_until(&mut fds, deadline), Ok(1));
    assert_eq!(fds.map(|fd| fd.revents), [PollBits::NONE, PollBits::IN]);
    assert_eq!(wire.count_calls(), 0);
}

#[test]
fn datagrams_go_out_and_come_in_by_the_batch() {
    let wire = Wire::simple();
    let client = wire.client();
    let socket = client.socket(SocketKind::Datagram).unwrap();
    client.bind(socket, addr(7)).unwrap();
    let mut batch = Batch::default();
    let mut buf = [0; 20];
    assert_eq!(
        client.recvfrom(socket, &mut batch, &mut buf),
        Err(Errno::EAGAIN)
    );

    let payloads: Vec<Vec<u8>> = (0..40).map(|len| vec![len as u8; len]).collect();
    for (port, payload) in (1000..).zip(&payloads) {
        wire.datagram_arrives(7, port, payload);
    }
    wire.take_calls();
    for (port, payload) in (1000..).zip(&payloads) {
        let datagram = client.recvfrom(socket, &mut batch, &mut buf).unwrap();
        assert_eq!(datagram.from, peer_addr(port));
        assert_eq!(buf[..datagram.len], payload[..payload.len().min(20)]);
        assert_eq!(datagram.is_cut(), payload.len() > 20);
    }
    assert_eq!(wire.count_calls(), 1);

    wire.take_datagrams();
    let count = client.send_datagrams(socket, |batch| {
        for (port, payload) in (1000..).zip(&payloads) {
            batch.push(Some(peer_addr(port)), payload).unwrap();
        }
        assert_eq!(batch.push(None, &[0; 64_000]), Err(Errno::ENOBUFS));
        assert_eq!(batch.push(None, &[0; 70_000]), Err(Errno::EMSGSIZE));
    });
    assert_eq!(count, Ok(40));
    assert_eq!(wire.count_calls(), 1);
    wire.settle();
    let expected: Vec<_> = (1000..).zip(payloads).collect();
    assert_eq!(wire.take_datagrams(), expected);
}

#[test]
fn a_batch_goes_back_where_it_came_from_and_a_rest_can_be_found() {
    let wire = Wire::simple();
    let client = wire.client();
    let socket = client.socket(SocketKind::Datagram).unwrap();
    client.bind(socket, addr(7)).unwrap();
    for i in 0..10u8 {
        wire.datagram_arrives(7, 1000 + u16::from(i), &[i; 13]);
    }
    let mut batch = client.recv_batch(socket).unwrap();
    assert_eq!(batch.len(), 10);
    wire.take_datagrams();
    // Frames that the driver has not taken fill the transmit buffers, of which the server keeps
    // 48 for its own answers.
    let buffers = |count| wire.world.borrow_mut().link.tx.set_buffers(count);
    buffers(48 + 4);
    wire.world.borrow().medium.stop_driver(true);
    let taken = client.send_batch(socket, batch.span()).unwrap();
    assert_eq!(taken, 4);
    for _ in 0..taken {
        batch.next(&client).unwrap();
    }
    let full = client.sendto(socket, &[1; 8], Some(peer_addr(9)));
    assert_eq!(full, Err(Errno::EAGAIN));
    buffers(512);
    wire.world.borrow().medium.stop_driver(false);
    wire.settle();
    assert_eq!(client.send_batch(socket, batch.span()), Ok(6));
    wire.settle();
    let expected: Vec<_> = (0..10u8)
        .map(|i| (1000 + u16::from(i), vec![i; 13]))
        .collect();
    assert_eq!(wire.take_datagrams(), expected);
    let none = client.sendto(socket, &[1; 8], None);
    assert_eq!(none, Err(Errno::EDESTADDRREQ));
    client.connect(socket, peer_addr(9)).unwrap();
    assert_eq!(client.sendto(socket, &[1; 8], None), Ok(()));
    assert_eq!(
        client.sendto(socket, &[1; 66_000], None),
        Err(Errno::EMSGSIZE)
    );
}

#[test]
fn after_a_restart_old_sockets_are_reset_and_new_ones_work() {
    let wire = Wire::simple();
    let client = wire.client();
    let old = listener(&client, 7);
    wire.restart();
    let reset = PollBits::IN | PollBits::OUT | PollBits::ERR | PollBits::HUP;
    assert_eq!(client.poll_bits(old), reset, "seen before any call");
    assert_eq!(client.accept(old), Err(Errno::ECONNRESET));

    let new = listener(&client, 7);
    assert_ne!(old, new);
    wire.take_calls();
    assert_eq!(client.accept(old), Err(Errno::ECONNRESET));
    assert_eq!(client.close(old), Ok(()));
    assert_eq!(wire.count_calls(), 0, "it is none of the server's business");
    wire.connect(7);
    assert!(client.accept(new).is_ok());

    wire.restart();
    assert!(client.check_restart());
    assert!(!client.check_restart());
    assert_eq!(client.send(new, b"x"), Err(Errno::ECONNRESET));
}

#[test]
fn a_restart_in_the_middle_of_a_call_is_survived() {
    let wire = Wire::simple();
    let client = wire.client();
    let old = listener(&client, 7);
    wire.lie(RESTARTED, [0; 4]);
    assert_eq!(client.close(old), Ok(()));
    // Socket creation names nothing that could be lost, so it is simply done again.
    wire.lie(RESTARTED, [0; 4]);
    let new = client.socket(SocketKind::Stream).unwrap();
    assert_eq!(client.bind(new, addr(9)), Ok(()));
    // Even attaching can be caught by a restart.
    wire.restart();
    wire.lie(RESTARTED, [0; 4]);
    wire.lie(RESTARTED, [0; 4]);
    assert!(client.socket(SocketKind::Stream).is_ok());
    // A server that does nothing else is given up, and tried again at the next call.
    for _ in 0..4 {
        wire.lie(RESTARTED, [0; 4]);
    }
    assert_eq!(client.socket(SocketKind::Stream), Err(Errno::EPROTO));
    assert!(client.socket(SocketKind::Stream).is_ok());
}

#[test]
fn a_window_without_scratch_space_is_refused() {
    let wire = Wire::simple();
    let small = ClientMemory::with_sizes(WindowSizes { c2s: 63, s2c: 63 });
    let attached = Client::attach(&wire, small.client());
    assert_eq!(attached.err(), Some(Errno::EINVAL));
}

#[test]
fn a_server_of_another_version_is_refused() {
    let wire = Wire::simple();
    let window = u64::from(C2S) | u64::from(S2C) << 32;
    for words in [
        [VERSION + 1, window, 8, 1],
        [VERSION, window + 1, 8, 1],
        [VERSION, window, 8, 1 << 32],
    ] {
        wire.lie(0, words);
        let memory = wire.world.borrow().clients[0].client();
        let attached = Client::attach(&wire, memory);
        assert_eq!(attached.err(), Some(Errno::EPROTO));
    }
}

proptest! {
    /// Whatever a server answers, the library returns.
    #[test]
    fn nonsense_from_the_server_is_an_error_value(
        lies in prop::collection::vec(
            (
                prop_oneof![4 => Just(0), 1 => Just(RESTARTED), 1 => 0u64..200],
                prop::array::uniform4(prop_oneof![Just(0), 0u64..100, any::<u64>(), Just(0x1_0000)]),
            ),
            0..40,
        ),
        garbage in prop::collection::vec(any::<u8>(), 256),
    ) {
        let wire = Wire::with_limits(limits(2, 1));
        let client = wire.client();
        let real = client.socket(SocketKind::Datagram).unwrap();
        wire.world.borrow().clients[0].scribble(&garbage);
        lies.into_iter().for_each(|(label, words)| wire.lie(label, words));
        let mut buf = [0; 64];
        while wire.planned() > 0 {
            let _ = client.socket(SocketKind::Stream).and_then(|s| client.send(s, &buf));
            let _ = client.accept(real);
            let _ = client.recv(real, &mut buf);
            let _ = client.getsockname(real);
            let _ = client.take_error(real);
            let _ = client.sendto(real, &buf, None);
            let _ = client.wake_at(Default::default());
            if let Ok(mut batch) = client.recv_batch(real) {
                let announced = batch.len();
                prop_assert!(announced <= S2C as usize / 32);
                let taken = std::iter::from_fn(|| batch.next(&client).ok()).count();
                prop_assert!(taken <= announced);
            }
        }
    }

    /// Handles of sockets that never were are an error of the server's, not of the library's.
    #[test]
    fn spans_outside_of_the_window_are_not_read(offset: u64, length: u64, skip in 0usize..100) {
        let wire = Wire::with_limits(limits(2, 1));
        let client = wire.client();
        let mut buf = [0; 32];
        let copied = client.copy_out(Span { offset, length }, skip, &mut buf);
        let end = offset as u128 + skip as u128 + 32;
        let inside = offset >= u64::from(C2S) && end <= u128::from(C2S + S2C) && skip as u64 + 32 <= length;
        prop_assert_eq!(copied.is_ok(), inside);
    }
}

#[test]
fn a_reset_by_the_peer_is_seen_in_both_directions() {
    let wire = Wire::simple();
    let client = wire.client();
    let (socket, peer) = connection(&wire, &client);
    wire.take_notified();
    peer.reset();
    assert!(wire.take_notified());
    assert!(client.poll_bits(socket).contains(PollBits::ERR));
    // The error is told once; then the stream has ended, as with Linux.
    assert_eq!(client.recv(socket, &mut [0; 8]), Err(Errno::ECONNRESET));
    assert_eq!(client.recv(socket, &mut [0; 8]), Ok(0));
    assert_eq!(client.send(socket, b"x"), Err(Errno::EPIPE));
    assert_eq!(client.close(socket), Ok(()));
}

#[test]
fn options_are_set_and_read() {
    let wire = Wire::simple();
    let client = wire.client();
    let stream = client.socket(SocketKind::Stream).unwrap();
    let option = SocketOption::TimeToLive;
    assert_eq!(client.getsockopt(stream, option), Ok(64));
    assert_eq!(client.setsockopt(stream, option, 3), Ok(()));
    assert_eq!(client.getsockopt(stream, option), Ok(3));
    assert_eq!(client.setsockopt(stream, option, 300), Err(Errno::EINVAL));
    assert_eq!(client.set_linger(stream, Some(2)), Ok(()));
    assert_eq!(client.getsockopt(stream, SocketOption::Linger), Ok(1));
    let read_only = client.setsockopt(stream, SocketOption::Type, 2);
    assert_eq!(read_only, Err(Errno::ENOPROTOOPT));
    let datagram = client.socket(SocketKind::Datagram).unwrap();
    let unknown = client.setsockopt(datagram, SocketOption::NoDelay, 1);
    assert_eq!(unknown, Err(Errno::ENOPROTOOPT));
}

#[test]
fn queries_are_answered() {
    let wire = Wire::simple();
    let client = wire.client();
    let (socket, peer) = connection(&wire, &client);
    peer.send(b"unread");
    assert_eq!(client.interface(0).unwrap().link_up, 1);
    assert_eq!(&client.interface(1).unwrap().name[..3], b"lo\0");
    assert_eq!(client.interface(2), Err(Errno::ENODEV));
    assert_eq!(client.account().unwrap().stream_sockets, 2);
    let state = client.socket_state(socket).unwrap();
    assert_eq!((state.state, state.unread), (1, 6));
    // More than was asked for cannot have been written.
    wire.lie(0, [1 << 20, 0, 0, 0]);
    assert_eq!(client.account(), Err(Errno::EPROTO));
}

#[test]
fn several_operations_take_one_call() {
    let wire = Wire::simple();
    let client = wire.client();
    let (socket, peer) = connection(&wire, &client);
    peer.send(b"question");
    wire.count_calls();
    let area = client.reserve(6).unwrap();
    client.write_area(&area, 0, b"answer").unwrap();
    let answer = client.area_span(&area, 0..6).unwrap();
    let room = Span {
        offset: C2S.into(),
        length: 100,
    };

    let recv = client.message(socket, |socket| op::Recv::new(socket, room));
    let send = client.message(socket, |socket| op::Send::new(socket, answer));
    let requests = [recv.unwrap(), send.unwrap(), recv.unwrap()];
    let mut replies = [Message::default(); 3];
    assert_eq!(client.batch(&requests, &mut replies), Ok(3));
    assert_eq!(wire.count_calls(), 1);
    assert_eq!(replies[0].reply::<op::Recv>().unwrap().bytes, 8);
    assert_eq!(replies[1].reply::<op::Send>().unwrap().count, 6);
    assert_eq!(replies[2].reply::<op::Recv>(), Err(Errno::EAGAIN));
    wire.settle();
    assert_eq!(peer.recv(), b"answer");

    // What the server has not come to has no result.
    let close = client.message(socket, |socket| op::Close { socket });
    let close = close.unwrap();
    wire.lie(0, [0; 4]);
    assert_eq!(client.batch(&[close], &mut replies), Ok(0));
    assert_eq!(replies[0].reply::<op::Close>(), Err(Errno::EAGAIN));
    assert_eq!(client.batch(&[close], &mut replies), Ok(1));
    assert_eq!(replies[0].reply::<op::Close>(), Ok(()));
    // A server that has done more than it was asked for, and one that has restarted.
    wire.lie(0, [2, 0, 0, 0]);
    assert_eq!(client.batch(&[close], &mut replies), Err(Errno::EPROTO));
    wire.lie(RESTARTED, [0; 4]);
    assert_eq!(client.batch(&[close], &mut replies), Err(Errno::ECONNRESET));
    let stale = client.message(socket, |socket| op::Close { socket });
    assert_eq!(stale, Err(Errno::ECONNRESET));
    drop(area);

    // The areas are given back.
    let mut replies = [Message::default(); 65];
    for _ in 0..100 {
        assert_eq!(client.batch(&[stale_close(); 64], &mut replies), Ok(64));
    }
    let too_many = client.batch(&[stale_close(); 65], &mut replies);
    assert_eq!(too_many, Err(Errno::EINVAL));
    let too_short = client.batch(&[stale_close(); 2], &mut replies[..1]);
    assert_eq!(too_short, Err(Errno::EINVAL));
}

fn stale_close() -> Message {
    let socket = Handle::new(0, NonZeroU16::MAX);
    Message::new(op::Close { socket })
}

#[test]
fn a_server_without_a_place_for_the_client_is_not_asked_for_ever() {
    let wire = Wire::simple();
    let client = wire.client();
    let socket = client.socket(SocketKind::Datagram).unwrap();
    wire.lie(NO_PLACE, [0; 4]);
    assert_eq!(client.getsockname(socket), Err(Errno::ENXIO));
    wire.count_calls();
    for _ in 0..3 {
        client.check_restart();
        assert_eq!(client.socket(SocketKind::Stream), Err(Errno::ENXIO));
    }
    assert_eq!(wire.count_calls(), 0);
    // Another life of the server may have one.
    wire.restart();
    assert!(client.check_restart());
    assert!(client.socket(SocketKind::Stream).is_ok());
}

#[test]
fn an_administrator_sees_and_changes_the_machines_place() {
    let wire = Wire::with_limits(administrator(8, 4));
    let client = wire.client();
    let listening = listener(&client, 7);
    let (own, other) = (IpAddr::from(SERVER_IP), "10.1.0.1".parse().unwrap());
    client.add_address(other, 24).unwrap();
    assert_eq!(client.add_address(other, 24), Err(Errno::EEXIST));
    let words = |address: IpAddr| socket_proto::addr::to_words((address, 0).into());
    let addresses: Vec<_> = client.addresses().map(|own| own.address).collect();
    assert_eq!(addresses, [own, other].map(words));
    let (network, router) = ("10.7.0.0".parse().unwrap(), "10.1.0.9".parse().unwrap());
    client.add_route(network, 16, router).unwrap();
    let found = client
        .routes()
        .find(|route| route.network == words(network));
    assert_eq!(found.unwrap().router, words(router));
    client.add_neighbour(router, [2, 0, 0, 0, 0, 9]).unwrap();
    let known = client.neighbours().filter(|host| host.state == 3);
    assert_eq!(known.count(), 1);
    client.remove_neighbour(router).unwrap();
    client.remove_route(network, 16, None).unwrap();
    client.remove_address(other).unwrap();
    assert_eq!(client.remove_address(other), Err(Errno::EADDRNOTAVAIL));
    client.set_interface_up(false).unwrap();
    assert_eq!(client.interface(0).unwrap().up, 0);
    assert_eq!(client.routes().count(), 0);
    client.set_interface_up(true).unwrap();
    assert_eq!(client.interface(0).unwrap().up, 1);
    let sockets: Vec<_> = client.all_sockets().unwrap().collect();
    assert_eq!(sockets, [client.socket_state(listening).unwrap()]);
    client.end_socket(sockets[0].socket).unwrap();
    assert_eq!(client.take_error(listening), Err(Errno::ECONNABORTED));
    assert_eq!(client.end_socket(u64::MAX), Err(Errno::ENOENT));

    let wire = Wire::simple();
    let client = wire.client();
    assert_eq!(client.set_interface_up(false), Err(Errno::EPERM));
    assert!(client.all_sockets().is_err());
}
