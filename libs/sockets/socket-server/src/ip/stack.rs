// SPDX-License-Identifier: BSD-2-Clause

//! The way between sockets and frames: smoltcp's interface, fed with one packet and one socket at a
//! time, for TCP; routes, neighbours, paths and limits for all.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::convert::Infallible;
use core::net::Ipv4Addr;

use smoltcp::iface::{self, Interface, PollResult, SocketSet, SocketStorage};
use smoltcp::phy::{Checksum, ChecksumCapabilities, DeviceCapabilities, Medium};
use smoltcp::socket::AnySocket;
use smoltcp::socket::tcp::{self, State};
use smoltcp::time::Instant;
use smoltcp::wire::{
    HardwareAddress, IpAddress, IpCidr, IpListenEndpoint, IpProtocol, Ipv4Cidr, Ipv4Packet,
    TcpControl, TcpPacket,
};

use crate::config::{Config, in_network};
use crate::counters::Counters;
use crate::ethernet::neighbours::Neighbours;
use crate::ethernet::{self, Arp, BROADCAST, Hop, Operation};
use crate::frames::{FRAME_MAX, Offload, TxQueue};
use crate::ip::icmp;
use crate::ip::packet::{Local, Packet, Tuple};
use crate::ip::paths::{LINK_MTU, Path, Paths};
use crate::ip::rate::{Limiter, Rate};
use crate::ip::reassembly::PAYLOAD_MAX;
use crate::ip::send::{self, HEADER, Header, NoBuffer, Route, UDP};
use crate::tables::map::mix;
use crate::transport::connection::Connection;
use crate::transport::device::{Sent, Wire};
use crate::transport::half_open::HalfOpen;
use crate::transport::numbers::seed_for;
use crate::transport::segment::ControlSegment;

/// Before the driver has told its address: a locally administered one.
const NO_MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0];
/// Counters that packets are numbered from, chosen by destination: nobody can count what others are
/// sent.
const IDENTS: usize = 256;
/// ICMP messages, to all hosts and to one: as many as Linux sends to all.
const ICMP_ALL: Rate = Rate::new(1000, 100);
const ICMP_ONE: Rate = Rate::new(250, 50);
/// Resets for segments without a connection, and answers to ARP requests.
const RESETS_ALL: Rate = Rate::new(2000, 500);
const RESETS_ONE: Rate = Rate::new(500, 200);
const ARP_ALL: Rate = Rate::new(1000, 500);
const ARP_ONE: Rate = Rate::new(20, 20);

/// What is sent although no client asked for it.
pub(crate) struct Limits {
    pub icmp: Limiter,
    pub resets: Limiter,
    pub arp: Limiter,
}

/// The interface and what belongs to it.
pub(crate) struct Stack {
    iface: Box<Interface>,
    capabilities: DeviceCapabilities,
    offload: Offload,
    pub neighbours: Neighbours,
    pub paths: Paths,
    pub limits: Limits,
    local: Local,
    prefix: u8,
    gateway: Option<Ipv4Addr>,
    mac: [u8; 6],
    now: Instant,
    idents: [u16; IDENTS],
    ident_seed: u64,
    /// A neighbour whose address is to be confirmed, with the address.
    probe: Option<(Ipv4Addr, [u8; 6])>,
    /// Room for a datagram that leaves in fragments.
    scratch: Vec<u8>,
    /// Random numbers that a new interface takes for itself. That depends on smoltcp's features,
    /// which are more when it is built together with other users.
    draws: u32,
}

fn capabilities(offload: Offload, mtu: usize) -> DeviceCapabilities {
    let checksum = match (offload.rx_checksum, offload.tx_checksum) {
        (false, false) => Checksum::Both,
        (false, true) => Checksum::Rx,
        (true, false) => Checksum::Tx,
        (true, true) => Checksum::None,
    };
    let mut checksums = ChecksumCapabilities::default();
    checksums.tcp = checksum;
    // Whoever gives it a packet has checked that already.
    checksums.ipv4 = Checksum::Tx;
    let mut capabilities = DeviceCapabilities::default();
    capabilities.medium = Medium::Ip;
    capabilities.max_transmission_unit = mtu;
    capabilities.checksum = checksums;
    capabilities
}

