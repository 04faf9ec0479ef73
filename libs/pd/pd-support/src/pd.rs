// SPDX-License-Identifier: BSD-2-Clause

//! The start of a PD, and its event loop's book-keeping.

use log_ring::{LogPage, Writer as LogWriter};
use sel4_microkit::{
    Channel, ChannelSet, Child, DeferredAction, Handler, MessageInfo, panicking, var,
};
use stats::{Common, CounterSet, StatsPage, Writer};

use crate::global::{GLOBAL, count};
use crate::{Peer, clock, counts, limit, log};

/// The channel to the console, the same in every PD (`system.xml`).
pub const CONSOLE: Channel = Channel::new(2);

/// A PD that has started.
pub struct Pd<C: CounterSet> {
    stats: Writer<C>,
}

impl<C: CounterSet> Pd<C> {
    /// To be called first in `init`: sets up log ring, counters and panic hook.
    ///
    /// # Panics
    /// If the system description maps no `log` or `stats`, or one that is too small, or at the
    /// second call.
    pub fn start() -> Self {
        let pd = Self::start_without_log();
        *GLOBAL.log.borrow_mut() = Some(LogWriter::attach(log_page()));
        GLOBAL.console.set(Some(CONSOLE));
        pd
    }

    /// The same for a PD that has no log ring: the console.
    ///
    /// # Panics
    /// If the system description maps no `stats`, or one that is too small, or at the second call.
    pub fn start_without_log() -> Self {
        panicking::set_hook(&log::panic_hook);
        #[cfg(feature = "log")]
        crate::facade::install();
        let stats = Writer::attach(stats_page(), clock::now());
        GLOBAL.pulse.set(Some(stats.pulse()));
        working();
        Self { stats }
    }

    /// The counters. Copies all write the same page.
    pub fn stats(&self) -> Writer<C> {
        self.stats
    }

    /// To be called last in `init`: wraps the handler, so that events are counted and log lines
    /// announced. Tells the parent that this PD is ready.
    pub fn run<H: Handler>(self, handler: H) -> Turns<H, C> {
        self.stats.set_common(Common::ReadyAt, clock::now());
        if let Some(parent) = parent() {
            parent.notify();
        }
        counts::flush(&self.stats);
        log::announce();
        self.stats.pulse().waiting();
        Turns {
            handler,
            stats: self.stats,
        }
    }
}

/// Tells the supervisor that this PD gets somewhere. Only turns that may last for seconds must say
/// so, each time that they have got further: a PD whose turn does not end is restarted.
pub fn working() {
    if let Some(pulse) = GLOBAL.pulse.get() {
        pulse.working();
    }
}

/// The parent, if the system description has a channel to it with `setvar_id="parent_channel"`. A
/// PD tells it when it is ready.
pub fn parent() -> Option<Peer> {
    let id = *var!(parent_channel: usize = usize::MAX);
    (id != usize::MAX).then(|| Peer::new(Channel::new(id)))
}

fn log_page() -> &'static LogPage {
    crate::region!(rw log).page()
}

fn stats_page() -> &'static StatsPage {
    crate::region!(rw stats).page()
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
        self.stats.add_common(Common::WakeUps, 1);
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
        self.stats.add_common(Common::PpcsServed, 1);
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
                count(&GLOBAL.notifications);
                Some(DeferredAction::new_notify(console))
            }
            (action, _) => {
                log::announce();
                action
            }
        };
        counts::flush(&self.stats);
        self.stats.pulse().waiting();
        action
    }
}
