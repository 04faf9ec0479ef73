// SPDX-License-Identifier: BSD-2-Clause

//! The non-blocking calls against a server that keeps the protocol's promises, and against one that
//! does not.

use proptest::prelude::*;
use socket_client::{
    Batch, Client, Errno, PollBits, PollFd, Sent, Shutdown, Socket, SocketKind, Span,
};
use socket_mock::{HALF, Server, SharedMemory, addr, peer_addr};
use socket_proto::{RESTARTED, VERSION};

fn listener(client: &Client<&Server>, port: u16) -> Socket {
    let socket = client.socket(SocketKind::Stream).unwrap();
    client.bind(socket, addr(port)).unwrap();
    client.listen(socket, 8).unwrap();
    socket
}

#[test]
fn a_connection_from_accept_to_close() {
    let server = Server::new();
    let client = server.client();
    let listening = listener(&client, 7);
    assert_eq!(client.accept(listening), Err(Errno::EAGAIN));
    assert_eq!(client.poll_bits(listening), PollBits::NONE);

    let peer = server.peer_connects(7).unwrap();
    assert!(server.notified.take());
    let (socket, from) = client.accept(listening).unwrap();
    assert_eq!(from, peer_addr(40_000));
    assert_eq!(client.getpeername(socket), Ok(from));
    assert_eq!(client.getsockname(socket), Ok(addr(7)));

    let mut buf = [0; 100];
    assert_eq!(client.recv(socket, &mut buf), Err(Errno::EAGAIN));
    assert_eq!(peer.send(b"hello"), 5);
    assert_eq!(client.recv(socket, &mut buf), Ok(5));
    assert_eq!(&buf[..5], b"hello");
    assert_eq!(client.send(socket, b"welcome"), Ok(7));
    assert_eq!(peer.recv(), b"welcome");

    peer.finish();
    assert_eq!(client.recv(socket, &mut buf), Ok(0));
    assert_eq!(client.send(socket, b"still open this way"), Ok(19));
    client.shutdown(socket, Shutdown::Write).unwrap();
    assert_eq!(client.send(socket, b"x"), Err(Errno::EPIPE));
    assert_eq!(peer.recv(), b"still open this way");
    assert!(peer.saw_end());
    assert_eq!(client.close(socket), Ok(()));
    assert_eq!(client.close(socket), Err(Errno::EBADF));
    assert_eq!(client.poll_bits(socket), PollBits::NVAL);
}

#[test]
fn what_was_received_is_sent_back_without_a_copy_and_never_exceeds_the_room() {
    let server = Server::new();
    server.capacity.set(700);
    let client = server.client();
    let listening = listener(&client, 7);
    let peer = server.peer_connects(7).unwrap();
    let (socket, _) = client.accept(listening).unwrap();

    let data: Vec<u8> = (0..50_000u32).map(|i| ((i * i) >> 7) as u8).collect();
    let mut sent = 0;
    let mut echoed = Vec::new();
    let mut room = client.send_vectored(socket, &[]).unwrap().room;
    while echoed.len() < data.len() {
        sent += peer.send(&data[sent..]);
        if let Ok(span) = client.recv_in_place(socket, room) {
            let back = client.send_span(socket, span).unwrap();
            assert_eq!(back.count as u64, span.length, "room was a promise");
            room = back.room;
        }
        // The peer reads a part only, now and then.
        if room == 0 || echoed.len() % 3 == 0 {
            echoed.extend(peer.recv());
            room = client.send_vectored(socket, &[]).unwrap().room;
        }
        echoed.extend(peer.recv());
    }
    assert_eq!(echoed, data);
}

