// SPDX-License-Identifier: BSD-2-Clause

//! The start of a PD, and its event loop's book-keeping.

use sel4_microkit::{Channel, ChannelSet, Child, DeferredAction, Handler, MessageInfo, panicking};
use shm::ReadWrite;
use stats::{Common, CounterSet, Writer};
use wiring::role;

use crate::declared::{find_peer, own_region};
use crate::global::{GLOBAL, count};
use crate::{clock, limit, log};

/// A PD that has started.
pub struct Pd<C: CounterSet> {
    stats: Writer<C>,
}

impl<C: CounterSet> Pd<C> {
    /// Sets up log ring, counters and panic hook. Call it first in `init`.
    ///
    /// # Panics
    /// If the PD has no wiring table of this build, or no counters, or at the second call.
    pub fn start() -> Self {
        panicking::set_hook(&log::panic_hook);
        #[cfg(feature = "log")]
        crate::facade::install();
        let counters = own_region::<ReadWrite>(role::COUNTERS);
        let page = counters.expect("no counters in the wiring table").page();
        let stats = Writer::attach(page, clock::now());
        GLOBAL.stats.set(Some(stats.untyped()));
        working();
        // The console has no ring: it prints itself.
        if let Some(log) = own_region::<ReadWrite>(role::LOG) {
            *GLOBAL.log.borrow_mut() = Some(log_ring::Writer::attach(log.page()));
            GLOBAL.console.set(find_peer(role::LOG));
        }
        Self { stats }
    }

    /// Returns the counters. All copies write the same page.
    pub fn stats(&self) -> Writer<C> {
        self.stats
    }

    /// Wraps the handler, so that events are counted and log lines announced, and tells the parent
    /// that this PD is ready. Call it last in `init`.
    pub fn run<H: Handler>(self, handler: H) -> Turns<H, C> {
        tell_ready();
        log::announce();
        self.stats.pulse().waiting();
        Turns {
            handler,
            stats: self.stats,
        }
    }
}

/// Tells the parent that this PD is ready, once.
fn tell_ready() {
    if GLOBAL.ready.replace(true) {
        return;
    }
    if let Some(stats) = GLOBAL.stats.get() {
        stats.common(Common::ReadyAt).set(clock::now());
    }
    if let Some(parent) = find_peer(role::SUPERVISION) {
        parent.notify();
    }
}

/// Tells the supervisor that this PD makes progress. Only turns that may last for seconds must call
/// it, each time that they have got further: a PD whose turn does not end is restarted.
pub fn working() {
    if let Some(stats) = GLOBAL.stats.get() {
        stats.pulse().working();
    }
}

/// Waits in the middle of a turn: the rest is [`sel4_microkit::wait_for_signal`]. Log lines are
/// announced first, and the supervisor sees that the PD waits. A PD that waits is ready, also
/// within its `init`.
///
/// # Errors
/// Those of `handler`.
pub fn wait<H: Handler>(handler: &mut H) -> Result<ChannelSet, H::Error> {
    tell_ready();
    limit::tell();
    log::announce();
    if let Some(stats) = GLOBAL.stats.get() {
        stats.pulse().waiting();
    }
    let channels = sel4_microkit::wait_for_signal(handler);
    working();
    count(Common::WakeUps, 1);
    channels
}

/// A handler whose turns are counted, and shown to the supervisor. After each turn, the console is
/// told of new log lines.
pub struct Turns<H, C: CounterSet> {
    handler: H,
    stats: Writer<C>,
}

impl<H, C: CounterSet> Turns<H, C> {
    fn begin(&self) {
        self.stats.pulse().working();
        self.stats.common(Common::WakeUps).add(1);
    }
}

impl<H: Handler, C: CounterSet> Handler for Turns<H, C> {
    type Error = H::Error;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), H::Error> {
        self.begin();
        self.handler.notified(channels)
    }

    fn protected(
        &mut self,
        channel: Channel,
        msg_info: MessageInfo,
    ) -> Result<MessageInfo, H::Error> {
        self.begin();
        self.stats.common(Common::PpcsServed).add(1);
        self.handler.protected(channel, msg_info)
    }

    fn fault(
        &mut self,
        child: Child,
        msg_info: MessageInfo,
    ) -> Result<Option<MessageInfo>, H::Error> {
        self.begin();
        self.handler.fault(child, msg_info)
    }

    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        let action = self.handler.take_deferred_action();
        limit::tell();
        let action = match (action, GLOBAL.console.get()) {
            // The signal to the console goes out with the receive if the handler has nothing else
            // for it.
            (None, Some(console)) if GLOBAL.unannounced.take() => {
                count(Common::NotificationsSent, 1);
                Some(DeferredAction::new_notify(console.channel()))
            }
            (action, _) => {
                log::announce();
                action
            }
        };
        self.stats.pulse().waiting();
        action
    }
}
