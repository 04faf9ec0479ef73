// SPDX-License-Identifier: BSD-2-Clause

//! Neighbour discovery (RFC 4861) in place of ARP, and what groups this machine is in (RFC 3810).

use smoltcp::wire::IpProtocol;

use super::{Hop, is_card};
use crate::counters::Counter;
use crate::frames::TxQueue;
use crate::ip::Network;
use crate::ip::address::Address;
use crate::ip::header6::seal;
use crate::ip::link6::{ALL_NODES, ALL_ROUTERS, State, group_mac, solicited_node};
use crate::ip::output::Marks;
use crate::ip::packet::Packet;

/// The hop limit of what no router has passed on.
const FROM_LINK: u8 = 255;
/// That of what no router is to pass on.
const TO_LINK: u8 = 1;
/// Bytes of a neighbour's message without options, and of an option with an Ethernet address.
const MESSAGE: usize = 24;
const ADDRESS_OPTION: usize = 8;
/// All routers that want to know of groups (RFC 3810 section 5.2.14).
const MLD_ROUTERS: Address = Address::v6(core::net::Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x16));
/// A header that has routers look at the packet (RFC 2711), with 2 bytes of padding.
const ROUTER_ALERT: [u8; 8] = [58, 0, 5, 2, 0, 0, 1, 0];
/// Types of messages (RFC 4861 section 4, RFC 2710).
const QUERY: u8 = 130;
const ROUTER_SOLICIT: u8 = 133;
const ROUTER_ADVERT: u8 = 134;
const NEIGHBOUR_SOLICIT: u8 = 135;
const NEIGHBOUR_ADVERT: u8 = 136;
/// Type of a report of groups, and of records: all senders are heard, or none any more (RFC 3810
/// section 5.2).
const REPORT: u8 = 143;
const TO_EXCLUDE: u8 = 4;
const TO_INCLUDE: u8 = 3;
const RECORD: usize = 20;
/// Records of one report: it fits into a packet.
const RECORDS: usize = 32;

/// Options of neighbours' and routers' messages (RFC 4861 section 4.6).
pub(crate) const SOURCE_ADDRESS: u8 = 1;
const TARGET_ADDRESS: u8 = 2;
pub(crate) const PREFIX: u8 = 3;
pub(crate) const MTU: u8 = 5;

/// Flags of an advertisement (RFC 4861 section 4.4).
const SOLICITED: u8 = 0x40;
const OVERRIDE: u8 = 0x20;

/// The options of a message: their type, and all of their bytes. `None` if one of them is nonsense:
/// then the message is, too.
pub(crate) fn options(bytes: &[u8]) -> Option<impl Iterator<Item = (u8, &[u8])>> {
    let mut rest = bytes;
    while !rest.is_empty() {
        rest = split(rest)?.1;
    }
    let mut rest = bytes;
    Some(core::iter::from_fn(move || {
        let (option, behind) = split(rest)?;
        rest = behind;
        Some((option[0], option))
    }))
}

/// The first option, and what is behind it. Its second byte counts units of eight.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = usize::from(*bytes.get(1)?) * 8;
    bytes.split_at_checked(length).filter(|_| length > 0)
}

/// The Ethernet address in an option of this kind.
pub(crate) fn card(bytes: &[u8], kind: u8) -> Option<[u8; 6]> {
    let (_, option) = options(bytes)?.find(|&(of, _)| of == kind)?;
    let mac = *option.get(2..)?.first_chunk()?;
    is_card(mac).then_some(mac)
}

impl Network {
    /// A message of a neighbour or a router has come. Returns false if it is malformed.
    pub(crate) fn neighbourhood<T: TxQueue>(
        &mut self,
        [kind, code]: [u8; 2],
        packet: &Packet,
        tx: &mut T,
    ) -> bool {
        let from_link = packet.bytes.get(7) == Some(&FROM_LINK);
        let sound = from_link && code == 0;
        match kind {
            NEIGHBOUR_SOLICIT => sound && self.solicited(packet, tx).is_some(),
            NEIGHBOUR_ADVERT => sound && self.advertised(packet, tx).is_some(),
            ROUTER_ADVERT => sound && self.router_advertised(packet, tx).is_some(),
            QUERY => {
                let sound = packet.bytes.get(7) == Some(&TO_LINK) && packet.source.is_link_local();
                if sound && self.arp_limit.allow(packet.source, self.now()) {
                    self.autoconf.report_soon(self.now());
                    self.plan6();
                } else {
                    self.stats.inc(Counter::IcmpIgnored);
                }
                true
            }
            // Replies to nobody's requests, what routers ask, and redirects, which are not obeyed.
            _ => {
                self.stats.inc(Counter::IcmpIgnored);
                true
            }
        }
    }

