// SPDX-License-Identifier: BSD-2-Clause

//! Decoding arbitrary words never panics, and what is encoded reads back as it was.

use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use core::num::NonZeroU16;
use std::sync::atomic::AtomicU32;

use proptest::prelude::*;

use crate::layouts::Layout;
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
    fn what_decodes_has_one_form(label in prop_oneof![any::<u64>(), 0u64..20], words in words()) {
        if let Ok(request) = Request::decode(label, words) {
            prop_assert!(label < NO_PLACE);
            prop_assert_eq!(request.encode(), (label, words));
        }
    }

    #[test]
    fn replies_decode_without_panic(label in prop_oneof![any::<u64>(), 0u64..130], words in words()) {
        fn check<R: Record>(label: u64, words: [u64; 4]) {
            if let Ok(reply) = reply::decode::<R>(label, words) {
                assert_eq!(reply::encode(Ok(reply.encode())).0, label);
            }
        }
        check::<()>(label, words);
        check::<Attached>(label, words);
        check::<Opened>(label, words);
        check::<Accepted>(label, words);
        check::<Sent>(label, words);
        check::<Name>(label, words);
        check::<Ready>(label, words);
    }

    #[test]
    fn fields_lie_one_behind_the_other(socket in handles(), addr in addresses(), offset: u64, length: u64) {
        let Message { label, words } = Message::new(op::Bind { socket, addr });
        let [head, high, low] = addr::to_words(addr);
        prop_assert_eq!((label, words), (3, [socket.raw(), head, high, low]));
        prop_assert_eq!(op::Bind::decode(words), Ok(op::Bind { socket, addr }));
        let send = op::Send::new(socket, Span { offset, length });
        prop_assert_eq!(send.encode(), [socket.raw(), offset, length, 0]);
        prop_assert_eq!(op::Send::decode(send.encode()), Ok(send));
        let connect = op::Connect { socket, addr: None };
        prop_assert_eq!(op::Connect::decode(connect.encode()), Ok(connect));
        let accepted = Accepted { socket, peer: addr };
        prop_assert_eq!(reply::decode(0, accepted.encode()), Ok(accepted));
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
        let header = DatagramHeader::new(length, to);
        let mut read = DatagramHeader::default();
        read.bytes_mut().copy_from_slice(header.bytes());
        prop_assert_eq!(read, header);
        prop_assert_eq!(read.peer(), Ok(to));
        read.bytes_mut().copy_from_slice(&bytes);
        let _ = read.peer();
    }
}

#[test]
fn labels_count_from_one() {
    for (index, &operation) in Operation::ALL.iter().enumerate() {
        assert_eq!(operation.raw(), index as u64 + 1);
        assert_eq!(Operation::from_raw(operation.raw()), Some(operation));
    }
    assert_eq!(Operation::from_raw(0), None);
    assert_eq!(Operation::from_raw(Operation::ALL.len() as u64 + 1), None);
    assert_eq!(Operation::from_raw(u64::MAX), None);
}

#[test]
fn errors_round_trip() {
    for &errno in Errno::ALL {
        assert_eq!(Errno::from_raw(errno.raw().into()), Some(errno));
        let (label, words) = reply::encode(Err(errno.into()));
        assert!(label != 0 && label < NO_PLACE);
        assert_eq!(reply::decode::<Sent>(label, words), Err(errno.into()));
    }
    for failure in [Failure::Restarted, Failure::NoPlace] {
        let (label, words) = reply::encode(Err(failure));
        assert_eq!(reply::decode::<()>(label, words), Err(failure));
    }
    let unknown = reply::decode::<Ready>(4095, [0; 4]);
    assert_eq!(unknown, Err(Errno::EPROTO.into()));
    let reserved = reply::decode::<()>(0, [0, 0, 0, 1]);
    assert_eq!(reserved, Err(Errno::EPROTO.into()));
}

#[test]
fn flags_are_sets_of_those_that_are_known() {
    let all = Flag::ALL.iter().fold(Flags::NONE, |all, &flag| all | flag);
    for bits in [0, 1, all.bits().into(), 1 << 40, u64::MAX] {
        let flags = Flags::from_bits(bits);
        let known = bits & !u64::from(all.bits()) == 0;
        assert_eq!(
            flags.map(|flags| flags.bits().into()),
            known.then_some(bits)
        );
    }
    for &flag in Flag::ALL {
        assert!(all.has(flag) && Flags::from(flag).has(flag) && !Flags::NONE.has(flag));
    }
}

#[test]
fn unused_words_are_refused() {
    let socket = Handle::new(3, NonZeroU16::MIN).raw();
    let refused = |label, words, errno| {
        assert_eq!(
            Request::decode(label, words),
            Err(errno),
            "{label} {words:?}"
        );
    };
    refused(1, [VERSION, 0, 1, 0], Errno::EINVAL);
    refused(2, [1, 1, 0, 0], Errno::EAFNOSUPPORT);
    refused(2, [2, 7, 0, 0], Errno::ESOCKTNOSUPPORT);
    refused(2, [2, 2, 2, 0], Errno::EPROTONOSUPPORT);
    refused(5, [socket, 1, 0, 0], Errno::EINVAL);
    refused(5, [0, 0, 0, 0], Errno::EBADF);
    refused(7, [socket, 0, 0, 1], Errno::EOPNOTSUPP);
    refused(9, [socket, 3, 0, 0], Errno::EINVAL);
    refused(13, [socket, 1 << 32 | 999, 0, 0], Errno::ENOPROTOOPT);
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
    assert_eq!(<SocketAddr as Field>::take(&[0; 4], 0), Err(Errno::EINVAL));
}