#[test]
fn pieces_travel_as_one_and_are_cut_at_the_window() {
    let server = Server::new();
    server.capacity.set(10 * HALF);
    let client = server.client();
    let listening = listener(&client, 80);
    let peer = server.peer_connects(80).unwrap();
    let (socket, _) = client.accept(listening).unwrap();
    server.count_calls();
    let sent = client.send_vectored(socket, &[b"head", b"", b"body"]);
    assert_eq!(
        sent,
        Ok(Sent {
            count: 8,
            room: 10 * HALF - 8
        })
    );
    assert_eq!(server.count_calls(), 1);
    assert_eq!(peer.recv(), b"headbody");

    let large = vec![7; 2 * HALF];
    assert_eq!(client.send(socket, &large), Ok(client.chunk_len()));
    let filled = client.send_with(socket, 5, |window| {
        assert_eq!(window.len(), 5);
        window.fill(9);
        1000
    });
    assert_eq!(filled.unwrap().count, 5);
}

#[test]
fn areas_keep_their_content_between_calls() {
    let server = Server::new();
    let client = server.client();
    let listening = listener(&client, 80);
    let peer = server.peer_connects(80).unwrap();
    let (socket, _) = client.accept(listening).unwrap();
    let area = client.reserve(100).unwrap();
    client.write_area(&area, 10, b"resident").unwrap();
    client.send(socket, &[0xff; 500]).unwrap();
    peer.recv();
    let span = client.area_span(&area, 10..18).unwrap();
    client.send_span(socket, span).unwrap();
    client.send_span(socket, span).unwrap();
    assert_eq!(peer.recv(), b"residentresident");
    assert_eq!(
        client.write_area(&area, area.len() - 1, b"xx"),
        Err(Errno::EFAULT)
    );
    assert_eq!(
        client.area_span(&area, 0..area.len() + 1),
        Err(Errno::EFAULT)
    );
    client.release(area);
}

#[test]
fn connect_says_what_linux_says() {
    let server = Server::new();
    let client = server.client();
    let socket = client.socket(SocketKind::Stream).unwrap();
    assert_eq!(
        client.connect(socket, peer_addr(80)),
        Err(Errno::EINPROGRESS)
    );
    assert_eq!(client.connect(socket, peer_addr(80)), Err(Errno::EALREADY));
    server.answer_connect(Ok(())).unwrap();
    assert!(client.poll_bits(socket).contains(PollBits::OUT));
    assert_eq!(client.take_error(socket), Ok(()));
    assert_eq!(client.connect(socket, peer_addr(80)), Err(Errno::EISCONN));

    let refused = client.socket(SocketKind::Stream).unwrap();
    assert_eq!(
        client.connect(refused, peer_addr(81)),
        Err(Errno::EINPROGRESS)
    );
    server.answer_connect(Err(Errno::ECONNREFUSED));
    assert_eq!(client.take_error(refused), Err(Errno::ECONNREFUSED));
}

#[test]
fn poll_makes_no_call_when_something_is_ready() {
    let server = Server::new();
    let client = server.client();
    let (a, b) = (listener(&client, 7), listener(&client, 80));
    let mut fds = [a, b].map(|socket| PollFd::new(socket, PollBits::IN));
    server.count_calls();
    assert_eq!(client.poll(&mut fds), 0);
    assert_eq!(client.poll_until(&mut fds, 5_000), Err(Errno::EAGAIN));
    assert_eq!(server.deadline.get(), Some(5_000));
    assert_eq!(server.count_calls(), 1);
    server.now.set(5_000);
    assert_eq!(client.poll_until(&mut fds, 5_000), Ok(0));
    server.peer_connects(80).unwrap();
    assert_eq!(client.poll_until(&mut fds, 9_000), Ok(1));
    assert_eq!(fds.map(|fd| fd.revents), [PollBits::NONE, PollBits::IN]);
    assert_eq!(server.count_calls(), 0);
}