/// smoltcp's clock runs so many times faster than the world's. Its retransmission timer is never
/// below a second; with this it is never below 200 ms, as Linux's, and grows to 12 s at most. Every
/// other time that smoltcp is told is scaled the same way.
pub(crate) const PACE: u32 = 5;

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

/// Takes frames and forgets them.
pub(crate) struct Nowhere;

impl TxQueue for Nowhere {
    fn free(&mut self) -> usize {
        1
    }

    fn try_send<R, E>(
        &mut self,
        length: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<R, E>,
    ) -> Option<Result<R, E>> {
        Some(fill(&mut [0; FRAME_MAX][..length.min(FRAME_MAX)]))
    }
}

/// Keeps the sequence number of a TCP segment that is sent.
struct Number(u32);

impl TxQueue for Number {
    fn free(&mut self) -> usize {
        1
    }

    fn try_send<R, E>(
        &mut self,
        length: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<R, E>,
    ) -> Option<Result<R, E>> {
        let mut frame = [0; FRAME_MAX];
        let filled = fill(&mut frame[..length.min(FRAME_MAX)]);
        if let Ok(packet) = Ipv4Packet::new_checked(&frame[ethernet::HEADER..])
            && let Ok(segment) = TcpPacket::new_checked(packet.payload())
        {
            self.0 = segment.seq_number().0 as u32;
        }
        Some(filled)
    }
}

impl Stack {
    /// `config` has been checked. For so many connections.
    pub(crate) fn new(config: &Config, connections: usize) -> Self {
        let offload = Offload::default();
        let capabilities = capabilities(offload, LINK_MTU);
        let seed = |purpose: u64| config.seed(purpose);
        let limiter = |all, one, purpose| Limiter::new(all, one, seed(purpose));
        let local = Local {
            address: config.address,
            broadcast: directed_broadcast(config.address, config.prefix),
        };
        let mut idents = [0; IDENTS];
        for (number, ident) in idents.iter_mut().enumerate() {
            *ident = mix(seed(13), number as u64) as u16;
        }
        let mut stack = Stack {
            iface: Box::new(build(0, &capabilities)),
            capabilities,
            offload,
            neighbours: Neighbours::new(seed(14), config.gateway, connections),
            paths: Paths::new(seed(15)),
            limits: Limits {
                icmp: limiter(ICMP_ALL, ICMP_ONE, 16),
                resets: limiter(RESETS_ALL, RESETS_ONE, 17),
                arp: limiter(ARP_ALL, ARP_ONE, 18),
            },
            local,
            prefix: config.prefix,
            gateway: config.gateway,
            mac: NO_MAC,
            now: Instant::ZERO,
            idents,
            ident_seed: seed(19),
            probe: None,
            scratch: vec![0; PAYLOAD_MAX],
            draws: 0,
        };
        stack.draws = (0..4)
            .find(|&draws| stack.takes(0x1234_5678, draws))
            .unwrap_or(0);
        stack
    }

    /// The driver has started: its Ethernet address, and what the device does. The address has been
    /// checked.
    pub(crate) fn set_device(&mut self, mac: [u8; 6], offload: Offload) {
        self.mac = mac;
        if offload != self.offload {
            self.offload = offload;
            self.capabilities = capabilities(offload, self.capabilities.max_transmission_unit);
            self.renew(0);
        }
    }

    /// Makes the interface anew, with this seed for its random numbers. It has no state that would
    /// be lost.
    fn renew(&mut self, seed: u64) {
        *self.iface = build(seed, &self.capabilities);
        self.set_addresses();
    }

    /// smoltcp cuts segments to the interface's MTU, which it fixes when the interface is made.
    fn use_mtu(&mut self, mtu: usize) {
        if self.capabilities.max_transmission_unit != mtu {
            self.capabilities.max_transmission_unit = mtu;
            self.renew(0);
        }
    }

