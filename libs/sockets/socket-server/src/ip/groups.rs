// SPDX-License-Identifier: BSD-2-Clause

//! The groups that sockets have joined, and IGMP (RFC 3376), by which routers and switches are told
//! of them. MLD, which tells of those of IPv6, is in `ethernet/ndp.rs`. A table of its own: who is
//! in no group pays nothing for those who are.

use alloc::vec::Vec;
use core::net::Ipv4Addr;

use socket_proto::Errno;

use super::Network;
use super::address::Address;
use super::checksum::plain;
use super::link6::{ALL_NODES, group_mac};
use super::packet::Packet;
use crate::counters::Counter;
use crate::ethernet;
use crate::frames::TxQueue;
use crate::tables::id::{ClientId, SocketId};
use crate::time::{Duration, Instant};

/// Memberships of one client; as many as Linux lets a socket have (`igmp_max_memberships`).
const MEMBERSHIPS: usize = 20;
/// Groups that have been left and are still to be told of. Of others routers find out themselves.
const LEFT: usize = 16;
/// How often a report is sent (RFC 3376 section 8.1).
const REPORTS: u8 = 2;

/// All hosts and all routers of the link, and all routers that understand IGMPv3.
const ALL_SYSTEMS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 1);
const ALL_ROUTERS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 2);
const IGMP_ROUTERS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 22);
/// The number of IGMP among the protocols.
const IGMP: u8 = 2;
/// Types of messages.
const QUERY: u8 = 0x11;
const REPORT_2: u8 = 0x16;
const LEAVE_2: u8 = 0x17;
const REPORT_3: u8 = 0x22;
/// Types of records: of an answer to a query, and of a change (RFC 3376 section 4.2.12).
const IS_EXCLUDE: u8 = 2;
const TO_INCLUDE: u8 = 3;
const TO_EXCLUDE: u8 = 4;
/// Bytes of a message of version 2, and of the header and a record of version 3.
const MESSAGE: usize = 8;
/// Bytes of an IPv4 header with the option that has routers look at the packet (RFC 2113).
const HEADER: usize = 24;
const ROUTER_ALERT: [u8; 4] = [0x94, 4, 0, 0];
/// Records of one message.
const RECORDS: usize = 32;
/// How long a router of version 2 is reckoned with after its last query (RFC 3376 section 8.12).
const OLDER: Duration = Duration::from_secs(260);

/// A socket is in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Member {
    group: Address,
    socket: SocketId,
}

/// The groups.
pub(crate) struct Groups {
    members: Vec<Member>,
    /// What routers are still to be told of, and how often.
    left: Vec<(Address, u8)>,
    /// Until when a router of version 2 is there.
    older: Option<Instant>,
    /// Whether the next report answers a query.
    asked: bool,
}

impl Groups {
    /// Without members. This is the only allocation.
    pub(crate) fn new(clients: usize) -> Self {
        Groups {
            members: Vec::with_capacity(clients * MEMBERSHIPS),
            left: Vec::with_capacity(LEFT),
            older: None,
            asked: false,
        }
    }

    /// Whether this machine is in a group, or all hosts are.
    pub(crate) fn hears(&self, group: Address) -> bool {
        is_all_hosts(group) || self.members.iter().any(|member| member.group == group)
    }

    /// A member of a group, by number; `None` behind the last.
    pub(crate) fn member(&self, group: Address, number: usize) -> Option<SocketId> {
        let mut members = self.members.iter().filter(|member| member.group == group);
        members.nth(number).map(|member| member.socket)
    }

    fn join(&mut self, group: Address, socket: SocketId) -> Result<(), Errno> {
        let member = Member { group, socket };
        if self.members.contains(&member) {
            return Err(Errno::EADDRINUSE);
        }
        let client = |member: &&Member| member.socket.client == socket.client;
        if self.members.iter().filter(client).count() >= MEMBERSHIPS {
            return Err(Errno::ENOBUFS);
        }
        self.left.retain(|(left, _)| *left != group);
        self.members.push(member);
        Ok(())
    }