#[test]
fn datagrams_go_out_and_come_in_by_the_batch() {
    let server = Server::new();
    let client = server.client();
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
        server.datagram_arrives(7, peer_addr(port), payload);
    }
    server.count_calls();
    for (port, payload) in (1000..).zip(&payloads) {
        let (count, from) = client.recvfrom(socket, &mut batch, &mut buf).unwrap();
        assert_eq!(from, peer_addr(port));
        assert_eq!(buf[..count], payload[..payload.len().min(20)]);
    }
    assert_eq!(server.count_calls(), 1);

    let count = client.send_datagrams(socket, |batch| {
        for (port, payload) in (1000..).zip(&payloads) {
            batch.push(Some(peer_addr(port)), payload).unwrap();
        }
        assert_eq!(batch.push(None, &[0; 60_000]), Err(Errno::ENOBUFS));
        assert_eq!(batch.push(None, &[0; 70_000]), Err(Errno::EMSGSIZE));
    });
    assert_eq!(count, Ok(40));
    assert_eq!(server.count_calls(), 1);
    let sent = server.sent.take();
    for ((port, payload), (to, bytes)) in (1000..).zip(&payloads).zip(sent) {
        assert_eq!((to, bytes), (Some(peer_addr(port)), payload.clone()));
    }
}

#[test]
fn a_batch_goes_back_where_it_came_from_and_a_rest_can_be_found() {
    let server = Server::new();
    let client = server.client();
    let socket = client.socket(SocketKind::Datagram).unwrap();
    client.bind(socket, addr(7)).unwrap();
    for i in 0..10u8 {
        server.datagram_arrives(7, peer_addr(1000 + u16::from(i)), &[i; 13]);
    }
    let mut batch = client.recv_batch(socket).unwrap();
    assert_eq!(batch.len(), 10);
    server.datagrams_taken.set(4);
    let taken = client.send_batch(socket, batch.span()).unwrap();
    assert_eq!(taken, 4);
    for _ in 0..taken {
        batch.next(&client).unwrap();
    }
    server.datagrams_taken.set(100);
    assert_eq!(client.send_batch(socket, batch.span()), Ok(6));
    let sent = server.sent.take();
    assert_eq!(sent.len(), 10);
    for (i, (to, bytes)) in (0u8..).zip(sent) {
        assert_eq!(to, Some(peer_addr(1000 + u16::from(i))));
        assert_eq!(bytes, [i; 13]);
    }
    assert_eq!(client.sendto(socket, &[1; 8], None), Ok(()));
    assert_eq!(
        client.sendto(socket, &[1; 66_000], None),
        Err(Errno::EMSGSIZE)
    );
    server.datagrams_taken.set(0);
    assert_eq!(client.sendto(socket, &[1; 8], None), Err(Errno::EAGAIN));
}

#[test]
fn after_a_restart_old_sockets_are_reset_and_new_ones_work() {
    let server = Server::new();
    let client = server.client();
    let old = listener(&client, 7);
    server.restart();
    let reset = PollBits::IN | PollBits::OUT | PollBits::ERR | PollBits::HUP;
    assert_eq!(client.poll_bits(old), reset, "seen before any call");
    assert_eq!(client.accept(old), Err(Errno::ECONNRESET));

    let new = listener(&client, 7);
    assert_ne!(old, new);
    server.count_calls();
    assert_eq!(client.accept(old), Err(Errno::ECONNRESET));
    assert_eq!(client.close(old), Ok(()));
    assert_eq!(
        server.count_calls(),
        0,
        "the server has nothing to do with it"
    );
    server.peer_connects(7).unwrap();
    assert!(client.accept(new).is_ok());

    server.restart();
    assert!(client.check_restart());
    assert!(!client.check_restart());
    assert_eq!(client.send(new, b"x"), Err(Errno::ECONNRESET));
}

