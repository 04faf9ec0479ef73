// SPDX-License-Identifier: BSD-2-Clause

//! Datagram sockets of ICMP, as Linux has them: they send requests for echoes and receive the
//! replies. What a client sends and receives is the message with its header. The identifier is the
//! socket's, given out like a port; the server writes it, and the checksum.

use socket_proto::datagram::{HEADER_SIZE, stride};
use socket_proto::{CheckedSpan, Errno, Protocol};

use super::Call;
use crate::accounts::ports::Local;
use crate::counters::Counter;
use crate::frames::TxQueue;
use crate::frames::loopback::SERVER;
use crate::ip::address::Address;
use crate::ip::header6;
use crate::ip::icmp::{self, ICMP};
use crate::ip::icmp6;
use crate::ip::output::{Outgoing, frames_for};
use crate::ip::packet::Tuple;
use crate::ip::reassembly::PAYLOAD_MAX;
use crate::protocol::window::Window;
use crate::tables::id::Slot;
use crate::transport::connection::Settings;

impl<W: Window> Call<'_, W> {
    /// Sends the message that starts `at` bytes into the range. Returns where the next one starts.
    #[inline(never)]
    pub(super) fn send_message<T: TxQueue>(
        &mut self,
        slot: Slot,
        span: CheckedSpan,
        at: usize,
        from: Local,
        settings: &Settings,
        tx: &mut T,
    ) -> Result<usize, Errno> {
        let (length, to) = self.read_header(slot, span, at, Protocol::Icmp)?;
        let most = self.datagram_send.min(settings.send_most as usize);
        if length > most.min(PAYLOAD_MAX) {
            return Err(Errno::EMSGSIZE);
        }
        // Out of the network for as long as it is written and read.
        let mut scratch = core::mem::take(&mut self.net.scratch);
        let message = &mut scratch[..length];
        let start = span.start() + at + HEADER_SIZE;
        let read = self.account.window.read(span.half(), start, message);
        let sent = match read {
            Ok(()) => self.finish_message(slot, to.0, from, message, tx),
            Err(_) => Err(Errno::EFAULT),
        };
        self.net.scratch = scratch;
        sent?;
        self.net.stats.inc(Counter::CopiesFromClient);
        self.net.stats.add(Counter::CopiedFromClient, length as u64);
        Ok(at + stride(length))
    }

    fn finish_message<T: TxQueue>(
        &mut self,
        slot: Slot,
        to: Address,
        from: Local,
        message: &mut [u8],
        tx: &mut T,
    ) -> Result<(), Errno> {
        let protocol = self.datagram_mut(slot)?.protocol;
        let request = match protocol {
            Protocol::Icmp => icmp::ECHO_REQUEST,
            _ => icmp6::ECHO_REQUEST,
        };
        if message.len() < ICMP || message[..2] != [request, 0] {
            return Err(Errno::EINVAL);
        }
        let (source, next_hop) = self.way(slot, to)?;
        message[4..6].copy_from_slice(&from.port.to_be_bytes());
        match protocol {
            Protocol::Icmp => icmp::seal(message),
            _ => header6::seal(message, (source, to)),
        }
        let frames = frames_for(to, message.len(), self.net.path(to).mtu);
        self.check_room(slot, next_hop, frames, tx)?;
        let outgoing = Outgoing {
            tuple: Tuple {
                local: (source, from.port),
                remote: (to, 0),
            },
            marks: self.account.socket_mut(slot)?.options.marks_to(to),
            protocol: (protocol.raw() as u8).into(),
            length: message.len(),
        };
        self.net.loopback.set_sender(self.client);
        let sent = match self.net.hop(next_hop) {
            Ok(hop) => self.net.send_datagram(hop, &outgoing, message, tx),
            Err(neighbour) => {
                let fill = |into: &mut [u8]| -> Result<(), Errno> {
                    into.copy_from_slice(message);
                    Ok(())
                };
                let held = self.net.hold(neighbour, self.client, outgoing, tx, fill);
                held.ok()
            }
        };
        self.net.loopback.set_sender(SERVER);
        self.schedule.note_sent(self.client, self.net, tx);
        sent.ok_or(Errno::EAGAIN)
    }
}
