// SPDX-License-Identifier: BSD-2-Clause

//! Packet memory: frames are read and written where the device puts and takes them.

use pd_support::{ReadOnly, ReadWrite, region, role};
use ring::{BUFFER_SIZE, POOL_SIZE, RxFrame, ServerRx, ServerTx};
use shm::{ExclusiveBytes, FrozenBytes};
use socket_server::{FRAME_MAX, RxQueue, TxQueue};

const N: usize = ring::CAPACITY;

const _: () = assert!(FRAME_MAX <= BUFFER_SIZE);

/// Both pools.
pub struct Frames {
    rx: FrozenBytes,
    tx: ExclusiveBytes,
    /// A frame that was looked at and is not given back yet.
    held: Option<RxFrame>,
}

impl Frames {
    /// Maps the pools. To be called once.
    pub fn map() -> Self {
        let rx = region::<ReadOnly>(role::RX_DATA).at_least(POOL_SIZE);
        let tx = region::<ReadWrite>(role::TX_DATA).at_least(POOL_SIZE);
        Frames {
            // SAFETY: no PD maps this region writable (sysgen checks that); the device writes
            // only buffers that are lent to the driver, and an `RxFrame` is the proof
            // that its buffer is not. (Without an IOMMU this excludes a driver that is hostile:
            // docs/architecture.md, threat model.)
            rx: unsafe { rx.into_frozen_bytes() },
            // SAFETY: this PD alone maps the region writable (sysgen checks that); driver and
            // device only read it.
            tx: unsafe { tx.into_exclusive_bytes() },
            held: None,
        }
    }

    /// The pools as the core's queues, on these ends of the rings.
    pub fn queues<'a, 'r>(
        &'a mut self,
        (rx, tx): (&'a mut ServerRx<'r, N>, &'a mut ServerTx<'r, N>),
    ) -> (Received<'a, 'r>, Transmit<'a, 'r>) {
        (
            Received {
                ring: rx,
                data: &self.rx,
                held: &mut self.held,
            },
            Transmit {
                ring: tx,
                data: &mut self.tx,
            },
        )
    }
}

/// Queue rx_active.
pub struct Received<'a, 'r> {
    ring: &'a mut ServerRx<'r, N>,
    data: &'a FrozenBytes,
    held: &'a mut Option<RxFrame>,
}

impl RxQueue for Received<'_, '_> {
    #[inline]
    fn front(&mut self) -> Option<&[u8]> {
        if self.held.is_none() {
            *self.held = self.ring.take();
        }
        let frame = self.held.as_ref()?;
        // `RxFrame` says that it lies within a buffer of the pool.
        self.data.slice(frame.offset(), frame.len()).ok()
    }

    #[inline]
    fn pop(&mut self) {
        if let Some(frame) = self.held.take() {
            self.ring.give_back(frame);
        }
    }
}

/// Queues tx_free and tx_active.
pub struct Transmit<'a, 'r> {
    ring: &'a mut ServerTx<'r, N>,
    data: &'a mut ExclusiveBytes,
}

impl TxQueue for Transmit<'_, '_> {
    fn free(&mut self) -> usize {
        self.ring.idle()
    }

    fn hurry(&mut self) {
        self.ring.hurry();
    }

    fn try_send<R, E>(
        &mut self,
        length: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<R, E>,
    ) -> Option<Result<R, E>> {
        let buffer = self.ring.take()?;
        let Ok(bytes) = self.data.slice_mut(buffer.offset(), length) else {
            self.ring.cancel(buffer);
            return None;
        };
        let result = fill(bytes);
        if result.is_err() {
            self.ring.cancel(buffer);
        } else if let Err(buffer) = self.ring.submit(buffer, length) {
            self.ring.cancel(buffer);
        }
        Some(result)
    }
}
