// SPDX-License-Identifier: BSD-2-Clause

//! smoltcp's TCP, which does the work between the two ends of an open connection. Each socket has
//! a set of its own, so that smoltcp looks at one socket a packet; its interface has no state that
//! would be lost, so it is made anew whenever it needs another MTU or another seed.
//!
//! smoltcp is named here and where packets are read and written, and nowhere else.

mod device;
mod seed;

use alloc::boxed::Box;
use alloc::vec;
use core::net::Ipv4Addr;

use smoltcp::iface::{self, Interface, PollResult, SocketHandle, SocketSet, SocketStorage};
use smoltcp::phy::{Checksum, ChecksumCapabilities, DeviceCapabilities, Medium};
use smoltcp::socket::AnySocket;
use smoltcp::socket::tcp::{self, CongestionControl, SocketBuffer};
use smoltcp::wire::{
    HardwareAddress, IpAddress, IpCidr, IpEndpoint, IpListenEndpoint, Ipv4Cidr, TcpControl,
};

use crate::config::Config;
use crate::counters::Counters;
use crate::ethernet::Hop;
use crate::frames::{Offload, TxQueue};
use crate::ip::Network;
use crate::ip::packet::Tuple;
use crate::ip::paths::LINK_MTU;
use crate::time::{Duration, Instant};
use crate::transport::half_open::HalfOpen;
use crate::transport::segment::ControlSegment;
pub(crate) use device::Sent;
use device::Wire;
use seed::seed_for;
pub(crate) use smoltcp::socket::tcp::State;

/// After so long without a segment the peer is asked whether it is still there (RFC 9293 section
/// 3.8.4).
const KEEP_ALIVE: Duration = Duration::from_secs(60);
/// How long an acknowledgement may wait for something to go with (RFC 9293 section 3.8.6.3).
const ACK_DELAY: Duration = Duration::from_millis(10);

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

/// One TCP socket of smoltcp with its buffers.
pub(crate) struct Socket {
    set: SocketSet<'static>,
    handle: SocketHandle,
}

impl Socket {
    /// A closed socket with buffers of these sizes in bytes, which are allocated for good: without
    /// its feature `alloc` smoltcp takes slices.
    pub(crate) fn new(receive: usize, send: usize) -> Self {
        let buffer = |size: usize| SocketBuffer::new(vec![0; size].leak());
        let socket = tcp::Socket::new(buffer(receive), buffer(send));
        let mut set = SocketSet::new(vec![SocketStorage::EMPTY].leak());
        let handle = set.add(socket.upcast());
        Socket { set, handle }
    }

    fn tcp(&self) -> &tcp::Socket<'static> {
        self.set.get(self.handle)
    }

    fn tcp_mut(&mut self) -> &mut tcp::Socket<'static> {
        self.set.get_mut(self.handle)
    }

    /// Makes a used socket like new. smoltcp resets most of it itself when it starts to listen or
    /// connect. It does not reset the congestion control, and the set remembers a neighbour that
    /// did not answer. What is known of selective and duplicate acknowledgements is set anew by
    /// the handshake: its last segment acknowledges nothing that is in flight, so that it counts
    /// as fresh.
    pub(crate) fn renew(&mut self) {
        let socket = self.set.remove(self.handle);
        self.handle = self.set.add(socket);
        let socket = self.tcp_mut();
        // Congestion is our own business: see `crate::transport::congestion`.
        socket.set_congestion_control(CongestionControl::None);
        // Writes are gathered until the end of a wake-up anyway, and answers written in two pieces
        // must not wait for a delayed acknowledgement of the first.
        socket.set_nagle_enabled(false);
        socket.set_keep_alive(Some(KEEP_ALIVE * PACE));
        socket.set_ack_delay(Some(ACK_DELAY * PACE));
    }

    pub(crate) fn state(&self) -> State {
        self.tcp().state()
    }

    /// Bytes that the peer has not acknowledged.
    pub(crate) fn unacknowledged(&self) -> usize {
        self.tcp().send_queue()
    }

    /// Bytes received in order and not yet read.
    pub(crate) fn unread(&self) -> usize {
        self.tcp().recv_queue()
    }

    /// Whether [`Self::read`] finds something.
    pub(crate) fn can_read(&self) -> bool {
        self.tcp().can_recv()
    }

    /// Bytes of the receive buffer.
    pub(crate) fn receive_capacity(&self) -> usize {
        self.tcp().recv_capacity()
    }

    /// Bytes of the send buffer, and how many of them are free; none if nothing can be sent any
    /// more.
    pub(crate) fn send_room(&self) -> Option<(usize, usize)> {
        let socket = self.tcp();
        let capacity = socket.send_capacity();
        let may = socket.may_send();
        may.then(|| (capacity, capacity - socket.send_queue()))
    }

    /// Whether it is closed, and a reset that was due has been sent.
    pub(crate) fn is_over(&self) -> bool {
        self.state() == State::Closed && self.tcp().local_endpoint().is_none()
    }

    /// Puts up to `length` bytes behind what is to be sent: `fill` gets an offset and where to
    /// write. Returns how many were taken.
    ///
    /// # Errors
    /// Of `fill`; what it has written before then is sent.
    pub(crate) fn write<E>(
        &mut self,
        length: usize,
        mut fill: impl FnMut(usize, &mut [u8]) -> Result<(), E>,
    ) -> Result<usize, E> {
        let mut done = 0;
        // The free part of the buffer may wrap around.
        while done < length {
            let taken = self.tcp_mut().send(|buffer| {
                let count = buffer.len().min(length - done);
                match fill(done, &mut buffer[..count]) {
                    Ok(()) => (count, Ok(count)),
                    Err(error) => (0, Err(error)),
                }
            });
            match taken {
                Ok(Ok(0)) | Err(_) => break,
                Ok(count) => done += count?,
            }
        }
        Ok(done)
    }

    /// Takes up to `length` received bytes out: `drain` gets an offset and the bytes. Returns how
    /// many were taken.
    ///
    /// # Errors
    /// Of `drain`; what it has taken before then is gone.
    pub(crate) fn read<E>(
        &mut self,
        length: usize,
        mut drain: impl FnMut(usize, &[u8]) -> Result<(), E>,
    ) -> Result<usize, E> {
        let mut done = 0;
        while done < length {
            let taken = self.tcp_mut().recv(|buffer| {
                let count = buffer.len().min(length - done);
                match drain(done, &buffer[..count]) {
                    Ok(()) => (count, Ok(count)),
                    Err(error) => (0, Err(error)),
                }
            });
            match taken {
                Ok(Ok(0)) | Err(_) => break,
                Ok(count) => done += count?,
            }
        }
        Ok(done)
    }

    /// Ends the outgoing stream: a FIN follows what is to be sent.
    pub(crate) fn close(&mut self) {
        self.tcp_mut().close();
    }

    /// Ends the connection with a reset, which leaves with the next turn.
    pub(crate) fn abort(&mut self) {
        self.tcp_mut().abort();
    }

    fn peer(&self) -> Option<Ipv4Addr> {
        let IpAddress::Ipv4(address) = self.tcp().remote_endpoint()?.addr;
        Some(address)
    }
}