    fn set_addresses(&mut self) {
        let cidr = IpCidr::Ipv4(Ipv4Cidr::new(self.local.address, self.prefix));
        // Both lists have room: they were empty.
        self.iface.update_ip_addrs(|list| {
            let _ = list.push(cidr);
        });
        if let Some(gateway) = self.gateway {
            let _ = self.iface.routes_mut().add_default_ipv4_route(gateway);
        }
    }

    pub(crate) fn address(&self) -> Ipv4Addr {
        self.local.address
    }

    pub(crate) fn local(&self) -> Local {
        self.local
    }

    pub(crate) fn gateway(&self) -> Option<Ipv4Addr> {
        self.gateway
    }

    pub(crate) fn mac(&self) -> [u8; 6] {
        self.mac
    }

    /// What is to be checked of received segments.
    pub(crate) fn checksums(&self) -> &ChecksumCapabilities {
        &self.capabilities.checksum
    }

    pub(crate) fn rx_checksum(&self) -> bool {
        self.offload.rx_checksum
    }

    pub(crate) fn tx_checksum(&self) -> bool {
        self.offload.tx_checksum
    }

    pub(crate) fn now(&self) -> Instant {
        self.now
    }

    pub(crate) fn set_now(&mut self, now: Instant) {
        // A clock that runs backwards would upset timers further down.
        self.now = self.now.max(now);
    }

    /// The context that smoltcp's `connect` wants, with which it takes this first sequence number.
    pub(crate) fn context_with(&mut self, iss: u32) -> &mut iface::Context {
        self.renew(seed_for(iss, self.draws));
        self.iface.context()
    }

    /// Whether a socket gets this number from an interface that takes so many for itself.
    fn takes(&mut self, number: u32, draws: u32) -> bool {
        let buffer = || tcp::SocketBuffer::new(&mut [][..]);
        let mut storage = [SocketStorage::EMPTY];
        let mut set = SocketSet::new(&mut storage[..]);
        let handle = set.add(tcp::Socket::new(buffer(), buffer()));
        self.renew(seed_for(number, draws));
        let own = (self.address(), 1);
        let socket = set.get_mut::<tcp::Socket>(handle);
        let _ = socket.connect(self.iface.context(), own, own);
        let mut syn = Number(0);
        let mut wire = Wire {
            packet: None,
            tx: &mut syn,
            hop: self.hop_to(self.mac),
            ident: None,
            capabilities: &self.capabilities,
            counters: &mut Counters::default(),
            sent: Sent::default(),
        };
        self.iface.poll_egress(fast(self.now), &mut wire, &mut set);
        syn.0 == number
    }

    /// Lets the closed socket of a connection go through the first two steps of a handshake that
    /// has happened: it gets the peer's SYN, and its SYN|ACK goes nowhere. Returns whether it
    /// has come that far.
    pub(crate) fn shake_hands(
        &mut self,
        connection: &mut Connection,
        half_open: &HalfOpen,
    ) -> bool {
        let (address, port) = half_open.tuple.local;
        let endpoint = IpListenEndpoint {
            addr: Some(IpAddress::Ipv4(address)),
            port,
        };
        if connection.socket_mut().listen(endpoint).is_err() {
            return false;
        }
        self.renew(seed_for(half_open.iss, self.draws));
        let syn = ControlSegment {
            control: TcpControl::Syn,
            seq: half_open.irs,
            ack: None,
            window: half_open.window,
            options: Some(half_open.options),
        };
        // From the time of the real SYN|ACK to now is the first measure of the round trip, unless
        // it was sent more than once.
        let sent = if half_open.again == 0 {
            half_open.since
        } else {
            self.now
        };
        let uncounted = &mut Counters::default();
        let set = &mut connection.set;
        self.inject(syn, &half_open.tuple, set, &mut Nowhere, uncounted);
        let mut wire = Wire {
            packet: None,
            tx: &mut Nowhere,
            hop: self.hop_to(self.mac),
            ident: None,
            capabilities: &self.capabilities,
            counters: uncounted,
            sent: Sent::default(),
        };
        self.iface.poll_egress(fast(sent), &mut wire, set);
        connection.socket().state() == State::SynReceived
    }

