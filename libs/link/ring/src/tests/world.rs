// SPDX-License-Identifier: BSD-2-Clause
//! Both ends with a test device and stack between and behind them, and checks that no buffer
//! is in two places.

use crate::{
    BUFFER_SIZE, Descriptor, DeviceState, DriverEnd, DriverHalves, Inheritance, LinkEvent, RxSlot,
    ServerEnd, ServerEvent, ServerHalves, TxFrame,
};
use shm::Words as _;
use std::collections::VecDeque;

pub const N: usize = 8;

pub struct Pages {
    pub driver: DriverHalves<N>,
    pub server: ServerHalves<N>,
}

impl Pages {
    pub fn new() -> Self {
        Self {
            driver: DriverHalves::zeroed(),
            server: ServerHalves::zeroed(),
        }
    }
}

/// The driver with the buffers that its device holds, and the frames that went out on the wire.
pub struct Driver<'a> {
    pub end: DriverEnd<'a, N>,
    pub receiving: VecDeque<RxSlot>,
    pub sending: VecDeque<TxFrame>,
    /// Frames sent whose confirmation is kept back.
    pub forgotten: usize,
    pub up: bool,
    pages: &'a Pages,
}

impl<'a> Driver<'a> {
    /// A new life, with what it finds of an earlier one.
    pub fn start(pages: &'a Pages) -> Self {
        Self::start_with(pages, Vec::new())
    }

    /// As [`start`](Self::start), with frames that the device had delivered and the earlier life
    /// had not taken.
    pub fn start_with(pages: &'a Pages, leftovers: Vec<Descriptor>) -> Self {
        let device = DeviceState {
            mac: [2, 0, 0, 0, 0, 1],
            mtu: 1500,
            link_up: true,
        };
        Self {
            end: DriverEnd::start(
                &pages.driver,
                &pages.server,
                device,
                Inheritance::take(&pages.driver, &pages.server, leftovers.into_iter()),
            ),
            receiving: VecDeque::new(),
            sending: VecDeque::new(),
            forgotten: 0,
            up: false,
            pages,
        }
    }

    /// A wake-up: takes all there is. Returns whether the server is to be notified.
    pub fn wake(&mut self) -> bool {
        let mut notify = false;
        loop {
            match self.end.poll() {
                LinkEvent::PeerRestarted(epoch) => {
                    self.receiving.clear();
                    self.sending.clear();
                    self.forgotten = 0;
                    self.end.acknowledge(epoch);
                    self.up = false;
                    continue;
                }
                LinkEvent::Up { .. } => self.up = true,
                LinkEvent::Waiting => self.up = false,
                LinkEvent::OutOfStep => {
                    notify |= self.end.flush();
                    *self = Self::start(self.pages);
                    continue;
                }
            }
            while let Some(slot) = self.end.rx_provide() {
                assert!(!self.receiving.contains(&slot), "provided twice");
                self.receiving.push_back(slot);
            }
            while let Some(frame) = self.end.tx_provide() {
                assert!(
                    self.sending.iter().all(|other| other.slot != frame.slot),
                    "provided twice"
                );
                self.sending.push_back(frame);
            }
            notify |= self.end.flush();
            if !self.end.sleep(true, true) {
                return notify;
            }
        }
    }

    /// A frame arrives from the wire.
    pub fn receive(&mut self, len: u16) -> Option<usize> {
        let slot = self.receiving.pop_front()?;
        let offset = slot.offset();
        self.end.rx_return(slot, 12, len);
        Some(offset + 12)
    }

    /// The oldest frame leaves for the wire.
    pub fn transmit(&mut self) -> Option<(usize, usize)> {
        let TxFrame {
            slot, offset, len, ..
        } = self.sending.pop_front()?;
        self.end.tx_return(slot);
        Some((offset, len))
    }

    /// As [`transmit`](Self::transmit), but the confirmation is kept back.
    pub fn transmit_unconfirmed(&mut self) -> Option<usize> {
        let frame = self.sending.pop_front()?;
        self.forgotten += 1;
        Some(frame.len)
    }
}

/// A wake-up of a server without a stack: polls until nothing is left. Returns whether the driver
/// is to be notified.
pub fn wake_server(
    end: &mut ServerEnd<'_, N>,
    mut work: impl FnMut(&mut ServerEnd<'_, N>),
) -> bool {
    let mut notify = false;
    loop {
        let event = end.poll();
        if matches!(event, ServerEvent::Up { .. }) {
            work(end);
        }
        notify |= end.flush();
        if !end.sleep() {
            return notify;
        }
    }
}

/// A stack that reads nothing.
pub fn drop_frames(end: &mut ServerEnd<'_, N>) {
    while let Some(frame) = end.rx().take() {
        end.rx().give_back(frame);
    }
}

/// Lets both ends wake each other until neither notifies.
pub fn settle(driver: &mut Driver<'_>, server: &mut ServerEnd<'_, N>) {
    let (mut wake_driver, mut wake_server_next) = (true, true);
    for _ in 0..10 {
        if wake_driver {
            wake_driver = false;
            wake_server_next |= driver.wake();
        }
        if wake_server_next {
            wake_server_next = false;
            wake_driver |= wake_server(server, drop_frames);
        }
        if !wake_driver && !wake_server_next {
            return;
        }
    }
    panic!("the ends keep waking each other");
}

/// Which buffer an offset lies in.
pub fn buffer_of(offset: usize) -> usize {
    offset / BUFFER_SIZE
}
