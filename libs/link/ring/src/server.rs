// SPDX-License-Identifier: BSD-2-Clause
//! The server's end of the link: owner of both pools.

use crate::violation::Patience;
use crate::{
    Consumer, DeviceState, DriverHalves, Link, LinkEvent, Queue, Reason, ServerHalves, ServerRx,
    ServerTx, Tally, full_fence,
};
use core::mem::take;

/// What a look at the link says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ServerEvent {
    /// The rings may be used. `first` is true once for each start of the driver:
    /// [`ServerEnd::device`] may have changed, and unconfirmed frames have been submitted once
    /// more.
    Up {
        /// The link was not up before for this start of the driver.
        first: bool,
    },
    /// The driver has not started yet, or has not seen us. Nothing is received, and no buffer is to
    /// be had.
    Waiting,
}

/// The server's end.
///
/// The order within a wake-up: [`poll`](Self::poll); take frames, give them back, submit others;
/// [`flush`](Self::flush); and when there is nothing more to do [`sleep`](Self::sleep).
#[derive(Debug)]
pub struct ServerEnd<'a, const N: usize> {
    theirs: &'a DriverHalves<N>,
    link: Link<'a>,
    rx: ServerRx<'a, N>,
    tx: ServerTx<'a, N>,
    confirmed: Tally,
    patience: Patience<N>,
    restarts: u32,
    renewals: u32,
    /// The driver's last request for a notification that was served (S6).
    served: u32,
    /// The link status of the device that was last reported.
    device_link_up: bool,
    resubmitted: u32,
    owes_notification: bool,
}

impl<'a, const N: usize> ServerEnd<'a, N> {
    /// Starts the server's end: all buffers are at home. [`flush`](Self::flush) will ask for a
    /// notification.
    pub fn start(mine: &'a ServerHalves<N>, theirs: &'a DriverHalves<N>) -> Self {
        Self {
            theirs,
            link: Link::start(&mine.link, &theirs.link),
            rx: ServerRx::new(mine, theirs),
            tx: ServerTx::new(mine, theirs),
            confirmed: Tally::default(),
            patience: Patience::default(),
            restarts: 0,
            renewals: 0,
            served: theirs.again.raised(),
            device_link_up: true,
            resubmitted: 0,
            owes_notification: true,
        }
    }

    /// Looks at the rings and at the link, withdraws the signal requests (S1), and takes back the
    /// buffers of sent frames. Call it on every wake-up and after each [`sleep`](Self::sleep)
    /// that says there is work.
    ///
    /// A driver that has started anew is dealt with here: once it has seen us, the frames that it
    /// has inherited are to be had (B5), all other buffers are lent again, and unconfirmed frames
    /// are submitted once more (B3). So are ends that are out of step (E6).
    pub fn poll(&mut self) -> ServerEvent {
        self.rx.active.cancel_signal();
        self.tx.free.cancel_signal();
        self.tx.hurried = false;
        if self.rx.up {
            Self::refresh(&mut self.rx.active, Queue::RxActive, &mut self.rx.suspected);
            Self::refresh(&mut self.tx.free, Queue::TxFree, &mut self.tx.suspected);
        }
        let again = self.theirs.again.raised();
        if again != self.served {
            self.served = again;
            self.owes_notification = true;
        }
        let mut event = self.link.poll();
        let driver_restarted = matches!(event, LinkEvent::PeerRestarted(_));
        let out_of_step = match event {
            LinkEvent::Overwritten => true,
            LinkEvent::Up { .. } => self.confirm_violations(),
            LinkEvent::PeerRestarted(_) | LinkEvent::Waiting => false,
        };
        if out_of_step {
            self.renew();
            event = self.link.poll();
        }
        if let LinkEvent::PeerRestarted(epoch) = event {
            self.set_up(false);
            self.rx.reset();
            self.tx.reset();
            self.link.acknowledge(epoch);
            self.restarts = self.restarts.saturating_add(driver_restarted.into());
            self.patience = Patience::default();
            self.owes_notification = true;
            // The driver may have acknowledged us already, and then says nothing more.
            event = self.link.poll();
        }
        match event {
            LinkEvent::Up { first } => {
                self.set_up(true);
                if first {
                    self.rx.inherit();
                    self.rx.lend_all();
                    self.resubmitted = self.resubmitted.saturating_add(self.tx.resubmit());
                }
                self.tx.reap();
                ServerEvent::Up { first }
            }
            // If the driver has started once more meanwhile, it will notify (E4).
            LinkEvent::PeerRestarted(_) | LinkEvent::Waiting | LinkEvent::Overwritten => {
                self.set_up(false);
                ServerEvent::Waiting
            }
        }
    }

