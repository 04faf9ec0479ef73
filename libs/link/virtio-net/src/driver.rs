// SPDX-License-Identifier: BSD-2-Clause
//! The driver: frames between the device and the packet link.

use crate::device::Device;
use crate::memory::frame_len;
use crate::queues::{HEADER_LEN, Queues};
use crate::{DeviceError, DmaMemory, StartError};
use ring::{
    DeviceState, DriverEnd, DriverHalves, Filter, Inheritance, LinkEvent, PeerEpoch, ServerHalves,
    Tally,
};
use stats::{NetDriver as Counter, Writer, mac_to_value};
use virtio_drivers::transport::{InterruptStatus, Transport};

/// Frames that a pass takes from the device at most, so that the server gets the first ones while
/// there are more.
const BUDGET: usize = 256;

/// Passes in a wake-up at most. Then the driver has the server notify it, and its event loop turns.
pub const TURNS: usize = 64;

/// Resets after an error of the device at most, without a frame moved in between.
pub const RESETS: u32 = 8;

/// A driver of one device for one server, with `N` buffers in each direction, and queues of at most
/// `RX` and `TX` descriptors.
pub struct NetDriver<'a, T: Transport, const N: usize, const RX: usize, const TX: usize> {
    device: Device<T>,
    memory: DmaMemory<'a, RX, TX>,
    /// To be replaced only when the device has been reset.
    queues: Queues<'a, RX, TX>,
    mine: &'a DriverHalves<N>,
    theirs: &'a ServerHalves<N>,
    end: DriverEnd<'a, N>,
    stats: Writer<Counter>,
    /// The device, as the server was last told.
    state: DeviceState,
    /// The device has been given something since it was brought up.
    used: bool,
    /// Resets after errors since the device last moved a frame.
    resets: u32,
    /// An interrupt came whose reason is not counted yet.
    interrupted: bool,
    violations: Tally,
    device_error: Option<DeviceError>,
    /// The device has commands, or is to get some.
    controlling: bool,
    /// It was last told to receive all.
    receives_all: bool,
}

/// What a wake-up goes on with.
enum Turn {
    /// There is more to do.
    Again,
    /// There is nothing to do; interrupts are on.
    Sleep,
    /// The device must be reset first, for this reason.
    Reset(Cause),
}

/// Why the device must be reset.
enum Cause {
    /// It broke the rules.
    Device(DeviceError),
    /// The server has started anew, and gets its buffers back.
    Server(PeerEpoch),
    /// The ends of the link are out of step.
    OutOfStep,
}

/// What a pass moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Moved {
    received: usize,
    confirmed: usize,
    posted: usize,
    sent: usize,
    /// Replies to commands.
    commands: usize,
}