    /// Gives a segment of our own making to a connection's socket, as if its peer had sent it.
    pub(crate) fn inject<T: TxQueue>(
        &mut self,
        segment: ControlSegment,
        tuple: &Tuple,
        set: &mut SocketSet<'static>,
        tx: &mut T,
        counters: &mut Counters,
    ) -> Sent {
        let mut buffer = ControlSegment::buffer();
        let packet = segment.emit_as_peer(tuple, &mut buffer);
        self.ingress(packet, self.mac, tx, set, counters)
    }

    /// Sends a segment of our own making to an Ethernet address. Returns whether there was a
    /// buffer.
    pub(crate) fn send_segment<T: TxQueue>(
        &mut self,
        segment: ControlSegment,
        tuple: &Tuple,
        mac: [u8; 6],
        tx: &mut T,
        counters: &mut Counters,
    ) -> bool {
        let to = tuple.remote.0;
        let (path, header, hop) = (
            self.path(to),
            self.header(to, IpProtocol::Tcp),
            self.hop_to(mac),
        );
        let length = segment.length();
        let sent = send::send_whole(tx, hop, header, path, length, counters, |payload| {
            segment.emit(tuple, payload);
            Ok::<(), Infallible>(())
        });
        sent.is_some()
    }

    /// Whether packets can be sent to that one host: there is a route, and it is neither a group
    /// nor this machine.
    pub(crate) fn can_reach(&self, to: Ipv4Addr) -> bool {
        let group = to.is_multicast() || self.local.is_broadcast(to);
        let host = !group && !to.is_unspecified() && !to.is_loopback() && to != self.address();
        host && (self.gateway.is_some() || self.is_neighbour(to))
    }

    /// Whether a host is on the link.
    pub(crate) fn is_neighbour(&self, host: Ipv4Addr) -> bool {
        in_network(self.address(), self.prefix, host)
    }

    /// Whose Ethernet address a packet to this host needs.
    pub(crate) fn next_hop(&self, to: Ipv4Addr) -> Option<Ipv4Addr> {
        if self.is_neighbour(to) {
            Some(to)
        } else {
            self.gateway
        }
    }

    /// What is known of the way to a host.
    pub(crate) fn path(&self, to: Ipv4Addr) -> Path {
        self.paths.get(to, self.now)
    }

    /// The next hop's Ethernet address, if it is known. Callers call [`Self::send_probe`] after
    /// they have sent.
    pub(crate) fn hop(&mut self, next_hop: Ipv4Addr) -> Option<Hop> {
        let found = self.neighbours.lookup(next_hop, self.now)?;
        if found.probe {
            self.probe = Some((next_hop, found.mac));
        }
        Some(self.hop_to(found.mac))
    }

    pub(crate) fn hop_to(&self, mac: [u8; 6]) -> Hop {
        Hop {
            source: self.mac,
            destination: mac,
        }
    }

    /// Asks the neighbour that was just sent to whether its address is still right, if it is time
    /// for that.
    pub(crate) fn send_probe<T: TxQueue>(&mut self, tx: &mut T, counters: &mut Counters) {
        if let Some((address, mac)) = self.probe.take() {
            self.ask(address, Some(mac), tx, counters);
        }
    }

    /// Sends an ARP request for a host, to its address or to all.
    pub(crate) fn ask<T: TxQueue>(
        &mut self,
        target: Ipv4Addr,
        to: Option<[u8; 6]>,
        tx: &mut T,
        counters: &mut Counters,
    ) {
        let arp = Arp {
            operation: Operation::Request,
            sender_mac: self.mac,
            sender: self.address(),
            target_mac: [0; 6],
            target,
        };
        // One that cannot leave is one that gets no answer; the next follows in a second.
        ethernet::send_arp(tx, to.unwrap_or(BROADCAST), arp, counters);
    }

