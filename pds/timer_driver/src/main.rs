// SPDX-License-Identifier: BSD-2-Clause

//! Timer driver: owns the comparator of the generic timer and lets every caller have one deadline
//! (`driver-proto`).
//!
//! Each PD with a channel for calls to it is a client; no list of them is needed. Which channels
//! have ever called survives a restart, so that after one all of them can be notified.

#![no_std]
#![no_main]

mod comparator;

use core::sync::atomic::{AtomicU64, Ordering};

use driver_proto::{Deadlines, SetTimeout, encode_result};
use pd_support::{Pd, Peer, clock, error, info, interrupt, with_words};
use sel4_microkit::{
    Channel, ChannelSet, DeferredAction, DeferredActionSlot, Handler, Infallible, MessageInfo,
    persistent, protection_domain,
};
use stats::{TimerDriver, Writer};

use comparator::Comparator;

persistent! {
    /// Bit n: channel n has made a call since boot.
    static CALLERS: AtomicU64 = AtomicU64::new(0);
}

struct Driver {
    comparator: Comparator,
    /// The comparator's interrupt.
    irq: Channel,
    deadlines: Deadlines<{ Channel::COUNT }>,
    deferred: DeferredActionSlot,
    stats: Writer<TimerDriver>,
}

#[protection_domain]
fn init() -> impl Handler {
    let pd = Pd::<TimerDriver>::start();
    let comparator = Comparator::take();
    info!("timer at {} Hz", clock::frequency());
    // The callers' deadlines are forgotten after a restart; each one notified sets its own again.
    notify(CALLERS.load(Ordering::Relaxed));
    let driver = Driver {
        comparator,
        irq: interrupt(),
        deadlines: Deadlines::default(),
        deferred: DeferredActionSlot::new(),
        stats: pd.stats(),
    };
    pd.run(driver)
}

/// Notifies the callers whose bits are set.
fn notify(callers: u64) {
    for caller in (0..Channel::COUNT).filter(|caller| callers >> caller & 1 == 1) {
        Peer::new(Channel::new(caller)).notify();
    }
}

impl Driver {
    fn set_timeout(&mut self, caller: usize, deadline: u64) {
        self.stats.inc(TimerDriver::TimeoutsSet);
        if deadline <= clock::now() {
            self.stats.inc(TimerDriver::TimeoutsLate);
        }
        self.deadlines.set(caller, deadline);
        self.advance();
    }

    /// Notifies whose time has come, and sets the comparator to the next deadline, whatever it was
    /// set to: where the kernel lets every PD write its registers, somebody else may have.
    fn advance(&mut self) {
        let due = self.deadlines.expire(clock::now());
        self.comparator.set(self.deadlines.next());
        self.stats
            .add(TimerDriver::TimeoutsFired, due.count_ones().into());
        notify(due);
    }
}

impl Handler for Driver {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        // First the comparator, so that the line is down when the interrupt is let in again.
        // Besides the interrupt it is the supervisor that notifies, once a second: no deadline is
        // missed by more, even if the comparator was stopped behind our back.
        self.advance();
        if channels.contains(self.irq) {
            self.stats.inc(TimerDriver::Irqs);
            if let Err(error) = self.deferred.defer_irq_ack(self.irq) {
                error!("{error}");
            }
        }
        Ok(())
    }

    fn protected(
        &mut self,
        channel: Channel,
        msg_info: MessageInfo,
    ) -> Result<MessageInfo, Infallible> {
        let caller = channel.index();
        CALLERS.store(
            CALLERS.load(Ordering::Relaxed) | 1 << caller,
            Ordering::Relaxed,
        );
        let request = with_words(&msg_info, |words| {
            SetTimeout::decode(msg_info.label(), words)
        });
        let result = request.map(|request| self.set_timeout(caller, request.deadline));
        if result.is_err() {
            self.stats.inc(TimerDriver::Violations);
        }
        Ok(MessageInfo::new(encode_result(result), 0))
    }

    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        self.deferred.take()
    }
}