    /// Takes memberships out. Returns whether there were some.
    fn leave(&mut self, gone: impl Fn(&Member) -> bool) -> bool {
        let before = self.members.len();
        while let Some(at) = self.members.iter().position(&gone) {
            let Member { group, .. } = self.members.swap_remove(at);
            if !self.hears(group) && self.left.len() < LEFT {
                self.left.push((group, REPORTS));
            }
        }
        self.members.len() < before
    }

    /// Each group of a family once.
    pub(crate) fn joined(&self, v4: bool) -> impl Iterator<Item = Address> {
        let members = self.members.iter().enumerate();
        members.filter_map(move |(at, &Member { group, .. })| {
            let mut earlier = self.members[..at].iter();
            let first = !earlier.any(|other| other.group == group);
            (first && group.is_v4() == v4 && !is_all_hosts(group)).then_some(group)
        })
    }

    /// What the device is to receive because of members: their groups, and what routers ask.
    pub(crate) fn wanted(&self) -> impl Iterator<Item = Address> {
        let asked = self.joined(true).next().map(|_| Address::v4(ALL_SYSTEMS));
        self.joined(true).chain(self.joined(false)).chain(asked)
    }

    /// Groups of a family that were left a short time ago.
    pub(crate) fn left(&self, v4: bool) -> impl Iterator<Item = Address> {
        let left = self.left.iter().map(|(group, _)| *group);
        left.filter(move |group| group.is_v4() == v4)
    }

    /// A report has been sent.
    pub(crate) fn told(&mut self) {
        self.asked = false;
        self.left.iter_mut().for_each(|(_, times)| *times -= 1);
        self.left.retain(|(_, times)| *times > 0);
    }

    /// The sockets that are in groups.
    #[cfg(feature = "audit")]
    pub(crate) fn sockets(&self) -> impl Iterator<Item = SocketId> {
        self.members.iter().map(|member| member.socket)
    }

    /// Whether a client is in a group.
    pub(crate) fn has(&self, client: ClientId) -> bool {
        self.members
            .iter()
            .any(|member| member.socket.client == client)
    }
}

/// Whether a group is that of all hosts of the link: it is not joined, and cannot be left.
pub(crate) fn is_all_hosts(group: Address) -> bool {
    group == Address::v4(ALL_SYSTEMS) || group == ALL_NODES
}

impl Network {
    /// A socket joins a group.
    ///
    /// # Errors
    /// `EADDRINUSE` if it is in it, `ENOBUFS` if its client is in too many.
    pub(crate) fn join(&mut self, group: Address, socket: SocketId) -> Result<(), Errno> {
        self.groups.join(group, socket)?;
        self.report_change();
        Ok(())
    }

    /// A socket leaves a group.
    ///
    /// # Errors
    /// `EADDRNOTAVAIL` if it is not in it.
    pub(crate) fn leave(&mut self, group: Address, socket: SocketId) -> Result<(), Errno> {
        let gone = Member { group, socket };
        if !self.groups.leave(|member| *member == gone) {
            return Err(Errno::EADDRNOTAVAIL);
        }
        self.report_change();
        Ok(())
    }

    /// A socket that leaves all groups is closed.
    pub(crate) fn leave_all(&mut self, socket: SocketId) {
        if self.groups.has(socket.client) && self.groups.leave(|member| member.socket == socket) {
            self.report_change();
        }
    }

    /// The groups are to be reported.
    pub(super) fn report_change(&mut self) {
        self.autoconf.report_soon(self.now());
        self.plan6();
    }