    /// A neighbour asks for the Ethernet address of one of this machine's addresses (RFC 4861
    /// section 7.2.3), or whether it is taken. `None` if the message is malformed.
    fn solicited<T: TxQueue>(&mut self, packet: &Packet, tx: &mut T) -> Option<()> {
        let target = target(packet)?;
        let rest = &packet.payload[MESSAGE..];
        drop(options(rest)?);
        let nameless = packet.source.is_unspecified();
        let mac = card(rest, SOURCE_ADDRESS);
        if nameless && (mac.is_some() || packet.destination != solicited_node(target)) {
            return None;
        }
        match self.link6.state(target) {
            Some(State::Ready) => {}
            Some(_) if nameless => {
                self.conflict(target);
                return Some(());
            }
            _ => return Some(()),
        }
        if let Some(mac) = mac
            && self.link6.is_neighbour(packet.source)
            && let Some(host) = self.neighbours.asked_by(packet.source, mac, self.now())
        {
            self.send_held(host, tx);
        }
        let (to, hop) = match nameless {
            true => (ALL_NODES, self.hop_to(group_mac(ALL_NODES))),
            false => (packet.source, packet.back),
        };
        if !self.arp_limit.allow(packet.source, self.now()) {
            self.stats.inc(Counter::RepliesLimited);
            return Some(());
        }
        let flags = if nameless {
            OVERRIDE
        } else {
            OVERRIDE | SOLICITED
        };
        let option = Some(TARGET_ADDRESS);
        self.say(
            NEIGHBOUR_ADVERT,
            flags,
            target,
            option,
            (target, to),
            hop,
            tx,
        );
        Some(())
    }

    /// A neighbour says its Ethernet address (RFC 4861 section 7.2.5). `None` if the message is
    /// malformed.
    fn advertised<T: TxQueue>(&mut self, packet: &Packet, tx: &mut T) -> Option<()> {
        let target = target(packet)?;
        let rest = &packet.payload[MESSAGE..];
        drop(options(rest)?);
        let solicited = packet.payload[4] & SOLICITED != 0;
        if packet.to_all && solicited {
            return None;
        }
        if self.link6.state(target).is_some() {
            self.conflict(target);
            return Some(());
        }
        let Hop::Ethernet {
            destination: sender,
            ..
        } = packet.back
        else {
            return Some(());
        };
        // What nobody has asked for is ignored, as with ARP.
        let mac = card(rest, TARGET_ADDRESS).unwrap_or(sender);
        if solicited && let Some(host) = self.neighbours.answered(target, mac, self.now()) {
            self.send_held(host, tx);
        }
        Some(())
    }

    /// Another host has an address of this machine. Before it is used it can be done without; later
    /// that is only counted, as with ARP.
    fn conflict(&mut self, address: Address) {
        self.stats.inc(Counter::AddressConflicts);
        self.link6.news = true;
        for own in self.link6.own.iter_mut() {
            if own.address == address && own.state != State::Ready {
                own.state = State::Duplicate;
            }
        }
        self.plan6();
    }

    /// Asks for the Ethernet address of a neighbour, at its address or at all that end like it.
    pub(super) fn solicit<T: TxQueue>(&mut self, target: Address, to: Option<[u8; 6]>, tx: &mut T) {
        let source = self.source_for(target);
        let group = solicited_node(target);
        let (to, mac) = match to {
            Some(mac) => (target, mac),
            None => (group, group_mac(group)),
        };
        if !source.is_unspecified() {
            let option = Some(SOURCE_ADDRESS);
            let (kind, hop) = (NEIGHBOUR_SOLICIT, self.hop_to(mac));
            self.say(kind, 0, target, option, (source, to), hop, tx);
        }
    }

    /// Asks whether another host has an address that this machine is to have (RFC 4862 section
    /// 5.4.2).
    pub(crate) fn ask_for_own<T: TxQueue>(&mut self, target: Address, tx: &mut T) {
        let group = solicited_node(target);
        let (kind, hop) = (NEIGHBOUR_SOLICIT, self.hop_to(group_mac(group)));
        self.say(kind, 0, target, None, (Address::ANY6, group), hop, tx);
    }

