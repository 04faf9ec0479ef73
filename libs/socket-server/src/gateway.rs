// SPDX-License-Identifier: BSD-2-Clause

//! Asks for the gateway's Ethernet address at the start and then from time to time: the answer proves that frames go out and come
//! back, and keeps the address fresh, so that no packet has to wait for it.

use core::net::Ipv4Addr;

use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{
    ArpOperation, ArpPacket, ArpRepr, EthernetAddress, EthernetFrame, EthernetProtocol,
    EthernetRepr,
};

use crate::counters::Counters;
use crate::link::TxQueue;

const RETRY: Duration = Duration::from_secs(1);
/// Less than the 60 seconds after which smoltcp forgets an address.
const REFRESH: Duration = Duration::from_secs(30);
/// Unanswered requests until the gateway counts as silent.
const TRIES: u32 = 3;
/// Ethernet header and ARP packet, in bytes.
pub(crate) const REQUEST_LENGTH: usize = 14 + 28;

/// News of the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatewayEvent {
    /// It has answered, for the first time or after a silence.
    Answered {
        /// Its Ethernet address.
        mac: [u8; 6],
        /// Time from the first request to the answer, in microseconds.
        after: u64,
    },
    /// It has not answered a few requests in a row.
    Silent,
}

/// What is known of the gateway.
pub(crate) struct Gateway {
    known: bool,
    silent: bool,
    unanswered: u32,
    asked_first: Instant,
    event: Option<GatewayEvent>,
}

impl Gateway {
    pub(crate) fn new() -> Self {
        Gateway {
            known: false,
            silent: false,
            unanswered: 0,
            asked_first: Instant::ZERO,
            event: None,
        }
    }

    /// Starts anew; a request is due at once.
    pub(crate) fn start(&mut self, now: Instant) {
        *self = Gateway {
            asked_first: now,
            ..Gateway::new()
        };
    }

    pub(crate) fn take_event(&mut self) -> Option<GatewayEvent> {
        self.event.take()
    }

    /// A request is due. Answers when the next one is.
    pub(crate) fn ask<T: TxQueue>(
        &mut self,
        own: (Ipv4Addr, [u8; 6]),
        gateway: Ipv4Addr,
        now: Instant,
        tx: &mut T,
        counters: &mut Counters,
    ) -> Instant {
        if self.unanswered == 0 {
            self.asked_first = now;
        }
        if self.unanswered == TRIES && !self.silent {
            self.silent = true;
            self.known = false;
            self.event = Some(GatewayEvent::Silent);
        }
        if !send_request(own, gateway, tx) {
            return now + RETRY;
        }
        counters.tx_frames += 1;
        counters.tx_bytes += REQUEST_LENGTH as u64;
        self.unanswered = self.unanswered.saturating_add(1);
        if self.unanswered <= TRIES {
            now + RETRY
        } else {
            now + REFRESH
        }
    }

    /// It has answered. Answers when the next request is due.
    pub(crate) fn answered(&mut self, mac: [u8; 6], now: Instant) -> Instant {
        if !self.known {
            let after = (now - self.asked_first).total_micros();
            self.event = Some(GatewayEvent::Answered { mac, after });
        }
        self.known = true;
        self.silent = false;
        self.unanswered = 0;
        now + REFRESH
    }
}

/// Sends an ARP request (RFC 826). smoltcp sends one only if it has a packet for that address.
pub(crate) fn send_request<T: TxQueue>(
    (address, mac): (Ipv4Addr, [u8; 6]),
    target: Ipv4Addr,
    tx: &mut T,
) -> bool {
    let ethernet = EthernetRepr {
        src_addr: EthernetAddress(mac),
        dst_addr: EthernetAddress::BROADCAST,
        ethertype: EthernetProtocol::Arp,
    };
    let arp = ArpRepr::EthernetIpv4 {
        operation: ArpOperation::Request,
        source_hardware_addr: EthernetAddress(mac),
        source_protocol_addr: address,
        target_hardware_addr: EthernetAddress([0; 6]),
        target_protocol_addr: target,
    };
    tx.send(REQUEST_LENGTH, |buffer| {
        let mut frame = EthernetFrame::new_unchecked(buffer);
        ethernet.emit(&mut frame);
        arp.emit(&mut ArpPacket::new_unchecked(frame.payload_mut()));
    })
    .is_some()
}
