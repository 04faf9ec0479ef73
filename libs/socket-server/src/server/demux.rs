// SPDX-License-Identifier: BSD-2-Clause

//! From a received frame to its socket.

use core::net::Ipv4Addr;

use smoltcp::wire::IpProtocol;
use socket_proto::{Errno, SocketKind};

use super::Server;
use super::connections::Cause;
use crate::frame::{Class, Content, Part, Unreachable, classify};
use crate::link::TxQueue;
use crate::tcp::Owner;
use crate::window::Window;

impl<W: Window> Server<W> {
    /// Handles one frame.
    pub(super) fn ingress<T: TxQueue>(&mut self, frame: &[u8], tx: &mut T) {
        self.counters.rx_frames += 1;
        self.counters.rx_bytes += frame.len() as u64;
        match classify(frame, self.stack.address()) {
            Class::Drop => self.counters.drops_malformed += 1,
            Class::Arp { answer } => {
                self.give_nobody(frame, tx);
                if let Some((address, mac)) = answer {
                    self.neighbour_answered(address, mac);
                }
            }
            Class::Ipv4 { part, content } => {
                let now = self.stack.now();
                let content = match part {
                    Part::Whole => content,
                    Part::First(key) => {
                        self.fragments.remember(key, content, now);
                        content
                    }
                    Part::Later(key) => self.fragments.recall(key, now).unwrap_or(content),
                };
                self.deliver(frame, part == Part::Whole, content, tx);
            }
        }
    }

    fn deliver<T: TxQueue>(&mut self, frame: &[u8], whole: bool, content: Content, tx: &mut T) {
        match content {
            Content::Tcp { tuple, opens } => {
                let opens = opens && whole;
                let known = self.tuples.get(&tuple).map(|index| index as usize);
                match known {
                    Some(index) if opens && self.tcp.get(index).owner == Owner::TimeWait => {
                        // A new connection between the same ends (RFC 1122 section 4.2.2.13): the old one has nothing to lose.
                        self.retire(index);
                        self.request_to_open(frame, tuple, tx);
                    }
                    Some(index) => self.segment(frame, index, tx),
                    None if opens => self.request_to_open(frame, tuple, tx),
                    None => {
                        self.counters.drops_no_socket += u64::from(whole);
                        self.give_nobody(frame, tx);
                    }
                }
            }
            Content::Udp { remote, local } => self.datagram(frame, whole, remote, local, tx),
            Content::Unreachable(unreachable) => self.undelivered(unreachable),
            Content::Other { echo } => {
                let replies = self.give_nobody(frame, tx);
                if echo && replies > 0 {
                    self.counters.icmp_echo_replies += 1;
                }
            }
            Content::Unknown => {
                self.give_nobody(frame, tx);
            }
        }
    }

    /// Lets smoltcp answer what is for no socket.
    pub(super) fn give_nobody<T: TxQueue>(&mut self, frame: &[u8], tx: &mut T) -> u32 {
        let sent = self.stack.ingress(frame, tx, None, &mut self.counters);
        sent.packets
    }

    fn segment<T: TxQueue>(&mut self, frame: &[u8], index: usize, tx: &mut T) {
        let connection = self.tcp.get_mut(index);
        let set = Some(&mut connection.set);
        let sent = self.stack.ingress(frame, tx, set, &mut self.counters);
        connection.reached |= sent.packets > 0;
        self.settle(index, Cause::Packet);
        self.dirty.push(index);
    }

    fn datagram<T: TxQueue>(
        &mut self,
        frame: &[u8],
        whole: bool,
        remote: (Ipv4Addr, u16),
        (address, port): (Ipv4Addr, u16),
        tx: &mut T,
    ) {
        let own = self.stack.address();
        let broadcast = self.stack.is_broadcast(address) || address.is_multicast();
        let found = self
            .ports
            .get(SocketKind::Datagram, port)
            .and_then(|owner| {
                let client = self.clients.get_mut(usize::from(owner.client))?.as_mut()?;
                let datagram = client.datagram_mut(usize::from(owner.slot))?;
                // A connected socket hears its peer only.
                let heard = datagram.remote.is_none_or(|peer| peer == remote);
                let addressed = address == own || broadcast;
                (heard && addressed).then_some((owner, datagram.index))
            });
        let Some((owner, index)) = found else {
            self.counters.drops_no_socket += u64::from(whole);
            // Answers nothing to what went to a group.
            self.give_nobody(frame, tx);
            return;
        };
        let udp = self.udp.get_mut(index);
        let before = udp.socket().recv_queue();
        let empty = !udp.socket().can_recv();
        let set = Some(&mut udp.set);
        self.stack.ingress(frame, tx, set, &mut self.counters);
        let socket = udp.socket();
        // A datagram without bytes does not show in the queue's length; it is not worth more than that.
        if whole && !empty && socket.recv_queue() == before {
            self.counters.drops_socket_full += 1;
        }
        self.refresh(owner);
    }

    /// A router or the destination says that a packet of ours did not arrive (RFC 792). Believed for connection attempts, which
    /// then fail, and for connected datagram sockets; established connections carry on (RFC 1122 section 4.2.3.9).
    fn undelivered(&mut self, unreachable: Unreachable) {
        let errno = match unreachable.code {
            0 | 6 | 11 => Errno::ENETUNREACH,
            2 | 3 => Errno::ECONNREFUSED,
            _ => Errno::EHOSTUNREACH,
        };
        match unreachable.protocol {
            IpProtocol::Tcp => {
                if let Some(index) = self.tuples.get(&unreachable.tuple)
                    && self.tcp.get(index as usize).connecting
                {
                    self.attempt_failed(index as usize, errno);
                }
            }
            IpProtocol::Udp => {
                let port = unreachable.tuple.local.1;
                if let Some(owner) = self.ports.get(SocketKind::Datagram, port)
                    && let Some(Some(client)) = self.clients.get_mut(usize::from(owner.client))
                    && let Some(datagram) = client.datagram_mut(usize::from(owner.slot))
                    && datagram.remote == Some(unreachable.tuple.remote)
                {
                    datagram.error = Some(errno);
                    self.refresh(owner);
                }
            }
            _ => {}
        }
    }
}
