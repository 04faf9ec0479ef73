// SPDX-License-Identifier: BSD-2-Clause

//! Only in images made for tests: makes a child fault when the console asks for it.

use core::fmt;

use pd_support::{info, region, warn};
use sel4_microkit::{Channel, Child};
use stats::{Supervisor as Counter, Writer};
use supervision::CrashRequest;

use crate::children::Names;

/// The console, when it has written a request.
pub const CONSOLE: Channel = Channel::new(3);

/// An address that no PD has mapped: the child faults at the next instruction it would execute.
const UNMAPPED: usize = 0x10;

/// Takes the console's requests.
pub struct Injection {
    page: &'static CrashRequest,
    seen: u64,
}

impl Injection {
    /// To be called once.
    ///
    /// # Panics
    /// If the system description does not map `crash_request`.
    pub fn take() -> Self {
        Self {
            page: region!(r crash_request).page(),
            seen: 0,
        }
    }

    /// Does what the console asks, if it asks for something new.
    pub fn serve(&mut self, names: &Names, stats: &Writer<Counter>) {
        let known = names.by_id();
        match self.page.take(&mut self.seen, &known) {
            None => {}
            Some(Err(())) => warn!(
                "crash: no such protection domain; there are:{}",
                List(&known)
            ),
            Some(Ok(id)) => {
                stats.inc(Counter::FaultsInjected);
                info!("crashing {} on request", names.of(Child::new(id)));
                if let Err(error) = Child::new(id).restart(UNMAPPED) {
                    warn!("that failed: {error}");
                }
            }
        }
    }
}

struct List<'a>(&'a [&'static str]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .filter(|name| !name.is_empty())
            .try_for_each(|name| write!(f, " {name}"))
    }
}
