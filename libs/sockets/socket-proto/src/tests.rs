// SPDX-License-Identifier: BSD-2-Clause

//! Decoding arbitrary words never panics, and what is encoded reads back as it was.

use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use core::num::NonZeroU16;
use core::sync::atomic::AtomicU32;

use proptest::prelude::*;

use crate::*;

fn handles() -> impl Strategy<Value = Handle> {
    (any::<u16>(), 1u16..)
        .prop_map(|(index, generation)| Handle::new(index, NonZeroU16::new(generation).unwrap()))
}

fn addresses() -> impl Strategy<Value = SocketAddr> {
    prop_oneof![
        (any::<u32>(), any::<u16>()).prop_map(|(ip, port)| SocketAddrV4::new(
            Ipv4Addr::from_bits(ip),
            port
        )
        .into()),
        (any::<u128>(), any::<u16>(), any::<u32>()).prop_map(|(ip, port, scope)| {
            SocketAddrV6::new(Ipv6Addr::from_bits(ip), port, 0, scope).into()
        }),
    ]
}

fn requests() -> impl Strategy<Value = Request> {
    let spans = (any::<u64>(), any::<u64>()).prop_map(|(offset, length)| Span { offset, length });
    prop_oneof![
        any::<u64>().prop_map(|version| Request::Attach { version }),
        prop_oneof![Just(SocketKind::Stream), Just(SocketKind::Datagram)]
            .prop_map(|kind| Request::Socket { kind }),
        (handles(), addresses()).prop_map(|(socket, addr)| Request::Bind { socket, addr }),
        (handles(), any::<u64>()).prop_map(|(socket, backlog)| Request::Listen { socket, backlog }),
        handles().prop_map(|socket| Request::Accept { socket }),
        (handles(), prop::option::of(addresses()))
            .prop_map(|(socket, addr)| Request::Connect { socket, addr }),
        (handles(), spans.clone()).prop_map(|(socket, span)| Request::Send { socket, span }),
        (handles(), spans).prop_map(|(socket, span)| Request::Recv { socket, span }),
        (
            handles(),
            prop_oneof![
                Just(Shutdown::Read),
                Just(Shutdown::Write),
                Just(Shutdown::Both)
            ]
        )
            .prop_map(|(socket, how)| Request::Shutdown { socket, how }),
        handles().prop_map(|socket| Request::Close { socket }),
        handles().prop_map(|socket| Request::SockName { socket }),
        handles().prop_map(|socket| Request::PeerName { socket }),
        (
            handles(),
            prop_oneof![Just(SocketOption::Type), Just(SocketOption::Error)]
        )
            .prop_map(|(socket, option)| Request::GetOption { socket, option }),
        (prop::option::of(handles()), any::<u64>())
            .prop_map(|(socket, deadline)| Request::Poll { socket, deadline }),
    ]
}

fn successes() -> impl Strategy<Value = (Operation, Success)> {
    prop_oneof![
        prop_oneof![
            Just(Operation::Bind),
            Just(Operation::Close),
            Just(Operation::Connect)
        ]
        .prop_map(|operation| (operation, Success::Done)),
        (any::<u64>(), any::<u64>(), any::<u64>(), any::<u32>()).prop_map(
            |(version, window, sockets, epoch)| {
                let window = WindowSizes::from_raw(window);
                let attached = Attached {
                    version,
                    window,
                    sockets,
                    epoch,
                };
                (Operation::Attach, Success::Attached(attached))
            }
        ),
        handles().prop_map(|handle| (Operation::Socket, Success::Socket(handle))),
        (handles(), addresses())
            .prop_map(|(socket, peer)| (Operation::Accept, Success::Accepted { socket, peer })),
        (any::<u64>(), any::<u64>())
            .prop_map(|(count, room)| (Operation::Send, Success::Sent { count, room })),
        (any::<u64>(), any::<u64>()).prop_map(|(bytes, datagrams)| {
            (Operation::Recv, Success::Received { bytes, datagrams })
        }),
        addresses().prop_map(|address| (Operation::PeerName, Success::Address(address))),
        any::<u64>().prop_map(|value| (Operation::GetOption, Success::Value(value))),
        any::<u64>().prop_map(|word| (Operation::Poll, Success::Ready(PollBits::from_raw(word)))),
    ]
}

/// Words with many zeros and small values, so that decoding gets past its first checks.
fn words() -> impl Strategy<Value = [u64; 4]> {
    prop::array::uniform4(prop_oneof![
        Just(0),
        0u64..4,
        any::<u64>(),
        0x1_0000u64..0x4_0000
    ])
}

