// SPDX-License-Identifier: BSD-2-Clause

//! Datagram sockets. One call moves as many datagrams as fit, up to a limit.

use core::net::SocketAddr;

use smoltcp::wire::IpProtocol;
use socket_proto::datagram::{HEADER_SIZE, MAX_PAYLOAD, stride};
use socket_proto::layouts::Layout;
use socket_proto::{
    CheckedSpan, DatagramHeader, Errno, Flag, Flags, Protocol, Received, Sent, Shutdown, Span,
};

use super::socket::{Datagram, Role, words};
use super::{Call, destination};
use crate::accounts::ports::Local;
use crate::counters::Counter;
use crate::frames::TxQueue;
use crate::frames::loopback::SERVER;
use crate::ip::address::Address;
use crate::ip::interface::NextHop;
use crate::ip::output::{Outgoing, UDP, frames_for};
use crate::ip::packet::{Endpoint, Tuple};
use crate::protocol::window::Window;
use crate::tables::id::Slot;
use crate::transport::connection::Settings;

/// Datagrams moved by one call at most: the work of a call is bounded.
const BATCH: u64 = 64;

impl<W: Window> Call<'_, W> {
    pub(super) fn datagram_mut(&mut self, slot: Slot) -> Result<&mut Datagram, Errno> {
        match &mut self.account.socket_mut(slot)?.role {
            Role::Datagram(datagram) => Ok(datagram),
            _ => Err(Errno::EBADF),
        }
    }

    /// What has gone wrong with a socket is told once.
    fn take_error(&mut self, slot: Slot) -> Result<(), Errno> {
        match self.account.socket_mut(slot)?.error.take() {
            Some(errno) => {
                self.refresh(slot);
                Err(errno)
            }
            None => Ok(()),
        }
    }

    /// Sending binds, if nobody did before.
    fn autobind(&mut self, slot: Slot) -> Result<Local, Errno> {
        let socket = self.account.socket_mut(slot)?;
        match socket.local {
            Some(local) => Ok(local),
            None => {
                let families = socket.families();
                self.bind_ephemeral(slot, None, families, None)
            }
        }
    }

    /// Where a socket's datagrams to an address come from, and where they go next.
    pub(super) fn way(&mut self, slot: Slot, to: Address) -> Result<(Address, NextHop), Errno> {
        let socket = self.account.socket_mut(slot)?;
        let Role::Datagram(datagram) = &socket.role else {
            return Err(Errno::EBADF);
        };
        let from = match socket.local.and_then(|local| local.address) {
            // It is no source.
            Some(group) if group.is_multicast() => datagram.source,
            bound => bound.or(datagram.source),
        };
        let broadcast = socket.options.broadcast;
        let way = match self.net.way(from, to) {
            Err(Errno::ENETUNREACH) if to.is_multicast() => self.way_to_group(from, to)?,
            way => way?,
        };
        match way {
            (_, NextHop::Everyone) if !broadcast => Err(Errno::EACCES),
            (from, NextHop::Everyone) if from.is_loopback() => Err(Errno::EINVAL),
            _ => Ok(way),
        }
    }

    /// `connect`: no packet is sent.
    pub(crate) fn connect_datagram(&mut self, slot: Slot, to: SocketAddr) -> Result<(), Errno> {
        let remote = destination(self.account.socket_mut(slot)?, &to)?;
        let protocol = self.datagram_mut(slot)?.protocol;
        self.account.check_reach(protocol, remote)?;
        let (source, _) = self.way(slot, remote.0)?;
        self.autobind(slot)?;
        let datagram = self.datagram_mut(slot)?;
        datagram.remote = Some(remote);
        datagram.source = Some(source);
        self.refresh(slot);
        Ok(())
    }

    /// `connect` with `AF_UNSPEC`: the socket hears everyone again.
    pub(crate) fn dissolve_datagram(&mut self, slot: Slot) -> Result<(), Errno> {
        let datagram = self.datagram_mut(slot)?;
        datagram.remote = None;
        datagram.source = None;
        self.release_chosen_port(slot);
        self.refresh(slot);
        Ok(())
    }

    /// `shutdown`.
    pub(crate) fn shutdown_datagram(&mut self, slot: Slot, how: Shutdown) -> Result<(), Errno> {
        let connected = self.datagram_mut(slot)?.remote.is_some();
        let socket = self.account.socket_mut(slot)?;
        socket.read_shut |= how.read();
        socket.write_shut |= how.write();
        self.refresh(slot);
        // Without a peer there is an error, but readers are woken, as on Linux.
        if connected {
            Ok(())
        } else {
            Err(Errno::ENOTCONN)
        }
    }

    /// `send`.
    pub(crate) fn send_datagrams<T: TxQueue>(
        &mut self,
        slot: Slot,
        span: Span,
        tx: &mut T,
    ) -> Result<Sent, Errno> {
        let span = self.account.window.sizes().check(span)?;
        self.take_error(slot)?;
        if self.account.socket_mut(slot)?.write_shut {
            return Err(Errno::EPIPE);
        }
        let from = self.autobind(slot)?;
        let socket = self.account.socket_mut(slot)?;
        let (settings, protocol) = (socket.options.settings, socket.protocol());
        let mut count = 0;
        let mut at = 0;
        // A rest that is too short for a header is the end of the batch, not an error, once there
        // was a datagram.
        while count < BATCH && (count == 0 || span.length().saturating_sub(at) >= HEADER_SIZE) {
            let sent = match protocol {
                Protocol::Udp => self.send_next(slot, span, at, from, &settings, tx),
                _ => self.send_message(slot, span, at, from, &settings, tx),
            };
            match sent {
                Ok(next) => at = next,
                Err(errno) if count == 0 => return Err(errno),
                Err(_) => break,
            }
            count += 1;
        }
        Ok(Sent { count, room: 0 })
    }

    /// Sends the datagram that starts `at` bytes into the range. Returns where the next one starts.
    fn send_next<T: TxQueue>(
        &mut self,
        slot: Slot,
        span: CheckedSpan,
        at: usize,
        from: Local,
        settings: &Settings,
        tx: &mut T,
    ) -> Result<usize, Errno> {
        let (length, to) = self.read_header(slot, span, at, Protocol::Udp)?;
        let (source, next_hop) = self.way(slot, to.0)?;
        let most = self.datagram_send.min(settings.send_most as usize);
        if length > most.min(MAX_PAYLOAD) {
            return Err(Errno::EMSGSIZE);
        }
        if let NextHop::Group(_) = next_hop {
            let place = (span, at + HEADER_SIZE);
            let tuple = Tuple {
                local: (source, from.port),
                remote: to,
            };
            self.send_to_group(slot, place, tuple, length, tx)?;
            return Ok(at + stride(length));
        }
        let frames = frames_for(to.0, UDP + length, self.net.path(to.0).mtu);
        self.check_room(slot, next_hop, frames, tx)?;
        let outgoing = Outgoing {
            tuple: Tuple {
                local: (source, from.port),
                remote: to,
            },
            marks: settings.marks_to(to.0),
            protocol: IpProtocol::Udp,
            length,
        };
        let (window, start) = (&self.account.window, span.start() + at + HEADER_SIZE);
        let fill = |into: &mut [u8]| window.read(span.half(), start, into);
        self.net.loopback.set_sender(self.client);
        let sent = match self.net.hop(next_hop) {
            Ok(hop) => self.net.send_filled(hop, &outgoing, tx, fill),
            Err(neighbour) => Some(self.net.hold(neighbour, self.client, outgoing, tx, fill)),
        };
        self.net.loopback.set_sender(SERVER);
        self.schedule.note_sent(self.client, self.net, tx);
        sent.ok_or(Errno::EAGAIN)??;
        self.net.stats.inc(Counter::CopiesFromClient);
        self.net.stats.add(Counter::CopiedFromClient, length as u64);
        Ok(at + stride(length))
    }

    /// Reads the header of the datagram that starts `at` bytes into the range: its length, and
    /// where it goes. The socket is one of this protocol, or of another like it.
    #[inline(always)]
    pub(super) fn read_header(
        &mut self,
        slot: Slot,
        span: CheckedSpan,
        at: usize,
        protocol: Protocol,
    ) -> Result<(usize, Endpoint), Errno> {
        let room = span.length().checked_sub(at + HEADER_SIZE);
        let room = room.ok_or(Errno::EINVAL)?;
        let mut header = DatagramHeader::default();
        self.account
            .window
            .read(span.half(), span.start() + at, header.bytes_mut())?;
        let length = usize::from(header.length);
        if length > room || header.flags != 0 {
            return Err(Errno::EINVAL);
        }
        let to = match header.peer()? {
            Some(to) => {
                let to = destination(self.account.socket_mut(slot)?, &to)?;
                self.account.check_reach(protocol, to)?;
                to
            }
            None => self.datagram_mut(slot)?.remote.ok_or(Errno::EDESTADDRREQ)?,
        };
        Ok((length, to))
    }

    /// Looks whether so many frames can leave now. If not, the socket waits for that.
    #[inline(always)]
    pub(super) fn check_room<T: TxQueue>(
        &mut self,
        slot: Slot,
        next_hop: NextHop,
        frames: usize,
        tx: &mut T,
    ) -> Result<(), Errno> {
        let loops = next_hop == NextHop::Loopback;
        let room = match loops {
            true => self.net.loopback.room(self.client),
            false => self.schedule.room(self.client, self.tcp, self.net, tx),
        };
        if room < frames {
            self.schedule.block(self.client, loops);
            self.datagram_mut(slot)?.blocked = true;
            self.refresh(slot);
            if !loops {
                tx.hurry();
            }
            return Err(Errno::EAGAIN);
        }
        Ok(())
    }

    /// `recv`.
    pub(crate) fn recv_datagrams(
        &mut self,
        slot: Slot,
        span: Span,
        flags: Flags,
    ) -> Result<Received, Errno> {
        let span = self.account.window.sizes().check_writable(span)?;
        self.take_error(slot)?;
        let socket = self.account.socket_mut(slot)?;
        let (read_shut, family) = (socket.read_shut, socket.family);
        let (inbox, mail, window) = self.account.mailbox(slot)?;
        let peeks = flags.has(Flag::Peek);
        let most = if peeks { 1 } else { BATCH };
        let mut count = 0;
        let mut at = 0;
        while count < most {
            let Some(room) = span.length().checked_sub(at + HEADER_SIZE) else {
                break;
            };
            let Some((whole, peer)) = mail.front(inbox) else {
                break;
            };
            // Only the first may be cut off: the next call has more room for the others.
            if count > 0 && whole > room {
                break;
            }
            let length = whole.min(room);
            let header = DatagramHeader {
                length: length as u16,
                wire_length: whole as u16,
                flags: 0,
                address: words(family, peer),
            };
            let start = span.start() + at;
            let payload = start + HEADER_SIZE;
            let headed = window.write(start, header.bytes());
            let drain = |at, bytes: &[u8]| window.write(payload + at, bytes);
            let drained = match peeks {
                true => mail.peek(inbox, length, drain),
                false => mail.pop(inbox, length, drain),
            };
            drained.and(headed)?;
            self.net.stats.inc(Counter::CopiesToClient);
            self.net.stats.add(Counter::CopiedToClient, length as u64);
            at = (at + stride(length)).min(span.length());
            count += 1;
        }
        if count == 0 && !read_shut {
            let too_short = span.length() < HEADER_SIZE;
            return Err(if too_short {
                Errno::EINVAL
            } else {
                Errno::EAGAIN
            });
        }
        self.refresh(slot);
        Ok(Received {
            bytes: at as u64,
            datagrams: count,
        })
    }
}