    fn header(&mut self, to: Ipv4Addr, protocol: IpProtocol) -> Header {
        Header {
            source: self.address(),
            destination: to,
            protocol,
            ident: self.next_ident(to),
        }
    }

    fn next_ident(&mut self, to: Ipv4Addr) -> u16 {
        let at = mix(self.ident_seed, to.to_bits().into()) as usize % IDENTS;
        self.idents[at] = self.idents[at].wrapping_add(1);
        self.idents[at]
    }

    /// Sends a UDP datagram, header included.
    pub(crate) fn send_datagram<T: TxQueue>(
        &mut self,
        hop: Hop,
        to: Ipv4Addr,
        datagram: &[u8],
        tx: &mut T,
        counters: &mut Counters,
    ) -> Result<(), NoBuffer> {
        let (path, header) = (self.path(to), self.header(to, IpProtocol::Udp));
        let sent = send::send(tx, hop, header, path, datagram, counters);
        self.send_probe(tx, counters);
        sent
    }

    /// Sends a datagram whose payload of `length` bytes `fill` writes. The caller has looked for
    /// enough buffers.
    pub(crate) fn send_filled<T: TxQueue, E>(
        &mut self,
        hop: Hop,
        route: Route,
        length: usize,
        tx: &mut T,
        counters: &mut Counters,
        fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Option<Result<(), E>> {
        let (path, header) = (
            self.path(route.to.0),
            self.header(route.to.0, IpProtocol::Udp),
        );
        let checksum = !self.offload.tx_checksum;
        let length = UDP + length;
        if HEADER + length <= path.mtu {
            let sent = send::send_whole(tx, hop, header, path, length, counters, |datagram| {
                fill(&mut datagram[UDP..])?;
                send::emit_udp(datagram, route, checksum);
                Ok(())
            });
            self.send_probe(tx, counters);
            return sent;
        }
        let datagram = self.scratch.get_mut(..length)?;
        if let Err(error) = fill(&mut datagram[UDP..]) {
            return Some(Err(error));
        }
        // The device cannot know the sum over all fragments.
        send::emit_udp(datagram, route, true);
        let sent = send::send(tx, hop, header, path, datagram, counters);
        self.send_probe(tx, counters);
        sent.ok().map(Ok)
    }

    /// Answers a request for an echo. Returns false if there are not enough buffers.
    pub(crate) fn send_echo<T: TxQueue>(
        &mut self,
        packet: &Packet,
        tx: &mut T,
        counters: &mut Counters,
    ) -> bool {
        let header = self.header(packet.source, IpProtocol::Icmp);
        let (path, hop) = (self.path(packet.source), self.hop_to(packet.sender));
        let Some(message) = self.scratch.get_mut(..packet.payload.len()) else {
            return false;
        };
        message.copy_from_slice(packet.payload);
        icmp::emit_reply(message);
        send::send(tx, hop, header, path, message, counters).is_ok()
    }

    /// Tells a sender that its packet found nobody.
    pub(crate) fn send_unreachable<T: TxQueue>(
        &mut self,
        code: u8,
        packet: &Packet,
        tx: &mut T,
        counters: &mut Counters,
    ) -> bool {
        let header = self.header(packet.source, IpProtocol::Icmp);
        let (path, hop) = (self.path(packet.source), self.hop_to(packet.sender));
        let mut message = [0; icmp::ERROR_PAYLOAD];
        let message = &mut message[..icmp::ICMP + icmp::quoted_length(packet)];
        icmp::emit_unreachable(message, code, packet);
        send::send(tx, hop, header, path, message, counters).is_ok()
    }

    /// Gives a received segment to one socket. What smoltcp answers goes to the Ethernet address
    /// `sender`.
    pub(crate) fn ingress<T: TxQueue>(
        &mut self,
        packet: &[u8],
        sender: [u8; 6],
        tx: &mut T,
        set: &mut SocketSet<'static>,
        counters: &mut Counters,
    ) -> Sent {
        counters.socket_visits += 1;
        let mut wire = Wire {
            packet: Some(packet),
            tx,
            hop: self.hop_to(sender),
            ident: None,
            capabilities: &self.capabilities,
            counters,
            sent: Sent::default(),
        };
        self.iface
            .poll_ingress_single(fast(self.now), &mut wire, set);
        wire.sent
    }

    /// Lets one socket send one segment, if its next hop is known. Returns whether it did, and what
    /// left.
    pub(crate) fn egress<T: TxQueue>(
        &mut self,
        tx: &mut T,
        set: &mut SocketSet<'static>,
        counters: &mut Counters,
    ) -> (bool, Sent) {
        counters.socket_visits += 1;
        let remote = remote_of(set);
        let Some((to, next_hop)) = remote.and_then(|to| Some((to, self.next_hop(to)?))) else {
            return (false, Sent::default());
        };
        let Some(hop) = self.hop(next_hop) else {
            let unresolved = Some(next_hop);
            return (
                false,
                Sent {
                    unresolved,
                    ..Sent::default()
                },
            );
        };
        let path = self.path(to);
        self.use_mtu(path.mtu);
        let ident = path.may_fragment.then(|| self.next_ident(to));
        let mut wire = Wire {
            packet: None,
            tx: &mut *tx,
            hop,
            ident,
            capabilities: &self.capabilities,
            counters: &mut *counters,
            sent: Sent::default(),
        };
        let result = self.iface.poll_egress(fast(self.now), &mut wire, set);
        let sent = wire.sent;
        self.send_probe(tx, counters);
        (result == PollResult::SocketStateChanged, sent)
    }

    /// Transmit buffers that the largest datagram needs on a path as wide as the link: 65,515 bytes
    /// in pieces of 1,480, and a few more.
    pub(crate) const FRAGMENT_RESERVE: usize = 48;

    /// When this socket wants to be looked at again; `None` if only for a packet.
    pub(crate) fn poll_at(&mut self, set: &SocketSet<'static>) -> Option<Instant> {
        self.iface.poll_at(fast(self.now), set).map(slow)
    }
}

/// The highest address of a network, which means all of its hosts.
fn directed_broadcast(address: Ipv4Addr, prefix: u8) -> Option<Ipv4Addr> {
    let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
    (prefix < 31).then(|| Ipv4Addr::from_bits(address.to_bits() | !mask))
}

/// The peer of the connection in a set.
fn remote_of(set: &SocketSet<'static>) -> Option<Ipv4Addr> {
    let (_, socket) = set.iter().next()?;
    let IpAddress::Ipv4(address) = tcp::Socket::downcast(socket)?.remote_endpoint()?.addr;
    Some(address)
}

/// Not inlined: with the features that tests need, its frame holds large buffers.
#[inline(never)]
fn build(seed: u64, capabilities: &DeviceCapabilities) -> Interface {
    let mut config = iface::Config::new(HardwareAddress::Ip);
    config.random_seed = seed;
    let mut wire = Wire {
        packet: None,
        tx: &mut Nowhere,
        hop: Hop {
            source: NO_MAC,
            destination: NO_MAC,
        },
        ident: None,
        capabilities,
        counters: &mut Counters::default(),
        sent: Sent::default(),
    };
    Interface::new(config, &mut wire, Instant::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::numbers::is_rare;

    /// smoltcp's own numbers can make it take one more than usual.
    #[test]
    fn a_socket_begins_with_the_number_that_it_is_to_have() {
        let config = Config {
            address: Ipv4Addr::new(10, 0, 0, 1),
            prefix: 24,
            gateway: None,
            key: [3; 16],
            epoch: 1,
            closing: 0,
            stream_receive: 0,
            stream_send: 0,
            datagram_receive: 0,
            datagram_packets: 0,
            datagram_send: 0,
        };
        let mut stack = Stack::new(&config, 1);
        assert_eq!(stack.draws, 1);
        let rare = (0..400_000).filter(|&number| is_rare(number));
        for number in rare.chain([0, 1, u32::MAX, 1 << 31]) {
            assert!(stack.takes(number, 1), "{number}");
        }
    }
}
