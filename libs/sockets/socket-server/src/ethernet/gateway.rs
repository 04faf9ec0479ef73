// SPDX-License-Identifier: BSD-2-Clause

//! Asks for the gateway's Ethernet address at the start and then from time to time: the answer
//! proves that frames go out and come back, and keeps the address fresh, so that no packet has to
//! wait for it.

use core::net::Ipv4Addr;

use super::neighbours::RETRY;
use crate::time::{Duration, Instant};

const REFRESH: Duration = Duration::from_secs(30);
/// Unanswered requests until the gateway counts as silent.
const TRIES: u32 = 3;

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
    /// Where it is.
    pub address: Option<Ipv4Addr>,
    /// When it is to be asked next.
    pub due: Option<Instant>,
    known: bool,
    silent: bool,
    unanswered: u32,
    asked_first: Instant,
    asked_last: Instant,
    /// Not yet told.
    pub event: Option<GatewayEvent>,
}

impl Gateway {
    pub(crate) fn new(address: Option<Ipv4Addr>) -> Self {
        Gateway {
            address,
            due: None,
            known: false,
            silent: false,
            unanswered: 0,
            asked_first: Instant::ZERO,
            asked_last: Instant::ZERO,
            event: None,
        }
    }

    /// Starts anew; a request is due at once.
    pub(crate) fn start(&mut self, now: Instant) {
        *self = Gateway {
            due: self.address.map(|_| now),
            asked_first: now,
            ..Gateway::new(self.address)
        };
    }

    /// A request is due. Returns whether the gateway has not answered the last ones.
    pub(crate) fn is_lost(&mut self) -> bool {
        let lost = self.unanswered >= TRIES;
        if lost && !self.silent {
            self.silent = true;
            self.known = false;
            self.event = Some(GatewayEvent::Silent);
        }
        lost
    }

    /// The gateway's address, if it is to be asked now.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Ipv4Addr> {
        self.due.take_if(|due| *due <= now)?;
        self.address
    }

    /// A request leaves.
    pub(crate) fn asked(&mut self, now: Instant) {
        if self.unanswered == 0 {
            self.asked_first = now;
        }
        self.asked_last = now;
        self.unanswered = self.unanswered.saturating_add(1);
        let pause = if self.unanswered <= TRIES {
            RETRY
        } else {
            REFRESH
        };
        self.ask_by(now + pause);
    }

    /// Somebody waits for its address.
    pub(crate) fn wanted(&mut self, now: Instant) {
        self.unanswered = 0;
        self.ask_by(now.max(self.asked_last + RETRY));
    }

    fn ask_by(&mut self, at: Instant) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// It has answered.
    pub(crate) fn answered(&mut self, mac: [u8; 6], now: Instant) {
        if !self.known {
            let after = (now - self.asked_first).total_micros();
            self.event = Some(GatewayEvent::Answered { mac, after });
        }
        self.known = true;
        self.silent = false;
        self.unanswered = 0;
        self.due = Some(now + REFRESH);
    }
}
