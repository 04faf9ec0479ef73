// SPDX-License-Identifier: BSD-2-Clause
//! A guest on the host: smoltcp with an echo service at the other end of the cable.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::thread;
use std::time::Duration;

use smoltcp::iface::{Config, Interface, SocketSet};
use smoltcp::phy::{
    Checksum, ChecksumCapabilities, Device, DeviceCapabilities, Medium, RxToken, TxToken,
};
use smoltcp::socket::{tcp, udp};
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, IpCidr, IpEndpoint};

use super::{GATEWAY_IP, GUEST_IP};

const MAC: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 15]);
const ECHO: u16 = 7;
const CONNECTIONS: usize = 8;

/// What the stack does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It does nothing.
    None,
    /// It takes whatever has a wrong checksum.
    IgnoresChecksums,
}

/// Starts the guest; it ends with the process.
pub fn start(port: u16, peer: u16, flaw: Flaw) -> io::Result<()> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, port))?;
    socket.set_read_timeout(Some(Duration::from_millis(1)))?;
    let peer = (Ipv4Addr::LOCALHOST, peer).into();
    thread::spawn(move || run(&mut Cable { socket, peer, flaw }));
    Ok(())
}

fn run(cable: &mut Cable) {
    let mut interface = Interface::new(Config::new(MAC.into()), cable, Instant::now());
    interface.update_ip_addrs(|addresses| {
        addresses.push(IpCidr::new(GUEST_IP.into(), 24)).unwrap();
    });
    let mut sockets = SocketSet::new(Vec::new());
    let metadata = || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; 64], vec![0; 65536]);
    let mut socket = udp::Socket::new(metadata(), metadata());
    socket.bind(ECHO).unwrap();
    // The gateway's address has to be asked for to send this: that is the probe.
    let gateway = IpEndpoint::new(GATEWAY_IP.into(), 9);
    socket.send_slice(b"hello", gateway).unwrap();
    let datagrams = sockets.add(socket);
    let streams: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let buffer = || tcp::SocketBuffer::new(vec![0; 4096]);
            sockets.add(tcp::Socket::new(buffer(), buffer()))
        })
        .collect();
    loop {
        interface.poll(Instant::now(), cable, &mut sockets);
        let socket = sockets.get_mut::<udp::Socket<'_>>(datagrams);
        while let Ok((data, from)) = socket.recv().map(|(data, from)| (data.to_vec(), from)) {
            let _ = socket.send_slice(&data, from.endpoint);
        }
        for handle in &streams {
            let socket = sockets.get_mut::<tcp::Socket<'_>>(*handle);
            if !socket.is_open() {
                socket.listen(ECHO).unwrap();
            }
            if socket.can_recv() && socket.can_send() {
                let data = socket.recv(|data| (data.len(), data.to_vec())).unwrap();
                let _ = socket.send_slice(&data);
            }
        }
    }
}

struct Cable {
    socket: UdpSocket,
    peer: SocketAddr,
    flaw: Flaw,
}

struct Received(Vec<u8>);
struct Sender<'c>(&'c Cable);

impl RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

impl TxToken for Sender<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut frame = vec![0; len];
        let result = f(&mut frame);
        let _ = self.0.socket.send_to(&frame, self.0.peer);
        result
    }
}

impl Device for Cable {
    type RxToken<'a> = Received;
    type TxToken<'a> = Sender<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Received, Sender<'_>)> {
        let mut buffer = [0; 65536];
        let n = self.socket.recv(&mut buffer).ok()?;
        // As QEMU does: a frame for another address does not reach the guest.
        let for_us = buffer.starts_with(&MAC.0) || buffer.starts_with(&[0xff; 6]);
        if n < 14 || !for_us {
            return None;
        }
        Some((Received(buffer[..n].to_vec()), Sender(self)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Sender<'_>> {
        Some(Sender(self))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = 1514;
        if self.flaw == Flaw::IgnoresChecksums {
            let mut checksums = ChecksumCapabilities::ignored();
            checksums.ipv4 = Checksum::Tx;
            checksums.udp = Checksum::Tx;
            checksums.tcp = Checksum::Tx;
            checksums.icmpv4 = Checksum::Tx;
            capabilities.checksum = checksums;
        }
        capabilities
    }
}