fn region(words: usize) -> Vec<AtomicU32> {
    (0..words).map(|_| AtomicU32::new(0xdead_beef)).collect()
}

#[test]
fn readiness_is_seen_only_through_a_live_handle() {
    let region = region(1024);
    let writer = ReadinessWriter::new(&region);
    let reader = ReadinessReader::new(&region);
    writer.set_epoch(7);
    assert_eq!(reader.epoch(), 7);

    let last = writer.sockets() as u16 - 1;
    let first = Handle::new(last, NonZeroU16::MAX);
    let second = Handle::new(last, Handle::next_generation(NonZeroU16::MAX));
    assert_eq!(second.generation(), NonZeroU16::MIN);
    assert_eq!(reader.bits(first), PollBits::NVAL);
    writer.set(first, PollBits::IN | PollBits::RDHUP, true);
    assert_eq!(reader.bits(first), PollBits::IN | PollBits::RDHUP);
    assert_eq!(reader.bits(second), PollBits::NVAL);
    writer.clear(first.index());
    assert_eq!(reader.bits(first), PollBits::NVAL);

    let outside = Handle::new(last + 1, NonZeroU16::MIN);
    writer.set(outside, PollBits::IN, true);
    assert_eq!(reader.bits(outside), PollBits::NVAL);
}

/// What a look finds: the sockets, or `None` if it is all of them.
fn look(reader: ReadinessReader<'_>, since: &mut u32) -> Option<Vec<usize>> {
    let mut changed = Vec::new();
    let found = reader.changes(*since, |index| changed.push(index));
    *since = found.unwrap_or_else(|serial| serial);
    found.is_ok().then_some(changed)
}

#[test]
fn a_look_finds_what_has_changed_since_the_last() {
    let region = region(1024);
    // The serial goes on from where it was, and runs over.
    region[1].store(u32::MAX - 129, std::sync::atomic::Ordering::Relaxed);
    let writer = ReadinessWriter::new(&region);
    let reader = ReadinessReader::new(&region);
    let handle = |index| Handle::new(index, NonZeroU16::MIN);
    let mut since = reader.serial();
    assert_eq!(look(reader, &mut since), Some(vec![]));
    writer.set(handle(3), PollBits::IN, true);
    writer.set(handle(879), PollBits::OUT, true);
    writer.set(handle(3), PollBits::NONE, false);
    writer.clear(4);
    assert_eq!(look(reader, &mut since), Some(vec![3, 879, 4]));
    assert_eq!(look(reader, &mut since), Some(vec![]));
    let (_, log) = ready::layout(1024);
    (1..log).for_each(|_| writer.clear(5));
    assert_eq!(look(reader, &mut since), Some(vec![5; log - 1]));
    (0..log).for_each(|_| writer.clear(6));
    assert_eq!(look(reader, &mut since), None);
    assert_eq!(look(reader, &mut since), Some(vec![]));
    writer.log_all();
    assert_eq!(look(reader, &mut since), None);
}

#[test]
fn regions_hold_what_their_size_says() {
    for (size, sockets) in [(4096, 880), (8192, 1776), (20_480, 4096), (1 << 20, 4096)] {
        assert_eq!(ready::capacity(size), sockets);
        let region = region(size / 4);
        assert_eq!(ReadinessWriter::new(&region).sockets(), sockets);
    }
    for sockets in 0..=MAX_SOCKETS {
        let size = ready::region_size(sockets);
        assert!(size.is_multiple_of(4096) && ready::capacity(size) >= sockets);
        assert!(size == 4096 || ready::capacity(size - 4096) < sockets);
    }
}

proptest! {
    /// A server that writes anything keeps its client from no more than its own sockets.
    #[test]
    fn no_region_harms_its_reader(words in prop::collection::vec(any::<u32>(), 0..200), since: u32, near in 0u32..40) {
        let region: Vec<AtomicU32> = words.into_iter().map(AtomicU32::new).collect();
        let writer = ReadinessWriter::new(&region[..0]);
        prop_assert_eq!(writer.sockets(), 0);
        let reader = ReadinessReader::new(&region);
        let (sockets, log) = ready::layout(region.len());
        for since in [since, reader.serial().wrapping_sub(near)] {
            let mut count = 0;
            let _ = reader.changes(since, |index| {
                assert!(index < sockets);
                count += 1;
            });
            prop_assert!(count <= log);
        }
        for index in [0, 7, 4095, u16::MAX] {
            let _ = reader.bits(Handle::new(index, NonZeroU16::MIN));
        }
        let writer = ReadinessWriter::new(&region);
        writer.set(Handle::new(u16::MAX, NonZeroU16::MIN), PollBits::IN, true);
        writer.clear(usize::MAX);
    }
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
