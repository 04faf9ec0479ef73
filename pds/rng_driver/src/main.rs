// SPDX-License-Identifier: BSD-2-Clause

//! Random number generator: a virtio-rng device seeds it, and each PD with a channel for calls to
//! it gets bytes (`driver-proto`).
//!
//! It keeps nothing: when it is restarted, it has no bytes for anybody until the device has brought
//! a new seed. Without a device it runs all the same and says so to every caller.

#![no_std]
#![no_main]

mod hardware;

use driver_proto::{Bytes, CallError, RandomReply, decode_random_request};
use pd_support::{Pd, clock, error, info, message, warn, with_words};
use sel4_microkit::{
    Channel, ChannelSet, Handler, Infallible, MessageInfo, protection_domain, restart_count,
};
use stats::{RngDriver as Counter, Writer};
use virtio_drivers::transport::mmio::{MmioError, MmioTransport};
use virtio_rng::{Event, Policy, Source};

/// Between two seeds, in nanoseconds.
const INTERVAL: u64 = 60_000_000_000;

struct Driver {
    /// None without a device that can be used.
    source: Option<Source<'static, MmioTransport<'static>>>,
    stats: Writer<Counter>,
}

#[protection_domain]
fn init() -> impl Handler {
    let pd = Pd::<Counter>::start();
    let driver = Driver {
        source: source(pd.stats()),
        stats: pd.stats(),
    };
    pd.run(driver)
}

fn source(stats: Writer<Counter>) -> Option<Source<'static, MmioTransport<'static>>> {
    let transport = hardware::transport().inspect_err(|error| match error {
        MmioError::InvalidDeviceID(_) => warn!(
            "no random number generator in the virtio slot (QEMU: -device virtio-rng-device,bus=virtio-mmio-bus.8)"
        ),
        error => error!("{error}"),
    });
    let transport = transport.ok()?;
    let (page, paddr) = hardware::page();
    let policy = Policy {
        interval: clock::clock().ticks(INTERVAL),
        restarts: restart_count(),
    };
    Source::start(transport, page, paddr, policy, stats)
        .inspect_err(|error| error!("{error}"))
        .ok()
}

impl Driver {
    fn bytes(&mut self) -> Result<Bytes, CallError> {
        let Some(source) = &mut self.source else {
            self.stats.inc(Counter::Refused);
            return Err(CallError::NoDevice);
        };
        let result = source.bytes(clock::now());
        match source.take_event() {
            Some(Event::Seeded) => info!("seeded by the virtio-rng device"),
            Some(Event::Reset(error)) => warn!("device was reset: {error}"),
            Some(Event::GivenUp(error)) => error!("device was given up: {error}"),
            Some(Event::Lost(error)) => error!("device was given up: {error}"),
            None => {}
        }
        result
    }
}

impl Handler for Driver {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        Ok(())
    }

    fn protected(&mut self, _: Channel, msg_info: MessageInfo) -> Result<MessageInfo, Infallible> {
        let request = with_words(&msg_info, |words| {
            decode_random_request(msg_info.label(), words)
        });
        if request.is_err() {
            self.stats.inc(Counter::Violations);
        }
        let reply = RandomReply::encode(request.and_then(|()| self.bytes()));
        Ok(message(reply.label, reply.words()))
    }
}
