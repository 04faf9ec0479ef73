// SPDX-License-Identifier: BSD-2-Clause

//! The other machine: smoltcp as it is meant to be used, all sockets in one set.

use smoltcp::iface::{self, Interface, SocketHandle, SocketSet, SocketStorage};
use smoltcp::phy::{self, DeviceCapabilities};
use smoltcp::socket::{tcp, udp};
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, IpAddress, IpCidr, IpEndpoint, Ipv4Cidr, Ipv6Cidr};

use crate::{Medium, PEER_IP, PEER_IP6, PEER_MAC, SERVER, SERVER_IP};

struct Device(Medium);

struct Rx(Vec<u8>);

struct Tx(Medium);

impl phy::RxToken for Rx {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

impl phy::TxToken for Tx {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let mut frame = vec![0; length];
        let result = f(&mut frame);
        self.0.transmit(SERVER, frame);
        result
    }
}

impl phy::Device for Device {
    type RxToken<'a> = Rx;
    type TxToken<'a> = Tx;

    fn receive(&mut self, _: Instant) -> Option<(Rx, Tx)> {
        let frame = self.0.receive(1)?;
        Some((Rx(frame), Tx(self.0.clone())))
    }

    fn transmit(&mut self, _: Instant) -> Option<Tx> {
        Some(Tx(self.0.clone()))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.max_transmission_unit = socket_server::FRAME_MAX;
        capabilities
    }
}

/// The peer.
pub struct Peer {
    iface: Box<Interface>,
    device: Device,
    sockets: SocketSet<'static>,
    next_port: u16,
    /// Bytes of the buffers of sockets to come. They are lent for good, so a test that makes many
    /// worlds wants them small.
    pub buffer: usize,
}

fn instant(now: u64) -> Instant {
    Instant::from_micros((now / 1_000) as i64)
}

impl Peer {
    /// With room for so many sockets.
    pub fn new(medium: &Medium, sockets: usize) -> Peer {
        let mut device = Device(medium.clone());
        let mut config = iface::Config::new(EthernetAddress(PEER_MAC).into());
        config.random_seed = 77;
        let mut iface = Box::new(Interface::new(config, &mut device, Instant::ZERO));
        iface.update_ip_addrs(|list| {
            let cidr = IpCidr::Ipv4(Ipv4Cidr::new(PEER_IP, 24));
            list.push(cidr).expect("room for one address");
            let cidr = IpCidr::Ipv6(Ipv6Cidr::new(PEER_IP6, 64));
            list.push(cidr).expect("room for another");
        });
        let storage: Vec<_> = (0..sockets).map(|_| SocketStorage::EMPTY).collect();
        Peer {
            iface,
            device,
            sockets: SocketSet::new(storage.leak()),
            next_port: 20_000,
            buffer: 1 << 16,
        }
    }

    /// Lets it receive, send and do what is due.
    pub fn poll(&mut self, now: u64) {
        self.iface
            .poll(instant(now), &mut self.device, &mut self.sockets);
    }

    /// When it has something to do, in nanoseconds.
    pub fn poll_at(&mut self, now: u64) -> Option<u64> {
        let at = self.iface.poll_at(instant(now), &self.sockets)?;
        Some(at.total_micros().max(0) as u64 * 1_000)
    }

    fn new_tcp(&mut self) -> SocketHandle {
        let buffer = || tcp::SocketBuffer::new(vec![0; self.buffer].leak());
        let mut socket = tcp::Socket::new(buffer(), buffer());
        socket.set_nagle_enabled(false);
        socket.set_ack_delay(None);
        self.sockets.add(socket)
    }

    /// Starts a connection to the server.
    pub fn connect(&mut self, port: u16) -> SocketHandle {
        self.connect_to(SERVER_IP.into(), port)
    }

    /// Starts a connection to an address of the server.
    pub fn connect_to(&mut self, to: std::net::IpAddr, port: u16) -> SocketHandle {
        let handle = self.new_tcp();
        self.reconnect_to(handle, to.into(), port);
        handle
    }

    /// Uses a closed socket for another connection.
    pub fn reconnect(&mut self, handle: SocketHandle, port: u16) {
        self.reconnect_to(handle, SERVER_IP.into(), port);
    }

    fn reconnect_to(&mut self, handle: SocketHandle, to: IpAddress, port: u16) {
        self.next_port = if self.next_port == 60_000 {
            20_000
        } else {
            self.next_port + 1
        };
        let to = IpEndpoint::new(to, port);
        let socket = self.sockets.get_mut::<tcp::Socket>(handle);
        socket
            .connect(self.iface.context(), to, self.next_port)
            .expect("connect");
    }

    /// A new socket that takes one connection to a port.
    pub fn listen(&mut self, port: u16) -> SocketHandle {
        let handle = self.new_tcp();
        self.tcp(handle).listen(port).expect("listen");
        handle
    }

    /// A stream socket.
    pub fn tcp(&mut self, handle: SocketHandle) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(handle)
    }

    /// A datagram socket.
    pub fn udp(&mut self, handle: SocketHandle) -> &mut udp::Socket<'static> {
        self.sockets.get_mut(handle)
    }

    /// A new datagram socket on a port.
    pub fn bind(&mut self, port: u16) -> SocketHandle {
        let buffer = || {
            udp::PacketBuffer::new(
                vec![udp::PacketMetadata::EMPTY; 64].leak(),
                vec![0; 1 << 17].leak(),
            )
        };
        let mut socket = udp::Socket::new(buffer(), buffer());
        socket.bind(port).expect("bind");
        self.sockets.add(socket)
    }

    /// Sends a datagram to the server.
    pub fn send_to(&mut self, handle: SocketHandle, port: u16, payload: &[u8]) {
        let to = IpEndpoint::new(IpAddress::Ipv4(SERVER_IP), port);
        self.udp(handle)
            .send_slice(payload, to)
            .expect("room for the datagram");
    }

    /// Sends a datagram to an address of the server.
    pub fn send_to_address(
        &mut self,
        handle: SocketHandle,
        to: (std::net::IpAddr, u16),
        payload: &[u8],
    ) {
        let to = IpEndpoint::new(to.0.into(), to.1);
        self.udp(handle)
            .send_slice(payload, to)
            .expect("room for the datagram");
    }

    /// Chooses the local port of the next connection.
    pub fn set_next_port(&mut self, port: u16) {
        self.next_port = port - 1;
    }
}