/// smoltcp's interface, fed with one packet and one socket at a time.
pub(crate) struct Engine {
    iface: Box<Interface>,
    capabilities: DeviceCapabilities,
    address: Ipv4Addr,
    prefix: u8,
    gateway: Option<Ipv4Addr>,
    /// Random numbers that a new interface takes for itself. That depends on smoltcp's features,
    /// which are more when it is built together with other users.
    draws: u32,
}

impl Engine {
    /// `config` has been checked.
    pub(crate) fn new(config: &Config) -> Self {
        let capabilities = capabilities(Offload::default(), LINK_MTU);
        let mut engine = Engine {
            iface: Box::new(build(0, &capabilities)),
            capabilities,
            address: config.address,
            prefix: config.prefix,
            gateway: config.gateway,
            draws: 0,
        };
        engine.draws = (0..4)
            .find(|&draws| engine.takes(0x1234_5678, draws))
            .unwrap_or(0);
        engine
    }

    /// The device does other things than before.
    pub(crate) fn set_offload(&mut self, offload: Offload) {
        self.capabilities = capabilities(offload, self.capabilities.max_transmission_unit);
        self.renew(0);
    }

    /// What is to be checked of received segments.
    pub(crate) fn checksums(&self) -> &ChecksumCapabilities {
        &self.capabilities.checksum
    }

    /// Makes the interface anew, with this seed for its random numbers.
    fn renew(&mut self, seed: u64) {
        *self.iface = build(seed, &self.capabilities);
        let cidr = IpCidr::Ipv4(Ipv4Cidr::new(self.address, self.prefix));
        // Both lists have room: they were empty.
        self.iface.update_ip_addrs(|list| {
            let _ = list.push(cidr);
        });
        if let Some(gateway) = self.gateway {
            let _ = self.iface.routes_mut().add_default_ipv4_route(gateway);
        }
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
        let buffer = || SocketBuffer::new(&mut [][..]);
        let mut storage = [SocketStorage::EMPTY];
        let mut set = SocketSet::new(&mut storage[..]);
        let handle = set.add(tcp::Socket::new(buffer(), buffer()));
        let own = (self.address, 1);
        let socket = set.get_mut::<tcp::Socket>(handle);
        self.renew(seed_for(number, draws));
        let _ = socket.connect(self.iface.context(), own, own);
        let mut syn = device::Number(0);
        self.wire(
            None,
            Instant::ZERO,
            &mut set,
            &mut syn,
            NOWHERE,
            &mut Counters::default(),
        );
        syn.0 == number
    }

