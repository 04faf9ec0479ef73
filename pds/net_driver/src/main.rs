// SPDX-License-Identifier: BSD-2-Clause

//! Network driver: wires the virtio-net device to the rings that it shares with net_server.
//!
//! Its state lies in shared memory: when it is restarted, it resets the device and hands on what it
//! had received, and the server lends it all buffers anew.

#![no_std]
#![no_main]

mod hardware;
#[cfg(feature = "fault-injection")]
mod sabotage;

use pd_support::{Pd, Peer, ReadOnly, ReadWrite, error, info, interrupt, peer, region, role, warn};
use ring::{CAPACITY, DriverPage, ServerPage};
use sel4_microkit::{
    Channel, ChannelSet, DeferredAction, DeferredActionSlot, Handler, Infallible, protection_domain,
};
use static_cell::StaticCell;
use stats::NetDriver as Counter;
use virtio_drivers::transport::mmio::MmioTransport;
use virtio_net::{NetDriver, StartError};

use hardware::{RX, TX};

type Driver = NetDriver<'static, MmioTransport<'static>, CAPACITY, RX, TX>;

/// The driver's tables would fill the stack.
static DRIVER: StaticCell<Driver> = StaticCell::new();

struct Wiring {
    driver: &'static mut Driver,
    server: Peer,
    /// The device's interrupt.
    irq: Channel,
    deferred: DeferredActionSlot,
    #[cfg(feature = "fault-injection")]
    sabotage: sabotage::Sabotage,
}

#[protection_domain]
fn init() -> impl Handler {
    let pd = Pd::<Counter>::start();
    let mine: &DriverPage = region::<ReadWrite>(role::DRIVER_RINGS).page();
    let theirs: &ServerPage = region::<ReadOnly>(role::SERVER_RINGS).page();
    let (transport, memory) = hardware::take();
    let driver = NetDriver::start(transport, memory, mine, theirs, pd.stats());
    let driver = DRIVER.init(driver.unwrap_or_else(|error| give_up(error)));
    let mut wiring = Wiring {
        driver,
        server: peer(role::PACKETS),
        irq: interrupt(),
        deferred: DeferredActionSlot::new(),
        #[cfg(feature = "fault-injection")]
        sabotage: sabotage::Sabotage::take(),
    };
    let device = wiring.driver.state();
    let mac = stats::Value {
        raw: stats::mac_to_value(device.mac),
        unit: stats::Unit::Mac,
    };
    info!("virtio-net, {mac}, link {}", in_words(device.link_up));
    if !wiring.driver.has_mac() {
        warn!("the device has no address of its own; there can be one such on a link");
    }
    wiring.work();
    pd.run(wiring)
}

impl Wiring {
    fn work(&mut self) {
        if let Err(error) = self.driver.run(|| self.server.notify()) {
            give_up(error);
        }
        if let Some(violations) = self.driver.take_violations()
            && let Some(last) = violations.last
        {
            warn!(
                "net_server: {} violations, the last: {last}",
                violations.count
            );
        }
        if let Some(error) = self.driver.take_device_error() {
            warn!("device was reset: {error}");
        }
    }

    fn interrupt(&mut self) {
        match self.driver.interrupt() {
            Ok(Some(up)) => info!("link {}", in_words(up)),
            Ok(None) => {}
            Err(error) => give_up(error),
        }
        if let Err(error) = self.deferred.defer_irq_ack(self.irq) {
            error!("{error}");
        }
    }
}

fn in_words(link_up: bool) -> &'static str {
    if link_up { "up" } else { "down" }
}

/// A device that cannot be brought up again leaves nothing to do; the supervisor starts this PD
/// anew.
fn give_up(error: StartError) -> ! {
    panic!("{error}")
}

impl Handler for Wiring {
    type Error = Infallible;

    fn notified(&mut self, channels: ChannelSet) -> Result<(), Infallible> {
        if channels.contains(self.irq) {
            self.interrupt();
        }
        self.work();
        #[cfg(feature = "fault-injection")]
        self.sabotage.serve();
        Ok(())
    }

    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        self.deferred.take()
    }
}
