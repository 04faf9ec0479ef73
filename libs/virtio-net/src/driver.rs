// SPDX-License-Identifier: BSD-2-Clause
//! The driver: frames between the device and the packet link.

use crate::queues::HEADER_LEN;
use crate::{Device, DeviceError, PacketMemory, Queues, StartError};
use ring::{
    BUFFER_SIZE, DeviceState, DriverEnd, DriverEvent, DriverHalves, Flags, MIN_FRAME, ServerHalves,
    Tally,
};
use stats::{NetDriver as Counter, Writer, mac_to_value};
use virtio_drivers::Hal;
use virtio_drivers::transport::{InterruptStatus, Transport};

/// Frames that a pass takes from the device at most, so that the server gets the first ones while there are more.
const BUDGET: usize = 256;

/// A driver of one device for one server, with `N` buffers in each direction, and queues of `RX` and `TX` descriptors.
pub struct NetDriver<'a, H: Hal, T: Transport, const N: usize, const RX: usize, const TX: usize> {
    device: Device<H, T, RX, TX>,
    mine: &'a DriverHalves<N>,
    theirs: &'a ServerHalves<N>,
    end: DriverEnd<'a, N>,
    stats: Writer<Counter>,
    /// The device has been given something since it was brought up.
    used: bool,
    /// An interrupt came whose reason is not counted yet.
    interrupted: bool,
    violations: Tally,
    device_error: Option<DeviceError>,
}

/// What a pass moved.
#[derive(Clone, Copy, Debug, Default)]
struct Moved {
    received: usize,
    confirmed: usize,
    posted: usize,
    sent: usize,
}

impl Moved {
    fn anything(self) -> bool {
        self.received + self.confirmed + self.posted + self.sent != 0
    }
}