    /// A message of IGMP has come. What other hosts report is of no interest.
    pub(crate) fn igmp(&mut self, packet: &Packet) {
        let &[kind, ..] = packet.payload else {
            return self.stats.inc(Counter::DropsMalformed);
        };
        let sound = packet.payload.len() >= MESSAGE && plain(packet.payload) == 0;
        if !sound || packet.bytes.get(8) != Some(&1) {
            return self.stats.inc(Counter::DropsMalformed);
        }
        if kind != QUERY || !self.arp_limit.allow(packet.source, self.now()) {
            return;
        }
        if packet.payload.len() == MESSAGE {
            self.groups.older = Some(self.now() + OLDER);
        }
        if self.groups.joined(true).next().is_some() {
            self.groups.asked = true;
            self.report_change();
        }
    }

    /// Reports the groups of IPv4 that this machine is in or has left.
    pub(crate) fn report_groups4<T: TxQueue>(&mut self, tx: &mut T) {
        let now = self.now();
        let older = self.groups.older.is_some_and(|until| until > now);
        let in_kind = if self.groups.asked {
            IS_EXCLUDE
        } else {
            TO_EXCLUDE
        };
        let mut message = [0; MESSAGE * (1 + RECORDS)];
        let mut at = 0;
        let mut records = 0;
        loop {
            let joined = self.groups.joined(true).map(|group| (group, true));
            let left = self.groups.left(true).map(|group| (group, false));
            let Some((group, joined)) = joined.chain(left).nth(at) else {
                break;
            };
            at += 1;
            let octets = group.v4_bits().octets();
            if older {
                let (kind, to) = match joined {
                    true => (REPORT_2, group.v4_bits()),
                    false => (LEAVE_2, ALL_ROUTERS),
                };
                message[..MESSAGE].fill(0);
                message[0] = kind;
                message[4..MESSAGE].copy_from_slice(&octets);
                self.send_igmp(to, &mut message[..MESSAGE], tx);
                continue;
            }
            records += 1;
            let record = &mut message[records * MESSAGE..][..MESSAGE];
            record.fill(0);
            record[0] = if joined { in_kind } else { TO_INCLUDE };
            record[4..].copy_from_slice(&octets);
            if records == RECORDS {
                self.send_records(&mut message, records, tx);
                records = 0;
            }
        }
        if records > 0 {
            self.send_records(&mut message, records, tx);
        }
    }

    fn send_records<T: TxQueue>(&mut self, message: &mut [u8], records: usize, tx: &mut T) {
        message[..MESSAGE].fill(0);
        message[0] = REPORT_3;
        message[7] = records as u8;
        self.send_igmp(IGMP_ROUTERS, &mut message[..MESSAGE * (1 + records)], tx);
    }

    /// Sends a message of IGMP, whose packets no router passes on and all look at.
    fn send_igmp<T: TxQueue>(&mut self, to: Ipv4Addr, message: &mut [u8], tx: &mut T) {
        message[2..4].fill(0);
        let sum = plain(message).to_be_bytes();
        message[2..4].copy_from_slice(&sum);
        let hop = self.hop_to(group_mac(to.into()));
        let source = self.address();
        let length = HEADER + message.len();
        let sent = tx.send(ethernet::HEADER + length, |frame| {
            ethernet::emit_ip(frame, hop, true);
            let packet = &mut frame[ethernet::HEADER..];
            packet[..HEADER].fill(0);
            packet[0] = 0x46;
            packet[1] = 0xc0;
            packet[2..4].copy_from_slice(&(length as u16).to_be_bytes());
            packet[6] = 0x40;
            packet[8] = 1;
            packet[9] = IGMP;
            packet[12..16].copy_from_slice(&source.octets());
            packet[16..20].copy_from_slice(&to.octets());
            packet[20..HEADER].copy_from_slice(&ROUTER_ALERT);
            let sum = plain(&packet[..HEADER]).to_be_bytes();
            packet[10..12].copy_from_slice(&sum);
            packet[HEADER..].copy_from_slice(message);
        });
        match sent {
            Some(()) => {
                self.stats.inc(Counter::TxFrames);
                self.stats
                    .add(Counter::TxBytes, (ethernet::HEADER + length) as u64);
            }
            None => self.stats.inc(Counter::DropsNoTxBuffer),
        }
    }
}
