// SPDX-License-Identifier: BSD-2-Clause

//! smoltcp's interface, fed with one packet and one socket at a time.

use alloc::boxed::Box;
use core::net::Ipv4Addr;

use smoltcp::iface::{self, Interface, PollResult, SocketSet};
use smoltcp::phy::{Checksum, ChecksumCapabilities, DeviceCapabilities, Medium};
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{EthernetAddress, IpCidr, Ipv4Cidr};

use crate::config::{Config, in_network};
use crate::counters::Counters;
use crate::device::{Sent, Wire};
use crate::link::{FRAME_MAX, Offload, TxQueue};

/// How long fragments wait for the rest. RFC 791 proposes 15 seconds; few buffers are a reason not to wait longer.
pub(crate) const REASSEMBLY: Duration = Duration::from_secs(15);

/// How long smoltcp lets a socket rest whose next hop's address is not known.
const NEIGHBOUR_REST: Duration = Duration::from_secs(1);

/// Before the driver has told its address: a locally administered one.
const NO_MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0];

/// The interface and what belongs to it.
pub(crate) struct Stack {
    /// Large: it has the buffers for fragments inside.
    iface: Box<Interface>,
    capabilities: DeviceCapabilities,
    offload: Offload,
    /// No sockets: whatever is not for one goes here, and smoltcp answers with a reset, an ICMP error, an echo reply or not.
    nobody: SocketSet<'static>,
    address: Ipv4Addr,
    prefix: u8,
    gateway: Option<Ipv4Addr>,
    seed: u64,
    mac: [u8; 6],
    now: Instant,
}

fn capabilities(offload: Offload) -> DeviceCapabilities {
    let checksum = match (offload.rx_checksum, offload.tx_checksum) {
        (false, false) => Checksum::Both,
        (false, true) => Checksum::Rx,
        (true, false) => Checksum::Tx,
        (true, true) => Checksum::None,
    };
    let mut checksums = ChecksumCapabilities::default();
    checksums.tcp = checksum;
    checksums.udp = checksum;
    let mut capabilities = DeviceCapabilities::default();
    capabilities.medium = Medium::Ethernet;
    capabilities.max_transmission_unit = FRAME_MAX;
    capabilities.checksum = checksums;
    capabilities
}

/// A device without packets, for the constructor.
struct NoTx;

impl TxQueue for NoTx {
    fn free(&mut self) -> usize {
        0
    }

    fn send<R>(&mut self, _: usize, _: impl FnOnce(&mut [u8]) -> R) -> Option<R> {
        None
    }
}

impl Stack {
    /// `config` has been checked.
    pub(crate) fn new(config: &Config) -> Self {
        let offload = Offload::default();
        let capabilities = capabilities(offload);
        let iface = build(config_of(NO_MAC, config.seed(0)), &capabilities);
        let mut stack = Stack {
            iface,
            capabilities,
            offload,
            nobody: SocketSet::new(&mut [][..]),
            address: config.address,
            prefix: config.prefix,
            gateway: config.gateway,
            seed: config.seed(0),
            mac: NO_MAC,
            now: Instant::ZERO,
        };
        stack.set_addresses();
        stack
    }

