// SPDX-License-Identifier: BSD-2-Clause
//! Device and generator together: what the driver does for a call.

use driver_proto::CallError;
use stats::{RngDriver as Counter, Writer};
use virtio_drivers::transport::Transport;

use crate::generator::Fingerprint;
use crate::{Device, DeviceError, Generator, RequestPage, SEED_LEN, Seed, StartError};

/// Errors of the device, without a seed between them, after which it is given up.
pub const MAX_FAILURES: u32 = 8;

/// What has happened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Event {
    /// The generator has its first seed.
    Seeded,
    /// The device was reset for this reason.
    Reset(DeviceError),
    /// The device was given up: it made [`MAX_FAILURES`] errors, of which this was the last.
    GivenUp(DeviceError),
    /// The device was given up: it did not come up after a reset.
    Lost(StartError),
}

/// A source of random bytes.
pub struct Source<'a, T: Transport> {
    device: Device<'a, T>,
    /// The device was not given up.
    usable: bool,
    generator: Generator,
    policy: Policy,
    /// When the last seed was complete, in ticks.
    seeded_at: u64,
    /// The seed that is being collected, and how many bytes of it there are.
    seed: Seed,
    collected: usize,
    /// What tells the last seed from others, at first zeros: what a device leaves that writes
    /// nothing.
    last_seed: Fingerprint,
    /// Errors of the device since the last seed.
    failures: u32,
    event: Option<Event>,
    stats: Writer<Counter>,
}

/// How the generator is seeded.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// The device is asked for another seed when the last one is this old, in ticks.
    pub interval: u64,
    /// How often the driver has been restarted since boot. With the time it keeps apart two lives
    /// of the driver to which the device brings the same seed.
    pub restarts: u64,
}

impl<'a, T: Transport> Source<'a, T> {
    /// Takes the device and asks it for the first seed. For `page` and `paddr` see
    /// [`Device::start`].
    ///
    /// # Errors
    /// The device cannot be used.
    pub fn start(
        transport: T,
        page: &'a RequestPage,
        paddr: u64,
        policy: Policy,
        stats: Writer<Counter>,
    ) -> Result<Self, StartError> {
        let mut device = Device::start(transport, page, paddr)?;
        device.ask(SEED_LEN);
        Ok(Self {
            device,
            usable: true,
            generator: Generator::new(),
            policy,
            seeded_at: 0,
            seed: Seed::default(),
            collected: 0,
            last_seed: Fingerprint::of(&Seed::default()),
            failures: 0,
            event: None,
            stats,
        })
    }

    /// Bytes for one caller. `now` is the time in ticks.
    ///
    /// # Errors
    /// [`CallError::NotReady`] if the device has not brought a whole seed yet,
    /// [`CallError::NoDevice`] if it was given up before it had brought one.
    pub fn bytes(&mut self, now: u64) -> Result<Seed, CallError> {
        if self.usable {
            self.look(now);
        }
        match self.generator.generate() {
            Some(bytes) => {
                self.stats.add(Counter::BytesOut, SEED_LEN as u64);
                Ok(bytes)
            }
            None => {
                self.stats.inc(Counter::Refused);
                Err(if self.usable {
                    CallError::NotReady
                } else {
                    CallError::NoDevice
                })
            }
        }
    }

    /// Takes the last event, for the log, if it has not been taken yet.
    pub fn take_event(&mut self) -> Option<Event> {
        self.event.take()
    }

    /// One step with the device: takes what it has brought, or asks it when it is time.
    fn look(&mut self, now: u64) {
        match self.device.take() {
            Ok(Some((bytes, len))) => self.collect(&bytes[..len], now),
            Ok(None) => {
                let due = now.wrapping_sub(self.seeded_at) >= self.policy.interval;
                if due || !self.generator.is_seeded() {
                    self.device.ask(SEED_LEN);
                }
            }
            Err(error) => self.failed(error),
        }
    }

    /// Adds bytes to the seed. A device may bring fewer than it was asked for (virtio 1.2 section
    /// 5.4.6.2).
    fn collect(&mut self, bytes: &[u8], now: u64) {
        self.stats.add(Counter::BytesIn, bytes.len() as u64);
        let room = &mut self.seed[self.collected..];
        let len = bytes.len().min(room.len());
        room[..len].copy_from_slice(&bytes[..len]);
        self.collected += len;
        if self.collected < SEED_LEN {
            self.device.ask(SEED_LEN - self.collected);
            return;
        }
        let seed = core::mem::take(&mut self.seed);
        self.collected = 0;
        let fingerprint = Fingerprint::of(&seed);
        if fingerprint == self.last_seed {
            self.failed(DeviceError::Repeated);
            return;
        }
        if !self.generator.is_seeded() {
            self.event = Some(Event::Seeded);
        }
        self.generator.seed(&seed, [now, self.policy.restarts]);
        self.last_seed = fingerprint;
        self.seeded_at = now;
        self.failures = 0;
        self.stats.inc(Counter::Seeds);
    }

    /// Resets the device and asks again, or gives it up. What the generator has been seeded with
    /// before stays good.
    fn failed(&mut self, error: DeviceError) {
        self.stats.inc(Counter::DeviceErrors);
        self.failures += 1;
        self.collected = 0;
        self.event = Some(if self.failures >= MAX_FAILURES {
            self.device.give_up();
            self.usable = false;
            Event::GivenUp(error)
        } else if let Err(lost) = self.device.restart() {
            self.usable = false;
            Event::Lost(lost)
        } else {
            self.device.ask(SEED_LEN);
            Event::Reset(error)
        });
    }
}