    /// Confirms the violations seen while the link was up. Returns whether there were too many of
    /// them in this epoch (E6).
    fn confirm_violations(&mut self) -> bool {
        let (rx, tx) = (&mut self.rx.suspected, &mut self.tx.suspected);
        let worn_out = self.patience.wears_out(rx) | self.patience.wears_out(tx);
        self.confirmed.absorb(rx);
        self.confirmed.absorb(tx);
        worn_out
    }

    /// Begins a new epoch of this end: the driver resets its device and its halves, and all buffers
    /// come home (E6).
    fn renew(&mut self) {
        self.link.renew();
        self.set_up(false);
        self.renewals = self.renewals.saturating_add(1);
        self.owes_notification = true;
    }

    fn refresh(ring: &mut Consumer<'a, N>, queue: Queue, suspected: &mut Tally) -> u32 {
        ring.refresh().unwrap_or_else(|violation| {
            suspected.note(queue, Reason::Index(violation));
            0
        })
    }

    /// With the link down nothing that was read counts, neither as descriptors nor as a violation
    /// (E5).
    fn set_up(&mut self, up: bool) {
        (self.rx.up, self.tx.up) = (up, up);
        if !up {
            self.rx.suspected = Tally::default();
            self.tx.suspected = Tally::default();
        }
    }

    /// The receive side.
    pub fn rx(&mut self) -> &mut ServerRx<'a, N> {
        &mut self.rx
    }

    /// The transmit side.
    pub fn tx(&mut self) -> &mut ServerTx<'a, N> {
        &mut self.tx
    }

    /// Both sides at once, for a device trait that hands out a receive and a transmit token
    /// together.
    pub fn split(&mut self) -> (&mut ServerRx<'a, N>, &mut ServerTx<'a, N>) {
        (&mut self.rx, &mut self.tx)
    }

    /// Makes everything visible to the driver. Returns whether the driver must be notified now (S3,
    /// S4, S7, E4, B4).
    #[must_use = "the driver sleeps on if it is not notified"]
    pub fn flush(&mut self) -> bool {
        // Heads before tails: a driver that is lent a buffer again also finds room to return it.
        self.rx.active.release();
        self.tx.free.release();
        let rx = self.rx.free.publish();
        let tx = self.tx.active.publish();
        let mut notify = take(&mut self.owes_notification);
        if self.tx.up && self.tx.is_short() && !self.tx.free.has_asked() {
            self.tx.free.request_signal();
            notify = true;
        }
        if rx || tx {
            full_fence();
            notify |= rx && self.rx.free.signal_wanted();
            notify |= tx && self.tx.active.signal_wanted();
        }
        notify
    }

    /// Prepares to sleep (S2). Returns whether there is work after all; then go on with
    /// [`poll`](Self::poll).
    #[must_use = "work that has come meanwhile is not signalled again"]
    pub fn sleep(&mut self) -> bool {
        if !self.rx.up {
            return false;
        }
        self.rx.active.request_signal();
        full_fence();
        let mut work = Self::refresh(&mut self.rx.active, Queue::RxActive, &mut self.rx.suspected);
        if self.tx.free.has_asked() {
            work += Self::refresh(&mut self.tx.free, Queue::TxFree, &mut self.tx.suspected);
        }
        work != 0
    }

    /// Time has passed since the last [`flush`](Self::flush). If frames lie there that the driver
    /// has not taken, the next one asks for a notification, whether the driver wants it or not
    /// (S7).
    pub fn nudge(&mut self) {
        self.owes_notification |= self.tx.up && self.tx.active.has_untaken();
    }

    /// Whether frames wait for the driver to send others. Then [`sleep`](Self::sleep) before
    /// waiting, also after a call.
    pub fn waits_for_buffers(&self) -> bool {
        self.tx.up && self.tx.is_short()
    }

    /// The device, as the driver describes it. An allegation like everything else.
    pub fn device(&self) -> DeviceState {
        self.theirs.device.read()
    }

    /// Buffers of both pools that are not with the driver.
    pub fn buffers_at_home(&self) -> usize {
        self.rx.at_home() + self.tx.at_home()
    }

    /// Violations by the driver since the last call, if there are any.
    pub fn take_violations(&mut self) -> Option<Tally> {
        self.confirmed.take()
    }

    /// Whether the device's link is up, if that has changed since the last call; before the first
    /// it counts as up.
    pub fn take_link_change(&mut self) -> Option<bool> {
        let up = self.rx.up.then(|| self.device().link_up)?;
        (core::mem::replace(&mut self.device_link_up, up) != up).then_some(up)
    }

    /// New epochs begun since the last call because the ends were out of step (E6).
    pub fn take_renewals(&mut self) -> u32 {
        take(&mut self.renewals)
    }

    /// Starts of the driver seen since the last call, the first included.
    pub fn take_restarts(&mut self) -> u32 {
        take(&mut self.restarts)
    }

    /// Frames submitted once more since the last call.
    pub fn take_resubmitted(&mut self) -> u32 {
        take(&mut self.resubmitted)
    }
}
