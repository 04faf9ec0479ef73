// SPDX-License-Identifier: BSD-2-Clause

//! Groups: sockets join and leave them, and send to them.

use core::net::SocketAddr;

use smoltcp::wire::IpProtocol;
use socket_proto::{CheckedSpan, Errno, Family, SocketKind};

use super::Call;
use super::socket::SCOPE;
use crate::counters::Counter;
use crate::ethernet::Hop;
use crate::frames::TxQueue;
use crate::frames::loopback::SERVER;
use crate::ip::address::Address;
use crate::ip::interface::NextHop;
use crate::ip::output::{Outgoing, UDP, emit_udp, frames_for};
use crate::ip::packet::Tuple;
use crate::protocol::window::Window;
use crate::tables::id::Slot;

impl<W> Call<'_, W> {
    /// `IP_ADD_MEMBERSHIP`, `IPV6_JOIN_GROUP`.
    pub(crate) fn join(&mut self, slot: Slot, addr: SocketAddr) -> Result<(), Errno> {
        let group = self.group(slot, addr)?;
        self.net.join(group, self.id(slot))
    }

    /// `IP_DROP_MEMBERSHIP`, `IPV6_LEAVE_GROUP`.
    pub(crate) fn leave_group(&mut self, slot: Slot, addr: SocketAddr) -> Result<(), Errno> {
        let group = self.group(slot, addr)?;
        self.net.leave(group, self.id(slot))
    }

    /// Where a socket's datagrams to a group come from, and where they go next.
    #[cold]
    pub(super) fn way_to_group(
        &self,
        from: Option<Address>,
        to: Address,
    ) -> Result<(Address, NextHop), Errno> {
        match self.account.limits.multicast {
            true => self.net.way_to_group(from, to),
            false => Err(Errno::EACCES),
        }
    }

    /// Reads the group that a socket is to join or to leave. Errors are Linux's.
    fn group(&self, slot: Slot, addr: SocketAddr) -> Result<Address, Errno> {
        let socket = self.account.socket(slot).ok_or(Errno::EBADF)?;
        if !self.account.limits.multicast {
            return Err(Errno::EACCES);
        }
        if socket.kind() == SocketKind::Stream {
            return Err(Errno::EPROTO);
        }
        let (group, interface) = match addr {
            SocketAddr::V4(v4) => (Address::v4(*v4.ip()), v4.port().into()),
            SocketAddr::V6(_) if socket.family == Family::Inet => return Err(Errno::ENOPROTOOPT),
            SocketAddr::V6(v6) => (Address::v6(*v6.ip()), v6.scope_id()),
        };
        if !group.is_multicast() {
            return Err(Errno::EINVAL);
        }
        let on_link = group.is_v4() || self.net.link6.enabled;
        match interface {
            0 | SCOPE if on_link => Ok(group),
            _ => Err(Errno::ENODEV),
        }
    }
}

impl<W: Window> Call<'_, W> {
    /// Sends a datagram to a group: its payload has so many bytes, from `place` on.
    #[cold]
    pub(super) fn send_to_group<T: TxQueue>(
        &mut self,
        slot: Slot,
        (span, at): (CheckedSpan, usize),
        tuple: Tuple,
        length: usize,
        tx: &mut T,
    ) -> Result<(), Errno> {
        // Out of the network for as long as it is written and read.
        let mut scratch = core::mem::take(&mut self.net.scratch);
        let datagram = &mut scratch[..UDP + length];
        let (window, start) = (&self.account.window, span.start() + at);
        let read = window.read(span.half(), start, &mut datagram[UDP..]);
        let sent = match read {
            Ok(()) => {
                emit_udp(datagram, &tuple, true);
                self.spread(slot, tuple, datagram, tx)
            }
            Err(_) => Err(Errno::EFAULT),
        };
        self.net.scratch = scratch;
        sent?;
        self.net.stats.inc(Counter::CopiesFromClient);
        self.net.stats.add(Counter::CopiedFromClient, length as u64);
        Ok(())
    }

    /// Sends a datagram to the hosts of the link, and to this machine if the socket wants that.
    fn spread<T: TxQueue>(
        &mut self,
        slot: Slot,
        tuple: Tuple,
        datagram: &[u8],
        tx: &mut T,
    ) -> Result<(), Errno> {
        let group = tuple.remote.0;
        let options = self.account.socket_mut(slot)?.options;
        let outgoing = Outgoing {
            tuple,
            marks: options.marks_to(group),
            protocol: IpProtocol::Udp,
            length: datagram.len() - UDP,
        };
        let frames = frames_for(group, datagram.len(), self.net.path(group).mtu);
        if outgoing.marks.time_to_live > 0 {
            let next_hop = NextHop::Group(group);
            self.check_room(slot, next_hop, frames, tx)?;
            // The Ethernet address of a group is known.
            let hop = self.net.hop(next_hop).map_err(|_| Errno::EHOSTUNREACH)?;
            let sent = self.net.send_datagram(hop, &outgoing, datagram, tx);
            self.schedule.note_sent(self.client, self.net, tx);
            sent.ok_or(Errno::EAGAIN)?;
        }
        let heard = options.loops_to(group) && self.net.groups.hears(group);
        if heard && self.net.loopback.room(self.client) >= frames {
            self.net.loopback.set_sender(self.client);
            // There is room for it.
            let _ = self
                .net
                .send_datagram(Hop::Loopback, &outgoing, datagram, tx);
            self.net.loopback.set_sender(SERVER);
        }
        Ok(())
    }
}
