// SPDX-License-Identifier: BSD-2-Clause

//! Flags of calls, and socket options.

use std::time::Duration;

use socket_client::{Batch, Errno, KeepAlive, SocketKind, SocketOption, TcpListener, UdpSocket};
use test_world::{Tasks, Wire};

use super::addr;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn what_is_looked_at_can_be_received_again() {
    let wire = Wire::simple();
    let net = wire.net();
    let listener = TcpListener::bind(&net, addr(80), 1).unwrap();
    let datagrams = UdpSocket::bind(&net, addr(7), 4096).unwrap();
    let peer = wire.connect(80);
    let mut tasks = Tasks::default();
    let task = tasks.spawn(async {
        let (stream, _) = listener.accept().await.unwrap();
        let mut buf = [0; 8];
        assert_eq!(stream.peek(&mut []).await, Ok(0));
        for _ in 0..2 {
            assert_eq!(stream.peek(&mut buf).await, Ok(5));
            assert_eq!(&buf[..5], b"hello");
        }
        assert_eq!(stream.read_full(&mut buf).await, Ok(8));
        assert_eq!(&buf, b"hello wo");
        // The end comes before the buffer is full.
        assert_eq!(stream.read_full(&mut buf).await, Ok(3));
        assert_eq!(&buf[..3], b"rld");
        assert_eq!(stream.read_full(&mut buf).await, Ok(0));
        for cut in [true, false] {
            let looked = datagrams.peek_from(&mut buf[..2]).await.unwrap();
            assert_eq!((looked.len, looked.wire_len), (2, if cut { 3 } else { 2 }));
            let taken = datagrams.recv_from(&mut buf).await.unwrap();
            assert_eq!((taken.wire_len, taken.from), (looked.wire_len, looked.from));
        }
    });
    peer.send(b"hello");
    tasks.run(&net);
    peer.send(b" world");
    peer.finish();
    wire.datagram_arrives(7, 1000, b"abc");
    wire.datagram_arrives(7, 1001, b"de");
    tasks.run(&net);
    assert!(tasks.is_done(task));
}

#[test]
fn a_reset_in_the_middle_of_a_full_read_is_told() {
    let wire = Wire::simple();
    let net = wire.net();
    let listener = TcpListener::bind(&net, addr(80), 1).unwrap();
    let peer = wire.connect(80);
    let mut tasks = Tasks::default();
    let task = tasks.spawn(async {
        let (stream, _) = listener.accept().await.unwrap();
        let mut buf = [0; 8];
        let read = stream.read_full(&mut buf).await;
        assert_eq!(read, Err(Errno::ECONNRESET));
    });
    peer.send(b"abc");
    tasks.run(&net);
    peer.reset();
    tasks.run(&net);
    assert!(tasks.is_done(task));
}

#[test]
fn operations_wait_no_longer_than_their_socket_says() {
    let wire = Wire::simple();
    let net = wire.net();
    let listener = TcpListener::bind(&net, addr(80), 1).unwrap();
    let datagrams = UdpSocket::bind(&net, addr(7), 4096).unwrap();
    let peer = wire.connect(80);
    let mut tasks = Tasks::default();
    let start = wire.time();
    let task = tasks.spawn(async {
        let (stream, _) = listener.accept().await.unwrap();
        let mut buf = [0; 8];
        for time in [SECOND, 3 * SECOND] {
            let before = net.now();
            stream.set_read_timeout(Some(time)).unwrap();
            datagrams.set_read_timeout(Some(time)).unwrap();
            assert_eq!(stream.read(&mut buf).await, Err(Errno::EAGAIN));
            assert!(net.now() - before >= time);
            let received = datagrams.recv_from(&mut buf).await;
            assert_eq!(received.err(), Some(Errno::EAGAIN));
            assert!(net.now() - before >= 2 * time);
        }
        listener.set_read_timeout(Some(SECOND)).unwrap();
        assert_eq!(listener.accept().await.err(), Some(Errno::EAGAIN));
        // What is there comes, and a time-out is no error of the socket.
        stream.setsockopt(SocketOption::SendBuffer, 3000).unwrap();
        stream.set_write_timeout(Some(SECOND)).unwrap();
        assert_eq!(stream.write_all(b"hello").await, Ok(()));
        let (reader, writer) = stream.into_split();
        let before = net.now();
        assert_eq!(writer.write_all(&[7; 200_000]).await, Err(Errno::EAGAIN));
        assert!(net.now() - before >= SECOND);
        assert_eq!(
            reader.stream().getsockopt(SocketOption::ReceiveTimeout),
            Ok(3)
        );
        reader.stream().set_read_timeout(None).unwrap();
        assert_eq!(
            reader.stream().getsockopt(SocketOption::ReceiveTimeout),
            Ok(0)
        );
    });
    tasks.run_until(&net, start + 60 * SECOND);
    assert!(tasks.is_done(task));
    assert!(peer.is_connected());
}

#[test]
fn keepalive_is_set_as_a_whole() {
    let wire = Wire::simple();
    let client = wire.client();
    let socket = client.socket(SocketKind::Stream).unwrap();
    let keep = KeepAlive {
        idle: 10,
        interval: 2,
        count: 5,
    };
    assert_eq!(client.set_keepalive(socket, Some(keep)), Ok(()));
    for (option, value) in [
        (SocketOption::KeepAlive, 1),
        (SocketOption::KeepIdle, 10),
        (SocketOption::KeepInterval, 2),
        (SocketOption::KeepCount, 5),
    ] {
        assert_eq!(client.getsockopt(socket, option), Ok(value));
    }
    assert_eq!(client.set_keepalive(socket, None), Ok(()));
    assert_eq!(client.getsockopt(socket, SocketOption::KeepAlive), Ok(0));
    let never = KeepAlive { count: 0, ..keep };
    assert_eq!(
        client.set_keepalive(socket, Some(never)),
        Err(Errno::EINVAL)
    );
    assert_eq!(client.tcp_info(socket).map(|info| info.state), Ok(7));
    let datagram = client.socket(SocketKind::Datagram).unwrap();
    let refused = client.set_keepalive(datagram, Some(keep));
    assert_eq!(refused, Err(Errno::ENOPROTOOPT));
}

#[test]
fn calls_that_do_not_wait_look_too() {
    let wire = Wire::simple();
    let client = wire.client();
    let listener = client.socket(SocketKind::Stream).unwrap();
    client.bind(listener, addr(80)).unwrap();
    client.listen(listener, 1).unwrap();
    let peer = wire.connect(80);
    let (stream, _) = client.accept(listener).unwrap();
    let mut buf = [0; 8];
    assert_eq!(client.peek(stream, &mut buf), Err(Errno::EAGAIN));
    peer.send(b"hello");
    wire.settle();
    assert_eq!(client.peek(stream, &mut buf[..2]), Ok(2));
    assert_eq!(client.recv(stream, &mut buf), Ok(5));
    let socket = client.socket(SocketKind::Datagram).unwrap();
    client.bind(socket, addr(7)).unwrap();
    wire.datagram_arrives(7, 1000, b"abc");
    let mut batch = Batch::default();
    for _ in 0..2 {
        let looked = client.peekfrom(socket, &mut batch, &mut buf).unwrap();
        assert_eq!(looked.len, 3);
    }
    assert!(client.recvfrom(socket, &mut batch, &mut buf).is_ok());
    let empty = client.peekfrom(socket, &mut batch, &mut buf);
    assert_eq!(empty, Err(Errno::EAGAIN));
}
