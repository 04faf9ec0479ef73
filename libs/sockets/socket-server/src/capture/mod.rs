// SPDX-License-Identifier: BSD-2-Clause

//! `capture`: a client that may is shown the frames that pass. They are copied into memory of the
//! server's, which the declaration gives, until the client takes them (`captured`); what finds no
//! room there is dropped and counted. As long as nothing is captured, a frame costs a look at an
//! `Option` on the stack.
//!
//! Connections at the ports that the client may listen on are never shown to it: what it tells of
//! frames over the network would be frames again, without end.

mod look;

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::net::IpAddr;

use smoltcp::wire::IpProtocol;
use socket_proto::layouts::{CaptureFilter, CaptureRecord, Layout};
use socket_proto::{Errno, Half, Records, addr, op};

use crate::config::{ClientLimits, PortRange};
use crate::counters::{Counter, Counters};
use crate::frames::TxQueue;
use crate::ip::address::Address;
use crate::protocol::window::{OutOfWindow, Window};
use crate::server::Server;
use crate::tables::id::{ClientId, Id};
use look::Seen;

/// The interfaces, as `query` numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    Device = 0,
    Loopback = 1,
}

/// Which way a frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Received = 1,
    Sent = 2,
}

/// The frames that a client wants to see.
struct Filter {
    address: Option<Address>,
    port: Option<u16>,
    protocol: u32,
    /// Bytes of each that are kept.
    snap: usize,
}

/// The lowest EtherType (IEEE 802.3).
const ETHER_TYPES: u32 = 0x600;

impl Filter {
    fn new(asked: &CaptureFilter) -> Result<Filter, Errno> {
        let address = addr::from_words(asked.address)?;
        let unknown = asked.promiscuous > 1 || asked.reserved != 0;
        if unknown || (256..ETHER_TYPES).contains(&asked.protocol) {
            return Err(Errno::EINVAL);
        }
        Ok(Filter {
            address: address
                .map(|address| match address.ip() {
                    IpAddr::V4(v4) => Address::v4(v4),
                    IpAddr::V6(v6) => Address::v6(v6),
                })
                .filter(|address| !address.is_unspecified()),
            port: address
                .map(|address| address.port())
                .filter(|&port| port != 0),
            protocol: asked.protocol,
            snap: match asked.snap {
                0 => usize::MAX,
                bytes => bytes as usize,
            },
        })
    }

    fn wants(&self, seen: &Seen) -> bool {
        let protocol = match self.protocol {
            0 => true,
            kind @ ETHER_TYPES.. => u32::from(seen.kind) == kind,
            number => seen.protocol.map(u32::from) == Some(number),
        };
        protocol
            && self
                .address
                .is_none_or(|address| seen.ends.contains(&Some(address)))
            && self
                .port
                .is_none_or(|port| seen.ports.is_some_and(|ports| ports.contains(&port)))
    }
}

/// Where frames are looked at.
pub(crate) struct Tap {
    /// The one client that may capture.
    owner: Option<ClientId>,
    /// The ports that it may listen on.
    own_ports: Vec<PortRange>,
    /// Bytes that the records may take.
    room: usize,
    capture: RefCell<Capture>,
    stats: Counters,
}

struct Capture {
    filter: Option<Filter>,
    /// Oldest first.
    records: VecDeque<u8>,
    dropped: u64,
}

impl Tap {
    /// This is the only allocation.
    pub(crate) fn new(clients: &[ClientLimits], stats: Counters) -> Self {
        let owner = clients.iter().position(|limits| limits.capture > 0);
        let limits = owner.map(|owner| &clients[owner]);
        let room = limits.map_or(0, |limits| limits.capture);
        Tap {
            owner: owner.map(ClientId::new),
            own_ports: limits.map_or(Vec::new(), |limits| limits.tcp_ports.clone()),
            room,
            capture: RefCell::new(Capture {
                filter: None,
                records: VecDeque::with_capacity(room),
                dropped: 0,
            }),
            stats,
        }
    }

    fn check(&self, client: ClientId) -> Result<(), Errno> {
        match self.owner == Some(client) {
            true => Ok(()),
            false => Err(Errno::EPERM),
        }
    }

    fn begin(&self, filter: Option<Filter>) {
        let capture = &mut *self.capture.borrow_mut();
        capture.filter = filter;
        capture.records.clear();
        capture.dropped = 0;
    }

    /// Copies a frame, if it is wanted.
    #[cold]
    #[inline(never)]
    fn record(&self, on: On, way: Way, time: u64, frame: &[u8]) {
        let Capture {
            filter,
            records,
            dropped,
        } = &mut *self.capture.borrow_mut();
        let Some(filter) = filter else {
            return;
        };
        let seen = Seen::new(frame);
        if !filter.wants(&seen) || self.is_own(&seen, on, way) {
            return;
        }
        self.stats.inc(Counter::CaptureFrames);
        let kept = &frame[..frame.len().min(filter.snap)];
        let stride = CaptureRecord::stride(kept.len());
        if records.len() + stride > self.room {
            *dropped += 1;
            self.stats.inc(Counter::CaptureDrops);
            return;
        }
        let header = CaptureRecord {
            time,
            length: kept.len() as u32,
            wire_length: frame.len() as u32,
            interface: on as u32,
            direction: way as u32,
        };
        let end = records.len() + stride;
        records.extend(header.bytes());
        records.extend(kept);
        records.resize(end, 0);
    }

