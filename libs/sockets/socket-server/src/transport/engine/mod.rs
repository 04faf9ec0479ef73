// SPDX-License-Identifier: BSD-2-Clause

//! smoltcp's TCP, which does the work between the two ends of an open connection. Each socket has
//! a set of its own, so that smoltcp looks at one socket a packet; its interface has no state that
//! would be lost, so it is made anew whenever it needs another MTU or another seed.
//!
//! smoltcp is named here and where packets are read and written, and nowhere else.

mod device;
mod seed;
mod socket;
mod told;

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::convert::Infallible;
use core::net::Ipv4Addr;

use smoltcp::iface::{self, Interface, PollResult};
use smoltcp::phy::{Checksum, ChecksumCapabilities, DeviceCapabilities, Medium};
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr, IpEndpoint, IpListenEndpoint, Ipv4Cidr};

use crate::config::Config;
use crate::counters::Counter;
use crate::ethernet::Hop;
use crate::frames::TxQueue;
use crate::ip::Network;
use crate::ip::address::Address;
use crate::ip::output::HEADER;
use crate::ip::packet::Tuple;
use crate::ip::paths::LINK_MTU;
use crate::time::Instant;
use crate::transport::half_open::HalfOpen;
use crate::transport::segment::{Control, Segment, headers, mss, stand_ins, wrap};
pub(crate) use device::Sent;
use device::{Nowhere, Out, Wire};
use seed::seed_for;
pub(crate) use smoltcp::socket::tcp::State;
pub(crate) use socket::{Socket, scale};
use told::Told;

/// smoltcp's clock runs so many times faster than the world's. Its retransmission timer is never
/// below a second; with this it is never below 200 ms, as Linux's, and grows to 12 s at most. Every
/// other time that smoltcp is told is scaled the same way.
const PACE: u32 = 5;

/// smoltcp's time for a time of the world.
fn fast(at: Instant) -> Instant {
    Instant::from_micros(at.total_micros() * i64::from(PACE))
}

/// The time of the world for one of smoltcp's, not too early.
fn slow(at: Instant) -> Instant {
    let micros = at.total_micros();
    let pace = i64::from(PACE);
    Instant::from_micros(micros / pace + i64::from(micros % pace > 0))
}

/// smoltcp's interface, fed with one packet and one socket at a time.
pub(crate) struct Engine {
    iface: Box<Interface>,
    capabilities: DeviceCapabilities,
    address: Ipv4Addr,
    /// Room for a segment of IPv6, as smoltcp is to see it.
    wrapped: Vec<u8>,
    /// Random numbers that a new interface takes for itself. That depends on smoltcp's features,
    /// which are more when it is built together with other users.
    draws: u32,
}

impl Engine {
    /// `config` has been checked.
    pub(crate) fn new(config: &Config) -> Self {
        let capabilities = capabilities(LINK_MTU);
        let mut engine = Engine {
            iface: Box::new(build(0, &capabilities)),
            capabilities,
            address: config.address,
            wrapped: vec![0; LINK_MTU],
            draws: 0,
        };
        engine.draws = (0..4)
            .find(|&draws| engine.takes(0x1234_5678, draws))
            .unwrap_or(0);
        engine
    }

    /// Makes the interface anew, with this seed for its random numbers.
    fn renew(&mut self, seed: u64) {
        *self.iface = build(seed, &self.capabilities);
        // To smoltcp every host is a neighbour, and each packet for this machine: packets have been
        // routed before.
        self.iface.set_any_ip(true);
        let everywhere = IpCidr::Ipv4(Ipv4Cidr::new(self.address, 0));
        self.iface.update_ip_addrs(|list| {
            // There is room: the list was empty.
            let _ = list.push(everywhere);
        });
    }

    /// smoltcp cuts segments to the interface's MTU, which it fixes when the interface is made.
    fn use_mtu(&mut self, mtu: usize) {
        if self.capabilities.max_transmission_unit != mtu {
            self.capabilities.max_transmission_unit = mtu;
            self.renew(0);
        }
    }

    /// Whether a socket gets this number from an interface that takes so many for itself.
    fn takes(&mut self, number: u32, draws: u32) -> bool {
        self.draws = draws;
        let mut socket = Socket::new(0, 0);
        let own = (self.address.into(), 1);
        let tuple = Tuple {
            local: own,
            remote: own,
        };
        self.connect(&mut socket, &tuple, number);
        self.nowhere(None, Instant::ZERO, &mut socket).sequence == number
    }

    /// Starts an attempt to connect a closed socket, with this first sequence number.
    pub(crate) fn connect(&mut self, socket: &mut Socket, tuple: &Tuple, iss: u32) -> bool {
        self.renew(seed_for(iss, self.draws));
        let remote = IpEndpoint::new(IpAddress::Ipv4(stand_ins(tuple).1), tuple.remote.1);
        let context = self.iface.context();
        let started = socket.tcp_mut().connect(context, remote, local(tuple));
        started.is_ok()
    }

