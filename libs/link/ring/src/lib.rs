// SPDX-License-Identifier: BSD-2-Clause
//! The packet link between the network driver and the server.
//!
//! Frames lie in two pools of 2 KiB buffers that the server owns; what travels are [`Descriptor`]s,
//! in four rings:
//!
//! | queue | producer | consumer | a descriptor says |
//! | --- | --- | --- | --- |
//! | rx_free | server | driver | this buffer may receive a frame |
//! | rx_active | driver | server | this buffer holds a frame |
//! | tx_active | server | driver | send this frame |
//! | tx_free | driver | server | this frame has been sent, the buffer is yours again |
//!
//! [`DriverEnd`] and [`ServerEnd`] are what the two PDs use. They have the same shape: a session
//! (the [`Link`] that notices restarts, violations, notifications), two sides of two rings each,
//! and the tables that know where each buffer is. [`Producer`] and [`Consumer`] are a single ring's
//! two roles. Everything a peer writes is an allegation: it is read once, checked
//! against private state, and what does not hold becomes a [`Violation`] that is counted; it never
//! panics, and no call does more work than there are buffers in a pool.
//!
//! # Rules
//!
//! **The ring.** A ring has two halves in two pages, each written by one end only: the producer's
//! half holds the tail and the slots, the consumer's half the head and the signal request.
//!
//! - R1. Indices are free-running `u32`; slot = index mod capacity; the capacity is a constant of
//!   each end and is never read from memory.
//! - R2. Each end works on private copies of both indices; a shared index is written for the peer,
//!   never read back.
//! - R3. The producer fills slots, then publishes the tail with release; the consumer reads the
//!   tail with acquire, then the slots.
//! - R4. The consumer is done with slots before it publishes the head with release; the producer
//!   reads the head with acquire before it fills them again.
//! - R5. A tail is believed if it lies between the last believed tail and the head plus the
//!   capacity; a head, if it lies between the last believed head and the published tail. Anything
//!   else is a violation, and the ring looks as if nothing had changed.
//! - R6. Each slot is two words; the consumer reads each once and works on the copy.
//!
//! **Signalling.** `want_signal` in a consumer's half says whether its producer shall notify.
//!
//! - S1. A consumer that is awake sets `want_signal` to 0, and takes what is there.
//! - S2. Before it sleeps it sets `want_signal` to 1, then fences (sequentially consistent), then
//!   reads the tail again. Only if there is nothing, it sleeps.
//! - S3. A producer publishes the tail, then fences (sequentially consistent), then reads
//!   `want_signal`, and notifies if it is 1.
//! - S4. One such check covers everything published since the last: one notification a batch, at
//!   most.
//! - S5. A signal is a hint. An end that is woken for nothing looks, finds nothing, and sleeps
//!   again.
//! - S6. A driver that gives up the processor with work left changes the word `again` and notifies.
//!   A server that sees a change notifies back, once a wake-up.
//! - S7. A server whose timer runs out while frames in tx_active have not been taken notifies,
//!   asked for or not: the driver's request stands in a page that a stray pointer may have written
//!   to.
//!
//! Why nothing is lost: of the two fences one is first. If it is the producer's, the consumer's
//! second look sees the tail. If it is the consumer's, the producer sees the request. Without
//! either fence both can miss (a store may be delayed past a later load), and loom finds it.
//!
//! **Epochs.** Each end publishes `epoch`, its own, new at every start, and `ack`, the peer's epoch
//! for which it has reset its halves. Both are in one word.
//!
//! - E1. A starting end writes its new epoch with `ack` = 0, and only later (E3) touches its
//!   halves. The new epoch is neither the old one in its own page, which an earlier life may have
//!   overwritten, nor the one that the peer has acknowledged: so the peer sees a new one whatever
//!   is in the page.
//! - E2. The link is up for an end when the peer's `ack` is its own epoch and its own `ack` is the
//!   peer's epoch. Only then it uses the rings.
//! - E3. An end that sees a new epoch of the peer resets its halves, then writes `ack`. The driver
//!   resets the device before that.
//! - E4. Every change of `epoch` or `ack` is followed by a notification to the peer, asked for or
//!   not.
//! - E5. An end reads the tails first and the peer's `ack` and `epoch` afterwards. If these are not
//!   as E2 wants them, what it read does not count: neither as descriptors nor as a violation. (A
//!   reset half is written after the new epoch, so an end that sees the half sees the epoch.)
//! - E6. An end whose own word is not what it has written there, or that has seen more violations
//!   in an epoch than there are buffers, begins a new epoch of its own. The peer then resets its
//!   halves, and both are in step again.
//!
//! Why any content of an end's page before its restart leads to a link that comes up: the peer is
//! an honest end, or will be restarted itself. What it has acknowledged is in its own page; if that
//! is not so, E6 has it begin a new epoch. So it takes the new epoch for a new one (E1), both reset
//! all that they write for each other (E3), and nothing from before counts (E5).
//!
//! **Buffers.**
//!
//! - B1. The server lends a buffer with a cookie; the driver gives it back with the same cookie.
//!   The driver returns only what it was lent, once.
//! - B2. A buffer that comes back twice, was never lent, or whose offset or length is out of range
//!   is a violation: counted, and the descriptor dropped.
//! - B3. When the link comes up for a new epoch every lent buffer is the server's again, but for
//!   those of B5. Frames whose transmission was not confirmed are sent once more, in order.
//! - B4. A server that runs short of transmit buffers, or whose clients have used up their shares
//!   of them, asks for a signal on tx_free and notifies the driver, which may be asleep with frames
//!   unconfirmed.
//! - B5. A driver that starts anew looks for frames that its earlier life had received and the
//!   server has not taken, if the server is still the one that lent the buffers. It puts them into
//!   rx_active before it acknowledges the server. The server lends nothing before it has looked
//!   there, and takes a frame if its buffer is still lent with the cookie. Where that does not hold
//!   the frame was taken before; that is no violation.
//!
//! **The filter.** The server says in its page which frames it wants.
//!
//! - F1. It writes the filter, then a new version with release, and notifies (as E4). The driver
//!   compares the version at each look with that of the filter that it has; when it has read a
//!   filter while a later one was being written, it sees the later version at the next look.
//! - F2. A driver that has reset its device, or meets a new epoch of the server, has no filter.
//! - F3. A filter is a hint. A driver whose device has none brings everything, and what a page says
//!   that was overwritten costs frames until the server begins its next epoch (E6), with which it
//!   writes its filter again.
#![cfg_attr(not(any(test, loom)), no_std)]
#![forbid(unsafe_code)]

