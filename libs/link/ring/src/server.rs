// SPDX-License-Identifier: BSD-2-Clause
//! The server's end of the link: owner of both pools.

use crate::{
    DeviceState, DriverHalves, Filter, LinkEvent, ServerHalves, ServerRx, ServerTx, Session, Tally,
    full_fence,
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
    mine: &'a ServerHalves<N>,
    theirs: &'a DriverHalves<N>,
    session: Session<'a, N>,
    filter: Option<Filter>,
    rx: ServerRx<'a, N>,
    tx: ServerTx<'a, N>,
    restarts: u32,
    renewals: u32,
    /// The driver's last request for a notification that was served (S6).
    served: u32,
    /// The link status of the device that was last reported.
    device_link_up: bool,
    resubmitted: u32,
}

impl<'a, const N: usize> ServerEnd<'a, N> {
    /// Starts the server's end: all buffers are at home. [`flush`](Self::flush) will ask for a
    /// notification.
    pub fn start(mine: &'a ServerHalves<N>, theirs: &'a DriverHalves<N>) -> Self {
        Self {
            mine,
            theirs,
            session: Session::start(&mine.link, &theirs.link),
            filter: None,
            rx: ServerRx::new(mine, theirs),
            tx: ServerTx::new(mine, theirs),
            restarts: 0,
            renewals: 0,
            served: theirs.again.raised(),
            device_link_up: true,
            resubmitted: 0,
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
        self.tx.hurried = false;
        let again = self.theirs.again.raised();
        if again != self.served {
            self.served = again;
            self.session.owes_notification = true;
        }
        let (rx, tx) = (&mut self.rx, &mut self.tx);
        let mut event = self.session.poll(&mut rx.side, &mut tx.side);
        let driver_restarted = matches!(event, LinkEvent::PeerRestarted(_));
        if event == LinkEvent::OutOfStep {
            // The driver resets its device and its halves, and all buffers come home (E6).
            self.session.renew();
            // The page may have been overwritten.
            if let Some(filter) = &self.filter {
                self.mine.filter.write(filter);
            }
            self.renewals = self.renewals.saturating_add(1);
            event = self.session.look(&mut rx.side, &mut tx.side);
        }
        if let LinkEvent::PeerRestarted(epoch) = event {
            rx.reset();
            tx.reset();
            self.session.acknowledge(epoch);
            self.restarts = self.restarts.saturating_add(driver_restarted.into());
            // The driver may have acknowledged us already, and then says nothing more.
            event = self.session.look(&mut rx.side, &mut tx.side);
        }
        let LinkEvent::Up { first } = event else {
            // If the driver has started once more meanwhile, it will notify (E4).
            return ServerEvent::Waiting;
        };
        if first {
            rx.inherit();
            rx.lend_home();
            self.resubmitted = self.resubmitted.saturating_add(tx.resubmit());
        }
        tx.reap();
        rx.note_use();
        ServerEvent::Up { first }
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
        let (rx, tx) = (&mut self.rx.side, &mut self.tx);
        tx.note_use();
        if tx.side.up && tx.is_short() && !tx.side.consumed.has_asked() {
            tx.side.consumed.request_signal();
            self.session.owes_notification = true;
        }
        self.session.flush(rx, &mut tx.side)
    }

    /// Prepares to sleep (S2). Returns whether there is work after all; then go on with
    /// [`poll`](Self::poll).
    #[must_use = "work that has come meanwhile is not signalled again"]
    pub fn sleep(&mut self) -> bool {
        let (rx, tx) = (&mut self.rx.side, &mut self.tx.side);
        if !rx.up {
            return false;
        }
        rx.consumed.request_signal();
        full_fence();
        let mut work = rx.look();
        if tx.consumed.has_asked() {
            work += tx.look();
        }
        work != 0
    }

    /// Time has passed since the last [`flush`](Self::flush). If frames lie there that the driver
    /// has not taken, the next one asks for a notification, whether the driver wants it or not
    /// (S7).
    pub fn nudge(&mut self) {
        self.session.owes_notification |= self.tx.side.up && self.tx.side.produced.has_untaken();
    }

    /// Whether frames wait for the driver to send others. Then [`sleep`](Self::sleep) before
    /// waiting, also after a call.
    pub fn waits_for_buffers(&self) -> bool {
        self.tx.side.up && self.tx.is_short()
    }

    /// The device, as the driver describes it. An allegation like everything else.
    pub fn device(&self) -> DeviceState {
        self.theirs.device.read()
    }

    /// Says which frames the device is to receive; [`flush`](Self::flush) will ask for a
    /// notification if that is something new. Before the first call it may receive all.
    pub fn set_filter(&mut self, filter: Filter) {
        if self.filter.as_ref() != Some(&filter) {
            self.mine.filter.write(&filter);
            self.filter = Some(filter);
            self.session.owes_notification = true;
        }
    }

    /// Violations by the driver since the last call, if there are any.
    pub fn take_violations(&mut self) -> Option<Tally> {
        self.session.confirmed.take()
    }

    /// Whether the device's link is up, if that has changed since the last call; before the first
    /// it counts as up.
    pub fn take_link_change(&mut self) -> Option<bool> {
        let up = self.rx.side.up.then(|| self.device().link_up)?;
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