    /// Lets a closed socket go through the first two steps of a handshake that has happened: it
    /// gets the peer's SYN, and its SYN|ACK goes nowhere. Returns whether it has come that far.
    pub(crate) fn shake_hands(
        &mut self,
        socket: &mut Socket,
        half_open: &HalfOpen,
        now: Instant,
    ) -> bool {
        if socket.tcp_mut().listen(local(&half_open.tuple)).is_err() {
            return false;
        }
        self.renew(seed_for(half_open.iss, self.draws));
        // From the time of the real SYN|ACK to now is the first measure of the round trip, unless
        // it was sent more than once.
        let sent = if half_open.again == 0 {
            half_open.since
        } else {
            now
        };
        self.inject(socket, half_open.syn, &half_open.tuple, now);
        self.nowhere(None, sent, socket);
        socket.state() == State::SynReceived
    }

    /// Brings a closed socket to where another one stands, to go on in its place with buffers of
    /// its own: by a handshake that ends at the numbers `reached`, and the bytes that are unread.
    /// What the other has sent must be acknowledged, as smoltcp does not give that back. Returns
    /// whether that has worked; if not, the other is as it was.
    pub(crate) fn succeed(
        &mut self,
        socket: &mut Socket,
        other: &mut Socket,
        reached: &HalfOpen,
        now: Instant,
    ) -> bool {
        if other.unacknowledged() > 0 || !self.shake_hands(socket, reached, now) {
            return false;
        }
        let HalfOpen { tuple, syn, .. } = reached;
        let (seq, ack) = (syn.seq.wrapping_add(1), reached.iss.wrapping_add(1));
        let mut segment = Segment::ack(seq, ack, syn.window);
        self.inject(socket, segment, tuple, now);
        if socket.state() != State::Established {
            return false;
        }
        let ended = other.state() == State::CloseWait;
        let mut buffer = [0; LINK_MTU];
        let Ok(_) = other.read(usize::MAX, |_, bytes| -> Result<(), Infallible> {
            for data in bytes.chunks(mss(tuple.remote.0).into()) {
                let packet = segment.emit_as_peer(tuple, data, &mut buffer);
                self.nowhere(Some(packet), now, socket);
                segment.seq = segment.seq.wrapping_add(data.len() as u32);
            }
            Ok(())
        });
        if ended {
            segment.control = Control::Fin;
            self.inject(socket, segment, tuple, now);
        }
        true
    }

    /// Gives a socket a segment of our own making, as if its peer had sent it. What it answers goes
    /// nowhere.
    pub(crate) fn inject(
        &mut self,
        socket: &mut Socket,
        segment: Segment,
        tuple: &Tuple,
        now: Instant,
    ) {
        let mut buffer = Segment::buffer();
        let packet = segment.emit_as_peer(tuple, &[], &mut buffer);
        self.nowhere(Some(packet), now, socket);
    }

    /// Gives a received segment of a connection of IPv6 to its socket, as [`Self::ingress`]. It is
    /// copied once: smoltcp gets it behind a header of IPv4. What is longer than the link's packets
    /// is lost; no peer sends such segments.
    pub(crate) fn ingress6<T: TxQueue>(
        &mut self,
        socket: &mut Socket,
        (tuple, segment): (&Tuple, &[u8]),
        back: Hop,
        net: &mut Network,
        tx: &mut T,
    ) -> Sent {
        let mut wrapped = core::mem::take(&mut self.wrapped);
        let sent = match wrapped.get_mut(..HEADER + segment.len()) {
            Some(bytes) => {
                bytes[HEADER..].copy_from_slice(segment);
                wrap(tuple, bytes);
                self.ingress(socket, bytes, back, net, tx)
            }
            None => Sent::default(),
        };
        self.wrapped = wrapped;
        sent
    }

    /// Gives a received segment to a socket. What it answers goes `back`.
    pub(crate) fn ingress<T: TxQueue>(
        &mut self,
        socket: &mut Socket,
        packet: &[u8],
        back: Hop,
        net: &mut Network,
        tx: &mut T,
    ) -> Sent {
        net.stats.inc(Counter::SocketVisits);
        let now = net.now();
        let mut way = net.loopback.or(tx, back.loops());
        let mut sent = Sent::default();
        let style = (&back, None, net.interface.writes_checksums(back));
        self.wire(Some(packet), now, socket, style, &mut way, &mut sent);
        count(&sent, back, net);
        sent
    }

    /// Lets a socket send one segment, if its next hop is known. Returns whether it did, and what
    /// left.
    pub(crate) fn egress<T: TxQueue>(
        &mut self,
        socket: &mut Socket,
        net: &mut Network,
        tx: &mut T,
    ) -> (bool, Sent) {
        net.stats.inc(Counter::SocketVisits);
        let next_hop = |to: Address| Some((to, net.next_hop(to)?));
        let Some((to, next_hop)) = socket.peer().and_then(next_hop) else {
            return (false, Sent::default());
        };
        let hop = match net.hop(next_hop) {
            Ok(hop) => hop,
            Err(neighbour) => {
                let sent = Sent {
                    unresolved: Some(neighbour),
                    ..Sent::default()
                };
                return (false, sent);
            }
        };
        let path = net.path(to);
        let mss = socket.told.mss.map_or(usize::MAX, usize::from);
        // smoltcp counts a header of IPv4.
        let mtu = path.mtu.min(mss.saturating_add(headers(to)));
        self.use_mtu(mtu - (to.header() - HEADER));
        let ident = path.may_fragment.then(|| net.next_ident(to));
        let now = net.now();
        let mut way = net.loopback.or(tx, hop.loops());
        let mut sent = Sent::default();
        let style = (&hop, ident, net.interface.writes_checksums(hop));
        let progress = self.wire(None, now, socket, style, &mut way, &mut sent);
        count(&sent, hop, net);
        net.send_probe(tx);
        (progress, sent)
    }