impl<'a, T: Transport, const N: usize, const RX: usize, const TX: usize>
    NetDriver<'a, T, N, RX, TX>
{
    /// Resets the device, looks for what an earlier life has left behind, brings the device up, and
    /// starts the driver's end of the link. [`run`](Self::run) then notifies the server.
    ///
    /// # Errors
    /// The device cannot be used; see [`StartError`].
    pub fn start(
        transport: T,
        memory: DmaMemory<'a, RX, TX>,
        mine: &'a DriverHalves<N>,
        theirs: &'a ServerHalves<N>,
        stats: Writer<Counter>,
    ) -> Result<Self, StartError> {
        let mut device = Device::take(transport)?;
        // Between the reset and the clearing of the queues: they hold still, and are still there.
        let leftovers = memory
            .queues
            .leftovers()
            .inspect(|_| stats.inc(Counter::RxRecovered));
        let inheritance = Inheritance::take(mine, theirs, leftovers);
        let (state, queues) = device.bring_up(memory)?;
        stats.inc(Counter::DeviceResets);
        show(&stats, &state);
        let end = DriverEnd::start(mine, theirs, state, inheritance);
        Ok(Self {
            device,
            memory,
            queues,
            mine,
            theirs,
            end,
            stats,
            state,
            used: false,
            resets: 0,
            interrupted: false,
            violations: Tally::default(),
            device_error: None,
            controlling: false,
            receives_all: false,
        })
    }

    /// Acknowledges the device's interrupt. To be called first when one has come, and followed by
    /// [`run`](Self::run). Returns whether the link is up, if that has changed.
    ///
    /// # Errors
    /// The device had to be reset, and cannot be brought up again.
    pub fn interrupt(&mut self) -> Result<Option<bool>, StartError> {
        let status = self.device.registers.transport.ack_interrupt();
        let of_configuration = status.contains(InterruptStatus::DEVICE_CONFIGURATION_INTERRUPT);
        self.interrupted = !of_configuration || status.contains(InterruptStatus::QUEUE_INTERRUPT);
        if !of_configuration {
            return Ok(None);
        }
        self.stats.inc(Counter::IrqsConfig);
        let before = self.state.link_up;
        if self.device.registers.needs_reset() {
            self.recover(Cause::Device(DeviceError::NeedsReset))?;
        } else {
            self.state.link_up = self.device.link_up()?;
            show(&self.stats, &self.state);
            self.end.set_link_up(self.state.link_up);
        }
        let up = self.state.link_up;
        Ok((up != before).then_some(up))
    }

    /// Works until there is nothing to do, calling `notify` whenever the server must be notified.
    /// Returns with the device's interrupts on; with work left, if there is too much for one
    /// wake-up, and then the server was asked to notify the driver.
    ///
    /// # Errors
    /// The device had to be reset, and cannot be brought up again.
    pub fn run(&mut self, mut notify: impl FnMut()) -> Result<(), StartError> {
        let mut was_reset = false;
        for _ in 0..TURNS {
            match self.turn(&mut notify) {
                Turn::Again => {}
                Turn::Sleep => return Ok(()),
                Turn::Reset(cause) => {
                    self.recover(cause)?;
                    if self.end.flush() {
                        notify();
                    }
                    if core::mem::replace(&mut was_reset, true) {
                        break;
                    }
                }
            }
        }
        self.stats.inc(Counter::TurnsUsedUp);
        self.queues.unmask(true);
        self.end.ask_again();
        if self.end.flush() {
            notify();
        }
        Ok(())
    }

    /// One pass, and when it has moved nothing, the preparations for sleep.
    fn turn(&mut self, notify: &mut impl FnMut()) -> Turn {
        match self.end.poll() {
            LinkEvent::PeerRestarted(epoch) => {
                self.stats.inc(Counter::PeerRestarts);
                return Turn::Reset(Cause::Server(epoch));
            }
            LinkEvent::OutOfStep => return Turn::Reset(Cause::OutOfStep),
            LinkEvent::Up { .. } | LinkEvent::Waiting => {}
        }
        if let Some(filter) = self.end.take_filter() {
            self.want(filter);
        }
        let moved = match self.pass() {
            Ok(moved) => moved,
            Err(error) => return Turn::Reset(Cause::Device(error)),
        };
        self.count(moved);
        if self.end.flush() {
            notify();
        }
        if moved != Moved::default() {
            return Turn::Again;
        }
        let wants_tx = self.end.server_wants_tx();
        let queues = &mut self.queues;
        // Sent frames are worth an interrupt only if somebody waits for their buffers, or there is
        // no place for others: then the server is not asked to signal, either.
        let more = queues.unmask(queues.tx.is_full() || (wants_tx && queues.tx.len() > 0));
        let few = queues.rx.len() < N.min(queues.rx.capacity()) / 2;
        self.stats.add(Counter::IrqsMissed, more.into());
        if more || self.end.sleep(few, !queues.tx.is_full()) {
            Turn::Again
        } else {
            Turn::Sleep
        }
    }

    /// Moves what there is, in all four directions.
    fn pass(&mut self) -> Result<Moved, DeviceError> {
        let mut moved = Moved::default();
        if self.controlling {
            moved.commands = self.control()?;
        }
        let queues = &mut self.queues;
        queues.mask();
        moved.received = receive(queues, &mut self.end, &self.stats)?;
        if moved.received > 0 && queues.rx.len() == 0 {
            self.stats.inc(Counter::RxNoBuffer);
        }
        while let Some((slot, _)) = queues.tx.take()? {
            self.end.tx_return(slot);
            moved.confirmed += 1;
        }
        while !queues.rx.is_full()
            && let Some(slot) = self.end.rx_provide()
        {
            queues.rx_post(slot)?;
            moved.posted += 1;
        }
        let mut bytes = 0;
        while !queues.tx.is_full()
            && let Some(frame) = self.end.tx_provide()
        {
            bytes += frame.len as u64;
            queues.tx_post(frame)?;
            moved.sent += 1;
        }
        if moved.sent > 0 {
            self.stats.inc(Counter::TxBatches);
            self.stats
                .add(Counter::TxQueueFull, queues.tx.is_full().into());
            self.stats.add(Counter::TxFrames, moved.sent as u64);
            self.stats.add(Counter::TxBytes, bytes);
        }
        let (rx, tx) = queues.doorbells(&mut self.device.registers.transport);
        self.stats.add(Counter::DoorbellsRx, rx.into());
        self.stats.add(Counter::DoorbellsTx, tx.into());
        self.used |= moved.posted + moved.sent != 0;
        if moved.received + moved.confirmed != 0 {
            self.resets = 0;
        }
        Ok(moved)
    }

    /// Has the device receive what the server wants, if it can be told.
    #[cold]
    fn want(&mut self, filter: Filter) {
        if let Some(control) = &mut self.queues.control {
            self.stats.inc(Counter::FiltersSet);
            let groups = filter.groups.len() as u64;
            self.stats.set(Counter::FilterGroups, groups);
            self.stats
                .set(Counter::Promiscuous, filter.promiscuous.into());
            self.receives_all = filter.promiscuous;
            control.want(filter);
            self.controlling = true;
        }
    }

    /// Goes on with the commands for the device. Returns how many it has replied to.
    #[cold]
    fn control(&mut self) -> Result<usize, DeviceError> {
        let Some(control) = &mut self.queues.control else {
            return Ok(0);
        };
        let done = control.step(&mut self.device.registers.transport)?;
        self.controlling = control.is_busy();
        if done.refused > 0 {
            self.stats.add(Counter::FiltersRefused, done.refused as u64);
            // Once: a device that refuses this, too, is left as it is.
            if !self.receives_all {
                self.want(Filter {
                    promiscuous: true,
                    ..Filter::default()
                });
            }
        }
        Ok(done.commands)
    }

    fn count(&mut self, moved: Moved) {
        if core::mem::take(&mut self.interrupted) {
            self.stats.inc(match moved {
                Moved { received: 1.., .. } => Counter::IrqsRx,
                Moved { confirmed: 1.., .. } => Counter::IrqsTx,
                Moved { commands: 1.., .. } => Counter::IrqsControl,
                _ => Counter::IrqsSpurious,
            });
        }
        let held = self.queues.rx.len() as u64;
        self.stats.set(Counter::RxBuffersHeld, held);
        let held = self.queues.tx.len() as u64;
        self.stats.set(Counter::TxBuffersHeld, held);
        self.note_violations();
    }

    fn note_violations(&mut self) {
        if let Some(mut tally) = self.end.take_violations() {
            self.stats.add(Counter::Violations, tally.count.into());
            self.violations.absorb(&mut tally);
        }
    }

    /// Resets the device and brings it up again.
    fn restart_device(&mut self) -> Result<(), StartError> {
        self.device.registers.reset()?;
        self.stats.inc(Counter::DeviceResets);
        self.used = false;
        self.controlling = false;
        (self.state, self.queues) = self.device.bring_up(self.memory)?;
        show(&self.stats, &self.state);
        Ok(())
    }

    /// Resets the device and goes on. After a fault of the device or of the link this end begins a
    /// new epoch, upon which the server lends its buffers again.
    fn recover(&mut self, cause: Cause) -> Result<(), StartError> {
        match cause {
            Cause::Server(epoch) => {
                // Before the server hears that it has its buffers back, the device must be done
                // with them.
                if self.used {
                    self.restart_device()?;
                }
                self.end.acknowledge(epoch);
                return Ok(());
            }
            Cause::Device(error) => {
                self.stats.inc(Counter::DeviceErrors);
                self.device_error = Some(error);
                self.resets += 1;
                if self.resets > RESETS {
                    self.device.registers.give_up();
                    return Err(StartError::Unusable(error));
                }
            }
            Cause::OutOfStep => self.stats.inc(Counter::LinkRenewals),
        }
        self.note_violations();
        self.restart_device()?;
        // What the device said last is not to be trusted, and neither is an overwritten page.
        self.end = DriverEnd::start(self.mine, self.theirs, self.state, Inheritance::none());
        Ok(())
    }

    /// The device, as the server was last told.
    pub fn state(&self) -> DeviceState {
        self.state
    }

    /// Whether the device has an address of its own; else it has
    /// [`FALLBACK_MAC`](crate::FALLBACK_MAC).
    pub fn has_mac(&self) -> bool {
        self.device.has_mac()
    }

    /// Violations by the server since the last call, for the log.
    pub fn take_violations(&mut self) -> Option<Tally> {
        self.violations.take()
    }

    /// The last error of the device since the last call, for the log.
    pub fn take_device_error(&mut self) -> Option<DeviceError> {
        self.device_error.take()
    }
}

/// Takes received frames to the server. Returns how many buffers came from the device.
fn receive<const N: usize, const RX: usize, const TX: usize>(
    queues: &mut Queues<'_, RX, TX>,
    end: &mut DriverEnd<'_, N>,
    stats: &Writer<Counter>,
) -> Result<usize, DeviceError> {
    let (mut buffers, mut frames, mut bytes) = (0, 0, 0);
    while buffers < BUDGET {
        let Some((slot, len)) = queues.rx.take()? else {
            break;
        };
        buffers += 1;
        if let Some(len) = frame_len(len) {
            end.rx_return(slot, HEADER_LEN, len);
            queues.rx_done();
            frames += 1;
            bytes += u64::from(len);
        } else {
            stats.inc(Counter::RxDropped);
            queues.rx_done();
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
