// SPDX-License-Identifier: BSD-2-Clause

//! Only in images made for tests: makes a child fault or hang when the console asks for it.

use pd_support::{Peer, ReadOnly, clock, info, peer, region, warn};
use sel4_microkit::{Child, HANG_POINT};
use stats::Supervisor as Counter;
use supervision::{Action, Cause, FaultReport, FaultRequest};

use crate::Supervisor;

/// Memory and channel for the console's requests.
const REQUEST: &str = "fault_request";

/// An address that no PD has mapped: the child faults at the next instruction it would execute.
const UNMAPPED: usize = 0x10;

/// Takes the console's requests.
pub struct Injection {
    page: &'static FaultRequest,
    /// The console, when it has written a request.
    pub console: Peer,
    seen: u64,
}

impl Injection {
    /// To be called once.
    ///
    /// # Panics
    /// If the declaration gives this PD no memory for requests.
    pub fn take() -> Self {
        Self {
            page: region::<ReadOnly>(REQUEST).page(),
            console: peer(REQUEST),
            seen: 0,
        }
    }
}

impl Supervisor {
    /// Does what the console asks, if it asks for something new.
    pub fn inject(&mut self) {
        let (action, child) = match self.injection.page.take(&mut self.injection.seen) {
            None => return,
            Some((Some(action), id)) if self.table.is_known(id) => (action, Child::new(id)),
            Some(_) => {
                let names = self.table.names();
                warn!("no such protection domain; there are:{names}");
                return;
            }
        };
        let name = self.table.name(child);
        if self.children.is_parked(child.index()) {
            warn!("{name} is parked, it cannot {}", action.word());
            return;
        }
        let to = match action {
            Action::Crash => UNMAPPED,
            Action::Hang if self.is_working(child) => HANG_POINT,
            Action::Hang => {
                info!("{name} waits, it cannot hang");
                return;
            }
            Action::Stall => {
                self.note_start(child);
                HANG_POINT
            }
        };
        info!("{name} is made to {}", action.word());
        self.stats.inc(Counter::FaultsInjected);
        if let Err(error) = child.restart(to) {
            warn!("that failed: {error}");
        }
    }

    fn is_working(&self, child: Child) -> bool {
        self.table
            .sight(child.index(), false)
            .is_some_and(|sight| sight.beat.is_working())
    }

    /// A child that is sent somewhere else than to its start is to be taken for one that starts.
    fn note_start(&mut self, child: Child) {
        let report = FaultReport::new(Cause::Hang, None);
        // If the policy parks it, it hangs until its pause is over.
        let _ = self.children.fault(child.index(), report, clock::now());
    }
}