impl<'a, H: Hal, T: Transport, const N: usize, const RX: usize, const TX: usize>
    NetDriver<'a, H, T, N, RX, TX>
{
    /// The queues have room for all buffers, so that nothing ever waits for room.
    const QUEUES_ARE_LARGE_ENOUGH: () = assert!(RX >= N && TX >= 2 * N);

    /// Resets the device, brings it up, and starts the driver's end of the link. [`run`](Self::run) then notifies the server.
    ///
    /// # Errors
    ///
    /// The device cannot be used; see [`StartError`].
    pub fn start(
        transport: T,
        memory: PacketMemory,
        mine: &'a DriverHalves<N>,
        theirs: &'a ServerHalves<N>,
        stats: Writer<Counter>,
    ) -> Result<Self, StartError> {
        let () = Self::QUEUES_ARE_LARGE_ENOUGH;
        let mut device = Device::new(transport, memory)?;
        let state = device.bring_up()?;
        stats.inc(Counter::DeviceResets);
        show(&stats, &state);
        let end = DriverEnd::start(mine, theirs, state);
        Ok(Self {
            device,
            mine,
            theirs,
            end,
            stats,
            used: false,
            interrupted: false,
            violations: Tally::default(),
            device_error: None,
        })
    }

    /// Acknowledges the device's interrupt. To be called first when one has come, and followed by [`run`](Self::run).
    ///
    /// # Errors
    ///
    /// The device had to be reset, and cannot be brought up again.
    pub fn interrupt(&mut self) -> Result<(), StartError> {
        let status = self.device.acknowledge_interrupt();
        if status.contains(InterruptStatus::DEVICE_CONFIGURATION_INTERRUPT) {
            self.stats.inc(Counter::IrqsConfig);
            if self.device.needs_reset() {
                self.stats.inc(Counter::DeviceErrors);
                self.device_error = Some(DeviceError::NeedsReset);
                return self.recover();
            }
            let up = self.device.link_up()?;
            self.stats.set(Counter::LinkUp, up.into());
            self.end.set_link_up(up);
        }
        self.interrupted = !status.contains(InterruptStatus::DEVICE_CONFIGURATION_INTERRUPT)
            || status.contains(InterruptStatus::QUEUE_INTERRUPT);
        Ok(())
    }

    /// Works until there is nothing to do, calling `notify` whenever the server must be notified. Returns with the device's interrupts on.
    ///
    /// # Errors
    ///
    /// The device had to be reset, and cannot be brought up again.
    pub fn run(&mut self, mut notify: impl FnMut()) -> Result<(), StartError> {
        loop {
            if let DriverEvent::PeerRestarted(epoch) = self.end.poll() {
                self.stats.inc(Counter::PeerRestarts);
                // Before the server hears that it can have its buffers back, the device must be done with them.
                if self.used {
                    self.restart_device()?;
                }
                self.end.acknowledge(epoch);
                if self.end.flush() {
                    notify();
                }
                continue;
            }
            match self.turn(&mut notify) {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) => {
                    self.stats.inc(Counter::DeviceErrors);
                    self.device_error = Some(error);
                    self.recover()?;
                }
            }
        }
    }

    /// One pass, and when it has moved nothing, the preparations for sleep. Returns whether there is more to do.
    fn turn(&mut self, notify: &mut impl FnMut()) -> Result<bool, DeviceError> {
        let moved = self.pass()?;
        self.count(moved);
        if self.end.flush() {
            notify();
        }
        if moved.anything() {
            return Ok(true);
        }
        let wants_tx = self.end.server_wants_tx();
        let Some((queues, _)) = self.device.queues() else {
            return Ok(false);
        };
        // Sent frames are worth an interrupt only if somebody waits for their buffers.
        let more = queues.unmask(wants_tx && queues.in_flight() > 0);
        let few = queues.receive_buffers() < N / 2;
        Ok(more || self.end.sleep(few))
    }

    /// Moves what there is, in all four directions.
    fn pass(&mut self) -> Result<Moved, DeviceError> {
        let mut moved = Moved::default();
        let Some((queues, transport)) = self.device.queues() else {
            return Ok(moved);
        };
        queues.mask();
        moved.received = receive(queues, &mut self.end, &self.stats)?;
        while let Some(slot) = queues.tx_take()? {
            self.end.tx_return(slot);
            moved.confirmed += 1;
        }
        while let Some(slot) = self.end.rx_provide() {
            queues.rx_post(slot)?;
            moved.posted += 1;
        }
        let mut bytes = 0;
        while let Some(frame) = self.end.tx_provide() {
            bytes += frame.len as u64;
            queues.tx_post(frame)?;
            moved.sent += 1;
        }
        if moved.sent > 0 {
            self.stats.inc(Counter::TxBatches);
            self.stats.add(Counter::TxFrames, moved.sent as u64);
            self.stats.add(Counter::TxBytes, bytes);
        }
        let (rx, tx) = queues.doorbells(transport);
        self.stats.add(Counter::DoorbellsRx, rx.into());
        self.stats.add(Counter::DoorbellsTx, tx.into());
        self.used |= moved.posted + moved.sent != 0;
        Ok(moved)
    }

    fn count(&mut self, moved: Moved) {
        if core::mem::take(&mut self.interrupted) {
            self.stats.inc(match moved {
                Moved { received: 1.., .. } => Counter::IrqsRx,
                Moved { confirmed: 1.., .. } => Counter::IrqsTx,
                _ => Counter::IrqsSpurious,
            });
        }
        if let Some((queues, _)) = self.device.queues() {
            let held = queues.receive_buffers() as u64;
            self.stats.set(Counter::RxBuffersHeld, held);
        }
        if let Some(mut tally) = self.end.take_violations() {
            self.stats.add(Counter::Violations, tally.count.into());
            self.violations.absorb(&mut tally);
        }
    }

    /// Resets the device and brings it up again.
    fn restart_device(&mut self) -> Result<DeviceState, StartError> {
        self.device.reset()?;
        self.stats.inc(Counter::DeviceResets);
        self.used = false;
        let state = self.device.bring_up()?;
        show(&self.stats, &state);
        Ok(state)
    }

    /// Goes on after the device broke the rules: resets it and starts a new epoch, upon which the server lends its buffers again.
    fn recover(&mut self) -> Result<(), StartError> {
        let state = self.restart_device()?;
        self.end = DriverEnd::start(self.mine, self.theirs, state);
        Ok(())
    }

    /// Violations by the server since the last call, for the log.
    pub fn take_violations(&mut self) -> Option<Tally> {
        self.violations.take()
    }

    /// The last error of the device since the last call, for the log.
    pub fn take_device_error(&mut self) -> Option<DeviceError> {
        self.device_error.take()
    }

    /// The device, for tests and diagnosis.
    pub fn device(&mut self) -> &mut Device<H, T, RX, TX> {
        &mut self.device
    }
}

/// Takes received frames to the server. Returns how many buffers came from the device.
fn receive<H: Hal, const N: usize, const RX: usize, const TX: usize>(
    queues: &mut Queues<H, RX, TX>,
    end: &mut DriverEnd<'_, N>,
    stats: &Writer<Counter>,
) -> Result<usize, DeviceError> {
    const LEAST: u32 = HEADER_LEN as u32 + MIN_FRAME as u32;
    let (mut buffers, mut frames, mut bytes) = (0, 0, 0);
    while buffers < BUDGET {
        let Some((slot, len)) = queues.rx_take()? else {
            break;
        };
        buffers += 1;
        if (LEAST..=BUFFER_SIZE as u32).contains(&len) {
            let len = len as u16 - HEADER_LEN as u16;
            end.rx_return(slot, HEADER_LEN as u16, len, Flags::NONE);
            frames += 1;
            bytes += u64::from(len);
        } else {
            stats.inc(Counter::RxDropped);
            queues.rx_post(slot)?;
        }
    }
    if frames > 0 {
        stats.inc(Counter::RxBatches);
        stats.add(Counter::RxFrames, frames);
        stats.add(Counter::RxBytes, bytes);
    }
    Ok(buffers)
}

fn show(stats: &Writer<Counter>, state: &DeviceState) {
    stats.set(Counter::LinkUp, state.link_up.into());
    stats.set(Counter::MacAddress, mac_to_value(state.mac));
}
