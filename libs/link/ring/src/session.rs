// SPDX-License-Identifier: BSD-2-Clause
//! What both ends do alike: looks at the rings and the link, violations, notifications.

use crate::violation::Patience;
use crate::{Link, LinkEvent, LinkWords, PeerEpoch, Side, Tally, full_fence};
use core::mem::take;

/// An end's view of the link between two epochs. Its two [`Side`]s are handed to it at each call.
#[derive(Debug)]
pub(crate) struct Session<'a, const N: usize> {
    pub(crate) link: Link<'a>,
    pub(crate) confirmed: Tally,
    patience: Patience<N>,
    /// The next [`flush`](Self::flush) asks for a notification, whether the peer wants it or not.
    pub(crate) owes_notification: bool,
}

impl<'a, const N: usize> Session<'a, N> {
    pub(crate) fn start(mine: &'a LinkWords, theirs: &'a LinkWords) -> Self {
        Self {
            link: Link::start(mine, theirs),
            confirmed: Tally::default(),
            patience: Patience::default(),
            owes_notification: true,
        }
    }

    /// Withdraws the signal requests (S1), looks at the rings and then at the link (E5).
    pub(crate) fn poll(&mut self, rx: &mut Side<'a, N>, tx: &mut Side<'a, N>) -> LinkEvent {
        rx.consumed.cancel_signal();
        tx.consumed.cancel_signal();
        if rx.up {
            rx.look();
            tx.look();
        }
        self.look(rx, tx)
    }

    /// Looks at the link alone. Violations that were seen while it was up are confirmed; too many
    /// of them are the same as an overwritten word (E6).
    pub(crate) fn look(&mut self, rx: &mut Side<'a, N>, tx: &mut Side<'a, N>) -> LinkEvent {
        let mut event = self.link.poll();
        if matches!(event, LinkEvent::Up { .. }) {
            for suspected in [&mut rx.suspected, &mut tx.suspected] {
                if self.patience.wears_out(suspected) {
                    event = LinkEvent::OutOfStep;
                }
                self.confirmed.absorb(suspected);
            }
        }
        let up = matches!(event, LinkEvent::Up { .. });
        rx.set_up(up);
        tx.set_up(up);
        event
    }

    /// Begins a new epoch of this end (E6).
    pub(crate) fn renew(&mut self) {
        self.link.renew();
        self.owes_notification = true;
    }

    /// Both sides have been reset for the peer's new epoch (E3).
    pub(crate) fn acknowledge(&mut self, peer: PeerEpoch) {
        self.link.acknowledge(peer);
        self.patience = Patience::default();
        self.owes_notification = true;
    }

    /// Makes everything visible to the peer. Returns whether it must be notified now (S3, S4, E4).
    pub(crate) fn flush(&mut self, rx: &mut Side<'a, N>, tx: &mut Side<'a, N>) -> bool {
        // Heads before tails: a peer that sees a descriptor also finds room for its answer.
        rx.consumed.release();
        tx.consumed.release();
        rx.publish();
        tx.publish();
        let (rx_new, tx_new) = (take(&mut rx.unsignalled), take(&mut tx.unsignalled));
        let mut notify = take(&mut self.owes_notification);
        if rx_new || tx_new {
            full_fence();
            notify |= rx_new && rx.produced.signal_wanted();
            notify |= tx_new && tx.produced.signal_wanted();
        }
        notify
    }
}