    /// Asks the routers to advertise themselves (RFC 4861 section 6.3.7).
    pub(crate) fn ask_routers<T: TxQueue>(&mut self, tx: &mut T) {
        let source = self.source_for(ALL_ROUTERS);
        let hop = self.hop_to(group_mac(ALL_ROUTERS));
        let option = (!source.is_unspecified()).then_some(SOURCE_ADDRESS);
        let mut message = [0; 8 + ADDRESS_OPTION];
        message[0] = ROUTER_SOLICIT;
        let length = self.put_option(option, &mut message, 8);
        self.send_link((source, ALL_ROUTERS), hop, &mut message[..length], tx);
    }

    /// Sends a solicitation or advertisement. One that cannot leave is as good as lost.
    #[expect(clippy::too_many_arguments, reason = "each is a field of the message")]
    fn say<T: TxQueue>(
        &mut self,
        kind: u8,
        flags: u8,
        target: Address,
        option: Option<u8>,
        ends: (Address, Address),
        hop: Hop,
        tx: &mut T,
    ) {
        let mut message = [0; MESSAGE + ADDRESS_OPTION];
        message[0] = kind;
        message[4] = flags;
        message[8..MESSAGE].copy_from_slice(&target.to_v6().octets());
        let length = self.put_option(option, &mut message, MESSAGE);
        self.send_link(ends, hop, &mut message[..length], tx);
    }

    /// Writes an option with this machine's Ethernet address behind a message, if it is to have
    /// one. Returns the message's length.
    fn put_option(&self, option: Option<u8>, message: &mut [u8], at: usize) -> usize {
        let Some(kind) = option else {
            return at;
        };
        message[at] = kind;
        message[at + 1] = 1;
        message[at + 2..at + ADDRESS_OPTION].copy_from_slice(&self.interface.mac);
        at + ADDRESS_OPTION
    }

    /// Sends a message that no router is to pass on.
    fn send_link<T: TxQueue>(
        &mut self,
        ends: (Address, Address),
        hop: Hop,
        message: &mut [u8],
        tx: &mut T,
    ) {
        let mut envelope = self.envelope(ends, hop, IpProtocol::Icmpv6);
        envelope.marks.time_to_live = FROM_LINK;
        seal(message, ends);
        if envelope.send(message, tx).is_none() {
            self.stats.inc(Counter::DropsNoTxBuffer);
        }
    }

    /// Reports the groups that this machine is in, so that switches let through what is for them
    /// (RFC 3810 section 5.2).
    pub(crate) fn report_groups<T: TxQueue>(&mut self, tx: &mut T) {
        let mut packet = [0; 8 + 8 + RECORDS * RECORD];
        let mut at = 0;
        loop {
            let own = self.link6.own.iter();
            let own = own.filter(|own| own.state != State::Duplicate);
            let own = own.map(|own| solicited_node(own.address));
            let joined = own.chain(self.groups.joined(false));
            let joined = joined.map(|group| (group, TO_EXCLUDE));
            let left = self.groups.left(false).map(|group| (group, TO_INCLUDE));
            let records = joined.chain(left).skip(at).take(RECORDS);
            packet.fill(0);
            let mut count = 0;
            for ((group, kind), record) in records.zip(packet[16..].chunks_exact_mut(RECORD)) {
                record[0] = kind;
                record[4..].copy_from_slice(&group.to_v6().octets());
                count += 1;
            }
            if count == 0 {
                return;
            }
            at += count;
            self.send_report(&mut packet, count, tx);
        }
    }

    fn send_report<T: TxQueue>(&mut self, packet: &mut [u8], records: usize, tx: &mut T) {
        packet[..8].copy_from_slice(&ROUTER_ALERT);
        let report = &mut packet[8..];
        report[0] = REPORT;
        report[7] = records as u8;
        let end = 8 + records * RECORD;
        let ends = (self.source_for(MLD_ROUTERS), MLD_ROUTERS);
        seal(&mut report[..end], ends);
        let hop = self.hop_to(group_mac(MLD_ROUTERS));
        let mut envelope = self.envelope(ends, hop, IpProtocol::HopByHop);
        envelope.marks = Marks {
            time_to_live: TO_LINK,
            ..Marks::USUAL
        };
        if envelope.send(&packet[..8 + end], tx).is_none() {
            self.stats.inc(Counter::DropsNoTxBuffer);
        }
    }
}

/// The target of a neighbour's message. `None` if it is too short, or the target is a group.
fn target(packet: &Packet) -> Option<Address> {
    let bytes: [u8; 16] = *packet.payload.get(8..)?.first_chunk()?;
    let target = Address::v6(bytes.into());
    (!target.is_multicast()).then_some(target)
}