    /// The driver has started: its Ethernet address, and what the device does. The address has been checked.
    pub(crate) fn set_device(&mut self, mac: [u8; 6], offload: Offload) {
        self.mac = mac;
        if offload != self.offload {
            self.offload = offload;
            self.capabilities = capabilities(offload);
            self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005) | 1;
            self.iface = build(config_of(mac, self.seed), &self.capabilities);
            self.set_addresses();
        }
        self.iface.set_hardware_addr(EthernetAddress(mac).into());
    }

    fn set_addresses(&mut self) {
        let cidr = IpCidr::Ipv4(Ipv4Cidr::new(self.address, self.prefix));
        // Both lists have room: they were empty.
        self.iface.update_ip_addrs(|list| {
            let _ = list.push(cidr);
        });
        if let Some(gateway) = self.gateway {
            let _ = self.iface.routes_mut().add_default_ipv4_route(gateway);
        }
        self.iface.set_reassembly_timeout(REASSEMBLY);
    }

    pub(crate) fn address(&self) -> Ipv4Addr {
        self.address
    }

    pub(crate) fn gateway(&self) -> Option<Ipv4Addr> {
        self.gateway
    }

    pub(crate) fn mac(&self) -> [u8; 6] {
        self.mac
    }

    pub(crate) fn now(&self) -> Instant {
        self.now
    }

    pub(crate) fn set_now(&mut self, now: Instant) {
        // A clock that runs backwards would upset timers further down.
        self.now = self.now.max(now);
    }

    /// The context that smoltcp's `connect` wants.
    pub(crate) fn context(&mut self) -> &mut iface::Context {
        self.iface.context()
    }

    /// The highest address of the network, which means all of its hosts.
    fn directed_broadcast(&self) -> Option<Ipv4Addr> {
        let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix))?;
        (self.prefix < 31).then(|| Ipv4Addr::from_bits(self.address.to_bits() | !mask))
    }

    /// Whether packets can be sent to that one host: there is a route, and it is neither a group nor this machine.
    pub(crate) fn can_reach(&self, to: Ipv4Addr) -> bool {
        let group = to.is_multicast() || to.is_broadcast() || Some(to) == self.directed_broadcast();
        let host = !group && !to.is_unspecified() && !to.is_loopback() && to != self.address;
        host && (self.gateway.is_some() || in_network(self.address, self.prefix, to))
    }

    /// Whose Ethernet address a packet to this host needs.
    pub(crate) fn next_hop(&self, to: Ipv4Addr) -> Option<Ipv4Addr> {
        if in_network(self.address, self.prefix, to) {
            Some(to)
        } else {
            self.gateway
        }
    }

    /// Whether an address means this machine and others.
    pub(crate) fn is_broadcast(&self, to: Ipv4Addr) -> bool {
        to.is_broadcast() || Some(to) == self.directed_broadcast()
    }

    /// Gives a received frame to one socket, or to none. Answers how many packets smoltcp sent in reply.
    pub(crate) fn ingress<T: TxQueue>(
        &mut self,
        frame: &[u8],
        tx: &mut T,
        set: Option<&mut SocketSet<'static>>,
        counters: &mut Counters,
    ) -> Sent {
        if set.is_some() {
            counters.socket_visits += 1;
        }
        let mut wire = Wire {
            frame: Some(frame),
            tx,
            capabilities: &self.capabilities,
            counters,
            sent: Sent::default(),
        };
        let set = set.unwrap_or(&mut self.nobody);
        self.iface.poll_ingress_single(self.now, &mut wire, set);
        let sent = wire.sent;
        self.finish_fragments(tx, counters);
        sent
    }

    /// Lets one socket send one packet. Answers whether it did, and what left.
    pub(crate) fn egress<T: TxQueue>(
        &mut self,
        tx: &mut T,
        set: &mut SocketSet<'static>,
        counters: &mut Counters,
    ) -> (bool, Sent) {
        counters.socket_visits += 1;
        let mut wire = Wire {
            frame: None,
            tx,
            capabilities: &self.capabilities,
            counters,
            sent: Sent::default(),
        };
        let result = self.iface.poll_egress(self.now, &mut wire, set);
        let sent = wire.sent;
        self.finish_fragments(tx, counters);
        (result == PollResult::SocketStateChanged, sent)
    }

    /// Sends the rest of a packet that had to be cut up. smoltcp keeps one such packet, and the next would overwrite it; so
    /// it must be gone before anything else is sent. Callers see to it that there are buffers ([`Self::FRAGMENT_RESERVE`]).
    fn finish_fragments<T: TxQueue>(&mut self, tx: &mut T, counters: &mut Counters) {
        for _ in 0..Self::FRAGMENT_RESERVE {
            // Without sockets, this says whether there are fragments to send.
            if self.iface.poll_at(self.now, &self.nobody).is_none() {
                break;
            }
            let mut wire = Wire {
                frame: None,
                tx: &mut *tx,
                capabilities: &self.capabilities,
                counters: &mut *counters,
                sent: Sent::default(),
            };
            self.iface
                .poll_egress(self.now, &mut wire, &mut self.nobody);
        }
    }

    /// Transmit buffers that the largest packet needs in fragments: 65,535 bytes in pieces of 1,480, and a few more.
    pub(crate) const FRAGMENT_RESERVE: usize = 48;

    /// Whether a socket, for which [`Self::egress`] has just done nothing, waits for its next hop's address: smoltcp does not say so, but
    /// lets such a socket rest for that long.
    pub(crate) fn lacks_neighbour(&mut self, set: &SocketSet<'static>) -> bool {
        self.poll_at(set) == Some(self.now + NEIGHBOUR_REST)
    }

    /// When this socket wants to be looked at again; `None` if only for a packet.
    pub(crate) fn poll_at(&mut self, set: &SocketSet<'static>) -> Option<Instant> {
        self.iface.poll_at(self.now, set)
    }
}

fn config_of(mac: [u8; 6], seed: u64) -> iface::Config {
    let mut config = iface::Config::new(EthernetAddress(mac).into());
    config.random_seed = seed;
    config
}

/// Not inlined: its frame holds an interface with all of its buffers, and would become that of the event loop.
#[inline(never)]
fn build(config: iface::Config, capabilities: &DeviceCapabilities) -> Box<Interface> {
    let mut wire = Wire {
        frame: None,
        tx: &mut NoTx,
        capabilities,
        counters: &mut Counters::default(),
        sent: Sent::default(),
    };
    Box::new(Interface::new(config, &mut wire, Instant::ZERO))
}