    /// Whether a frame belongs to one of the connections that are not shown.
    fn is_own(&self, seen: &Seen, on: On, way: Way) -> bool {
        let (Some(protocol), Some([source, destination])) = (seen.protocol, seen.ports) else {
            return false;
        };
        let own = |port| self.own_ports.iter().any(|range| range.contains(port));
        IpProtocol::from(protocol) == IpProtocol::Tcp
            && match (on, way) {
                (On::Loopback, _) => own(source) || own(destination),
                (On::Device, Way::Received) => own(destination),
                (On::Device, Way::Sent) => own(source),
            }
    }

    /// Takes the oldest records, at most so many bytes of them; `write` gets them with how far they
    /// are from the start.
    fn take(
        &self,
        most: usize,
        mut write: impl FnMut(usize, &[u8]) -> Result<(), OutOfWindow>,
    ) -> Result<Records, Errno> {
        let Capture {
            records, dropped, ..
        } = &mut *self.capture.borrow_mut();
        let mut end = 0;
        while end < records.len() {
            let mut header = CaptureRecord::default();
            let bytes = header.bytes_mut().iter_mut().zip(records.range(end..));
            bytes.for_each(|(to, from)| *to = *from);
            let next = end + CaptureRecord::stride(header.length as usize);
            if next > most {
                break;
            }
            end = next;
        }
        if end == 0 && !records.is_empty() {
            return Err(Errno::EMSGSIZE);
        }
        let (front, back) = records.as_slices();
        let middle = end.min(front.len());
        write(0, &front[..middle])?;
        write(middle, &back[..end - middle])?;
        records.drain(..end);
        Ok(Records {
            bytes: end as u64,
            dropped: *dropped,
        })
    }
}

/// A queue to the driver whose frames are looked at.
pub(crate) struct Tapped<'a, T> {
    queue: &'a mut T,
    /// What looks, if anything does, and the time.
    tap: Option<(&'a Tap, u64)>,
}

impl<'a, T> Tapped<'a, T> {
    #[inline]
    pub(crate) fn new(queue: &'a mut T, tap: Option<&'a Tap>, now: u64) -> Self {
        Tapped {
            queue,
            tap: tap.map(|tap| (tap, now)),
        }
    }

    /// A frame passes.
    #[inline(always)]
    pub(crate) fn pass(&self, on: On, way: Way, frame: &[u8]) {
        if let Some((tap, now)) = self.tap {
            tap.record(on, way, now, frame);
        }
    }
}

impl<T: TxQueue> TxQueue for Tapped<'_, T> {
    #[inline]
    fn free(&mut self) -> usize {
        self.queue.free()
    }

    #[inline]
    fn hurry(&mut self) {
        self.queue.hurry();
    }

    #[inline]
    fn try_send<R, E>(
        &mut self,
        length: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<R, E>,
    ) -> Option<Result<R, E>> {
        let tap = self.tap;
        self.queue.try_send(length, |frame| {
            let filled = fill(frame)?;
            if let Some((tap, now)) = tap {
                tap.record(On::Device, Way::Sent, now, frame);
            }
            Ok(filled)
        })
    }
}

impl<W: Window> Server<W> {
    /// `capture`.
    pub(crate) fn capture(&mut self, client: ClientId, asked: op::Capture) -> Result<(), Errno> {
        self.tap.check(client)?;
        let mut filter = CaptureFilter::default();
        let wanted = asked.span.length > 0;
        if wanted {
            let window = &self.accounts.get(client).window;
            let span = window.sizes().check(asked.span)?;
            let bytes = filter.bytes_mut();
            if span.half() != Half::ClientToServer {
                return Err(Errno::EFAULT);
            }
            if span.length() != bytes.len() {
                return Err(Errno::EINVAL);
            }
            window.read(span.half(), span.start(), bytes)?;
        }
        let promiscuous = filter.promiscuous == 1;
        let filter = Filter::new(&filter)?;
        self.tap.begin(wanted.then_some(filter));
        self.tapping = wanted;
        self.net.promiscuous = promiscuous;
        self.net.groups_changed();
        Ok(())
    }

    /// `captured`.
    pub(crate) fn captured(
        &mut self,
        client: ClientId,
        asked: op::Captured,
    ) -> Result<Records, Errno> {
        self.tap.check(client)?;
        let window = &mut self.accounts.get_mut(client).window;
        let span = window.sizes().check_writable(asked.span)?;
        self.tap.take(span.length(), |at, bytes| {
            window.write(span.start() + at, bytes)
        })
    }

    /// A client begins anew, or is gone: so is its capture.
    pub(crate) fn end_capture(&mut self, client: ClientId) {
        if self.tapping && self.tap.check(client).is_ok() {
            self.tap.begin(None);
            self.tapping = false;
            self.net.promiscuous = false;
            self.net.groups_changed();
        }
    }
}