proptest! {
    #[test]
    fn any_words_decode_without_panic(label in prop_oneof![any::<u64>(), 0u64..20], words in words()) {
        if let Ok(request) = Request::decode(label, words) {
            // What was accepted has exactly one form.
            prop_assert_eq!(request.encode(), (label, words));
        }
        for operation in Operation::ALL {
            let _ = reply::decode(operation, label, words);
        }
    }

    #[test]
    fn requests_round_trip(request in requests()) {
        let (label, words) = request.encode();
        prop_assert!(label < RESTARTED);
        prop_assert_eq!(Request::decode(label, words), Ok(request));
    }

    #[test]
    fn replies_round_trip((operation, success) in successes()) {
        let (label, words) = reply::encode(&Ok(success));
        prop_assert_eq!(reply::decode(operation, label, words), Ok(success));
    }

    #[test]
    fn checked_spans_lie_in_their_half(c2s: u32, s2c: u32, offset: u64, length: u64, near in 0u64..3) {
        let sizes = WindowSizes { c2s, s2c };
        let total = u64::from(c2s) + u64::from(s2c);
        for offset in [offset, u64::from(c2s).wrapping_sub(near), total.saturating_sub(near)] {
            for length in [length, near, u64::from(s2c), u64::from(c2s)] {
                let fits = |from: u64, to: u64| {
                    offset >= from && offset.checked_add(length).is_some_and(|end| end <= to)
                };
                let inside = fits(0, c2s.into()) || fits(c2s.into(), total);
                match sizes.check(Span { offset, length }) {
                    Ok(span) => {
                        prop_assert!(inside);
                        let (base, size) = match span.half() {
                            Half::ClientToServer => (0, c2s),
                            Half::ServerToClient => (u64::from(c2s), s2c),
                        };
                        prop_assert_eq!(base + span.start() as u64, offset);
                        prop_assert_eq!(span.length() as u64, length);
                        prop_assert!(span.start() + span.length() <= size as usize);
                    }
                    // An empty range at the border counts as one of the half behind it.
                    Err(errno) => {
                        prop_assert_eq!(errno, Errno::EFAULT);
                        prop_assert!(!inside || length == 0);
                    }
                }
            }
        }
    }

    #[test]
    fn datagram_headers_keep_their_fields(length: u16, to in prop::option::of(addresses()), bytes: [u8; 32]) {
        let header = DatagramHeader::outgoing(length, to);
        let read = DatagramHeader::from_bytes(header.to_bytes());
        prop_assert_eq!(read, header);
        prop_assert_eq!(read.peer(), Ok(to));
        let _ = DatagramHeader::from_bytes(bytes).peer();
    }
}

#[test]
fn labels_count_from_one() {
    for (index, operation) in Operation::ALL.into_iter().enumerate() {
        assert_eq!(operation.label(), index as u64 + 1);
        assert_eq!(Operation::from_label(operation.label()), Some(operation));
    }
    assert_eq!(Operation::from_label(0), None);
    assert_eq!(Operation::from_label(Operation::ALL.len() as u64 + 1), None);
    assert_eq!(Operation::from_label(u64::MAX), None);
}

#[test]
fn errors_round_trip() {
    for &errno in Errno::ALL {
        assert_eq!(Errno::from_raw(errno.raw().into()), Some(errno));
        let (label, words) = reply::encode(&Err(errno.into()));
        assert!(label != 0 && label < RESTARTED);
        assert_eq!(
            reply::decode(Operation::Send, label, words),
            Err(errno.into())
        );
    }
    let (label, words) = reply::encode(&Err(Failure::Restarted));
    assert_eq!(
        reply::decode(Operation::Poll, label, words),
        Err(Failure::Restarted)
    );
    let unknown = reply::decode(Operation::Poll, 4095, [0; 4]);
    assert_eq!(unknown, Err(Errno::EPROTO.into()));
}

#[test]
fn addresses_are_read_strictly() {
    let v4 = [0x0050_0002, 0, 0x0a00_020f];
    let expected: SocketAddr = "10.0.2.15:80".parse().unwrap();
    assert_eq!(addr::to_words(expected), v4);
    assert_eq!(addr::from_words(v4), Ok(Some(expected)));
    assert_eq!(
        addr::from_words([v4[0] | 1 << 32, 0, v4[2]]),
        Err(Errno::EINVAL)
    );
    assert_eq!(addr::from_words([v4[0], 1, v4[2]]), Err(Errno::EINVAL));
    assert_eq!(
        addr::from_words([v4[0], 0, v4[2] | 1 << 32]),
        Err(Errno::EINVAL)
    );
    assert_eq!(addr::from_words([3, 0, 0]), Err(Errno::EAFNOSUPPORT));
    assert_eq!(addr::from_words([0x0050_0000, 0, 0]), Err(Errno::EINVAL));
    assert_eq!(addr::require(addr::NO_ADDRESS), Err(Errno::EINVAL));
}

#[test]
fn readiness_is_seen_only_through_a_live_handle() {
    let page: Box<ready::PageWords> = Box::new([const { AtomicU32::new(0xdead_beef) }; 1024]);
    let writer = ReadinessWriter::new(&page);
    let reader = ReadinessReader::new(&page);
    writer.set_epoch(7);
    assert_eq!(reader.epoch(), 7);

    let first = Handle::new(MAX_SOCKETS as u16 - 1, NonZeroU16::MAX);
    let second = Handle::new(
        first.index() as u16,
        Handle::next_generation(NonZeroU16::MAX),
    );
    assert_eq!(second.generation(), NonZeroU16::MIN);
    assert_eq!(reader.bits(first), PollBits::NVAL);
    writer.set(first, PollBits::IN | PollBits::RDHUP);
    assert_eq!(reader.bits(first), PollBits::IN | PollBits::RDHUP);
    assert_eq!(reader.bits(second), PollBits::NVAL);
    writer.clear(first.index());
    assert_eq!(reader.bits(first), PollBits::NVAL);

    let outside = Handle::new(MAX_SOCKETS as u16, NonZeroU16::MIN);
    writer.set(outside, PollBits::IN);
    assert_eq!(reader.bits(outside), PollBits::NVAL);

    let serial = reader.serial();
    writer.bump_serial();
    assert_eq!(reader.serial(), serial.wrapping_add(1));
}

#[test]
fn strides_keep_headers_aligned() {
    for payload in 0..100 {
        let stride = datagram::stride(payload);
        assert_eq!(stride % datagram::ALIGN, 0);
        assert!(stride >= datagram::HEADER_SIZE + payload);
        assert!(stride < datagram::HEADER_SIZE + payload + datagram::ALIGN);
    }
}