mod consumer;
mod descriptor;
mod device;
mod driver;
mod filter;
mod half;
mod held;
mod inheritance;
mod link;
mod pages;
mod pool;
mod producer;
mod server;
mod server_rx;
mod server_tx;
mod session;
mod side;
mod sync;
#[cfg(all(test, not(loom)))]
mod tests;
mod violation;

pub use consumer::Consumer;
pub use descriptor::Descriptor;
pub use device::DeviceState;
pub use driver::{DriverEnd, RxSlot, TxFrame, TxSlot};
pub use filter::{Filter, FilterWords, GROUPS};
pub use half::{ConsumerHalf, ProducerHalf, first_index};
pub use inheritance::Inheritance;
pub use link::{Link, LinkEvent, LinkWords, PeerEpoch};
pub use pages::{DriverHalves, DriverPage, ServerHalves, ServerPage};
pub use pool::{BUFFER_SIZE, CAPACITY, MIN_FRAME, POOL_SIZE, PoolUse};
pub use producer::Producer;
pub use server::{ServerEnd, ServerEvent};
pub use server_rx::{RxFrame, ServerRx};
pub use server_tx::{ServerTx, TxBuffer};
pub(crate) use session::Session;
pub(crate) use side::Side;
pub use sync::full_fence;
pub use violation::{Queue, Reason, Tally, Violation};