    /// Starts an attempt to connect a closed socket, with this first sequence number.
    pub(crate) fn connect(&mut self, socket: &mut Socket, tuple: &Tuple, iss: u32) -> bool {
        self.renew(seed_for(iss, self.draws));
        let remote = IpEndpoint::new(IpAddress::Ipv4(tuple.remote.0), tuple.remote.1);
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
            now
        };
        self.inject(socket, syn, &half_open.tuple, now);
        let (nowhere, uncounted) = (&mut device::Nowhere, &mut Counters::default());
        self.wire(None, sent, &mut socket.set, nowhere, NOWHERE, uncounted);
        socket.state() == State::SynReceived
    }

    /// Gives a socket a segment of our own making, as if its peer had sent it. What it answers goes
    /// nowhere.
    pub(crate) fn inject(
        &mut self,
        socket: &mut Socket,
        segment: ControlSegment,
        tuple: &Tuple,
        now: Instant,
    ) {
        let mut buffer = ControlSegment::buffer();
        let packet = segment.emit_as_peer(tuple, &mut buffer);
        let (nowhere, uncounted) = (&mut device::Nowhere, &mut Counters::default());
        self.wire(
            Some(packet),
            now,
            &mut socket.set,
            nowhere,
            NOWHERE,
            uncounted,
        );
    }

    /// Gives a received segment to a socket. What it answers goes to the Ethernet address `sender`.
    pub(crate) fn ingress<T: TxQueue>(
        &mut self,
        socket: &mut Socket,
        packet: &[u8],
        sender: [u8; 6],
        net: &mut Network,
        tx: &mut T,
    ) -> Sent {
        net.counters.socket_visits += 1;
        let (now, hop) = (net.now(), net.hop_to(sender));
        self.wire(
            Some(packet),
            now,
            &mut socket.set,
            tx,
            (hop, None),
            &mut net.counters,
        )
        .1
    }

    /// Lets a socket send one segment, if its next hop is known. Returns whether it did, and what
    /// left.
    pub(crate) fn egress<T: TxQueue>(
        &mut self,
        socket: &mut Socket,
        net: &mut Network,
        tx: &mut T,
    ) -> (bool, Sent) {
        net.counters.socket_visits += 1;
        let next_hop = |to| Some((to, net.next_hop(to)?));
        let Some((to, next_hop)) = socket.peer().and_then(next_hop) else {
            return (false, Sent::default());
        };
        let Some(hop) = net.hop(next_hop) else {
            let sent = Sent {
                unresolved: Some(next_hop),
                ..Sent::default()
            };
            return (false, sent);
        };
        let path = net.path(to);
        self.use_mtu(path.mtu);
        let ident = path.may_fragment.then(|| net.next_ident(to));
        let (now, counters) = (net.now(), &mut net.counters);
        let result = self.wire(None, now, &mut socket.set, tx, (hop, ident), counters);
        net.send_probe(tx);
        result
    }

    /// When a socket wants to be looked at again; `None` if only for a packet.
    pub(crate) fn poll_at(&mut self, socket: &Socket, now: Instant) -> Option<Instant> {
        self.iface.poll_at(fast(now), &socket.set).map(slow)
    }

    /// One packet in, if there is one, or one out.
    fn wire<T: TxQueue>(
        &mut self,
        packet: Option<&[u8]>,
        now: Instant,
        set: &mut SocketSet<'_>,
        tx: &mut T,
        (hop, ident): (Hop, Option<u16>),
        counters: &mut Counters,
    ) -> (bool, Sent) {
        let mut wire = Wire {
            packet,
            tx,
            hop,
            ident,
            capabilities: &self.capabilities,
            counters,
            sent: Sent::default(),
        };
        let now = fast(now);
        let progress = if packet.is_some() {
            self.iface.poll_ingress_single(now, &mut wire, set);
            true
        } else {
            self.iface.poll_egress(now, &mut wire, set) == PollResult::SocketStateChanged
        };
        (progress, wire.sent)
    }
}

/// The way of frames that [`device::Nowhere`] takes.
const NOWHERE: (Hop, Option<u16>) = (
    Hop {
        source: [0; 6],
        destination: [0; 6],
    },
    None,
);

fn local(tuple: &Tuple) -> IpListenEndpoint {
    IpListenEndpoint {
        addr: Some(IpAddress::Ipv4(tuple.local.0)),
        port: tuple.local.1,
    }
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

/// Not inlined: with the features that tests need, its frame holds large buffers.
#[inline(never)]
fn build(seed: u64, capabilities: &DeviceCapabilities) -> Interface {
    let mut config = iface::Config::new(HardwareAddress::Ip);
    config.random_seed = seed;
    let mut wire = Wire {
        packet: None,
        tx: &mut device::Nowhere,
        hop: NOWHERE.0,
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
    use seed::is_rare;

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
        let mut engine = Engine::new(&config);
        assert_eq!(engine.draws, 1);
        let rare = (0..400_000).filter(|&number| is_rare(number));
        for number in rare.chain([0, 1, u32::MAX, 1 << 31]) {
            assert!(engine.takes(number, 1), "{number}");
        }
    }
}