#[test]
fn a_restart_in_the_middle_of_a_call_is_survived() {
    let server = Server::new();
    let client = server.client();
    let old = listener(&client, 7);
    server.lies.borrow_mut().push_back((RESTARTED, [0; 4]));
    assert_eq!(client.close(old), Ok(()));
    // Socket creation names nothing that could be lost, so it is simply done again.
    server.lies.borrow_mut().push_back((RESTARTED, [0; 4]));
    let new = client.socket(SocketKind::Stream).unwrap();
    assert_eq!(client.bind(new, addr(9)), Ok(()));
    // Even attaching can be caught by a restart.
    server.restart();
    server.lies.borrow_mut().push_back((RESTARTED, [0; 4]));
    server.lies.borrow_mut().push_back((RESTARTED, [0; 4]));
    assert!(client.socket(SocketKind::Stream).is_ok());
    // A server that does nothing else is given up, and tried again at the next call.
    for _ in 0..4 {
        server.lies.borrow_mut().push_back((RESTARTED, [0; 4]));
    }
    assert_eq!(client.socket(SocketKind::Stream), Err(Errno::EPROTO));
    assert!(client.socket(SocketKind::Stream).is_ok());
}

#[test]
fn a_window_without_scratch_space_is_refused() {
    let server = Server::new();
    let small = SharedMemory::new(63);
    let attached = Client::attach(&server, small.client());
    assert_eq!(attached.err(), Some(Errno::EINVAL));
}

#[test]
fn a_server_of_another_version_is_refused() {
    let server = Server::new();
    let window = HALF as u64 | (HALF as u64) << 32;
    for words in [
        [VERSION + 1, window, 8, 1],
        [VERSION, window + 1, 8, 1],
        [VERSION, window, 8, 1 << 32],
    ] {
        server.lies.borrow_mut().push_back((0, words));
        let attached = Client::attach(&server, server.memory.client());
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
        let server = Server::new();
        let client = server.client();
        let real = client.socket(SocketKind::Datagram).unwrap();
        server.memory.write(Span { offset: HALF as u64, length: 256 }, &garbage);
        server.lies.borrow_mut().extend(lies);
        let mut buf = [0; 64];
        while !server.lies.borrow().is_empty() {
            let _ = client.socket(SocketKind::Stream).and_then(|s| client.send(s, &buf));
            let _ = client.accept(real);
            let _ = client.recv(real, &mut buf);
            let _ = client.getsockname(real);
            let _ = client.take_error(real);
            let _ = client.sendto(real, &buf, None);
            let _ = client.wake_at(0);
            if let Ok(mut batch) = client.recv_batch(real) {
                let announced = batch.len();
                prop_assert!(announced <= HALF / 32);
                let taken = std::iter::from_fn(|| batch.next(&client).ok()).count();
                prop_assert!(taken <= announced);
            }
        }
    }

    /// Handles of sockets that never were are an error of the server's, not of the library's.
    #[test]
    fn spans_outside_of_the_window_are_not_read(offset: u64, length: u64, skip in 0usize..100) {
        let server = Server::new();
        let client = server.client();
        let mut buf = [0; 32];
        let copied = client.copy_out(Span { offset, length }, skip, &mut buf);
        let end = offset as u128 + skip as u128 + 32;
        let inside = offset >= HALF as u64 && end <= 2 * HALF as u128 && skip as u64 + 32 <= length;
        prop_assert_eq!(copied.is_ok(), inside);
    }
}

#[test]
fn a_reset_by_the_peer_is_seen_in_both_directions() {
    let server = Server::new();
    let client = server.client();
    let listening = listener(&client, 7);
    let peer = server.peer_connects(7).unwrap();
    let (socket, _) = client.accept(listening).unwrap();
    server.notified.set(false);
    peer.reset();
    assert!(server.notified.take());
    assert!(client.poll_bits(socket).contains(PollBits::ERR));
    assert_eq!(client.recv(socket, &mut [0; 8]), Err(Errno::ECONNRESET));
    assert_eq!(client.send(socket, b"x"), Err(Errno::ECONNRESET));
    assert_eq!(client.close(socket), Ok(()));
}