    /// When a socket wants to be looked at again; `None` if only for a packet.
    pub(crate) fn poll_at(&mut self, socket: &Socket, now: Instant) -> Option<Instant> {
        self.iface.poll_at(fast(now), &socket.set).map(slow)
    }

    /// One packet in, if there is one, or one out. What leaves takes this hop, has this number if
    /// it may be cut up, and gets a checksum or none; it is added to `sent`. Returns whether
    /// something has happened.
    fn wire<T: TxQueue>(
        &mut self,
        packet: Option<&[u8]>,
        now: Instant,
        socket: &mut Socket,
        (hop, ident, checksum): (&Hop, Option<u16>, bool),
        tx: &mut T,
        sent: &mut Sent,
    ) -> bool {
        let now = fast(now);
        let mut wire = Wire {
            packet,
            out: Out {
                tx,
                hop,
                ends: &socket.ends,
                ident,
                told: &socket.told,
                scale: socket.scale(),
                service: socket.service,
                window: socket.window(),
                checksum,
                sent,
            },
            capabilities: &self.capabilities,
        };
        let set = &mut socket.set;
        if packet.is_some() {
            self.iface.poll_ingress_single(now, &mut wire, set);
            true
        } else {
            self.iface.poll_egress(now, &mut wire, set) == PollResult::SocketStateChanged
        }
    }

    /// As [`Self::wire`]; what leaves is forgotten.
    fn nowhere(&mut self, packet: Option<&[u8]>, now: Instant, socket: &mut Socket) -> Sent {
        let (style, mut sent) = ((&Hop::Loopback, None, false), Sent::default());
        self.wire(packet, now, socket, style, &mut Nowhere, &mut sent);
        sent
    }
}

fn count(sent: &Sent, hop: Hop, net: &mut Network) {
    // Loopback counts its own.
    if !hop.loops() {
        net.stats.add(Counter::TxFrames, u64::from(sent.packets));
        net.stats.add(Counter::TxBytes, sent.bytes);
    }
    net.stats
        .add(Counter::DropsNoTxBuffer, u64::from(sent.lost));
}

fn local(tuple: &Tuple) -> IpListenEndpoint {
    IpListenEndpoint {
        addr: Some(IpAddress::Ipv4(stand_ins(tuple).0)),
        port: tuple.local.1,
    }
}

/// smoltcp looks at no checksum and writes IP's only: the core has checked segments, and writes
/// theirs when it has amended them.
fn capabilities(mtu: usize) -> DeviceCapabilities {
    let mut checksums = ChecksumCapabilities::ignored();
    checksums.ipv4 = Checksum::Tx;
    let mut capabilities = DeviceCapabilities::default();
    capabilities.medium = Medium::Ip;
    capabilities.max_transmission_unit = mtu;
    capabilities.checksum = checksums;
    capabilities
}

/// Not inlined: with the features that tests need, its frame holds large buffers.
#[inline(never)]
fn build(seed: u64, capabilities: &DeviceCapabilities) -> Interface {
    let mut config = iface::Config::new(HardwareAddress::Ip);
    config.random_seed = seed;
    // It is asked for its capabilities only.
    let mut wire = Wire {
        packet: None,
        out: Out {
            tx: &mut Nowhere,
            hop: &Hop::Loopback,
            ends: &Tuple::NONE.addresses(),
            ident: None,
            told: &Told::default(),
            scale: 0,
            service: 0,
            window: None,
            checksum: true,
            sent: &mut Sent::default(),
        },
        capabilities,
    };
    Interface::new(config, &mut wire, Instant::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use seed::is_rare;

    /// smoltcp's own numbers can make it take one more than usual.
    #[test]
    fn a_socket_begins_with_the_number_that_it_is_to_have() {
        let config = Config {
            address: Ipv4Addr::new(10, 0, 0, 1),
            prefix: 24,
            gateway: None,
            dhcp: None,
            hostname: "",
            names: Default::default(),
            address6: None,
            gateway6: None,
            autoconf: false,
            key: [3; 16],
            epoch: 1,
            closing: 0,
            stream_receive: 0,
            stream_send: 0,
            datagram_receive: 0,
            datagram_send: 0,
        };
        let mut engine = Engine::new(&config);
        assert_eq!(engine.draws, 1);
        let rare = (0..400_000).filter(|&number| is_rare(number));
        for number in rare.chain([0, 1, u32::MAX, 1 << 31]) {
            assert!(engine.takes(number, 1), "{number}");
        }
    }
}
