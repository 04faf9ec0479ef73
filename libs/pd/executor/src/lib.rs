// SPDX-License-Identifier: BSD-2-Clause

//! The executor of a protection domain whose work is done by async tasks: `embassy-executor`
//! without its platforms.
//!
//! A PD has one thread and an event loop, so the executor never waits itself: [`Executor::turn`]
//! polls each task that is awake once and returns to the event loop, which looks at sockets and
//! timers before the next turn. So tasks that wake themselves again and again take turns with all
//! others, and keep no event from being seen. Tasks are statics made by
//! `#[embassy_executor::task]`, so there is no allocation, and their number is fixed when the PD is
//! built.
//!
//! ```
//! use executor::Executor;
//! use static_cell::StaticCell;
//!
//! #[embassy_executor::task(pool_size = 2)]
//! async fn count(name: &'static str) {
//!     println!("{name} runs");
//! }
//!
//! static EXECUTOR: StaticCell<Executor> = StaticCell::new();
//!
//! let executor = EXECUTOR.init(Executor::new());
//! executor.spawner().spawn(count("one").unwrap());
//! executor.spawner().spawn(count("two").unwrap());
//! while executor.turn() {}
//! ```
//!
//! This crate exists because `embassy-executor` leaves two promises to its user that need unsafe
//! code: a symbol that it calls when a task becomes awake, and that its `poll` is not entered
//! twice.

#![cfg_attr(not(test), no_std)]

use core::cell::{Cell, OnceCell};
use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};

use embassy_executor::raw;

pub use embassy_executor::{SpawnError, Spawner};

/// Polls tasks. One in a PD, in a static.
pub struct Executor {
    inner: OnceCell<raw::Executor>,
    /// A task has become awake since it was last cleared.
    awake: AtomicBool,
    running: Cell<bool>,
}

impl Executor {
    /// Makes an executor without tasks.
    #[allow(clippy::new_without_default)] // for statics only
    #[must_use]
    pub const fn new() -> Self {
        Executor {
            inner: OnceCell::new(),
            awake: AtomicBool::new(false),
            running: Cell::new(false),
        }
    }

    fn inner(&'static self) -> &'static raw::Executor {
        let make = || raw::Executor::new((&raw const self.awake).cast_mut().cast());
        // The result of the call that initialises is derived from a unique reference, and tasks
        // keep a pointer derived from what is returned here. So all of them are to come from a call
        // that finds it initialised.
        self.inner.get_or_init(make);
        self.inner.get_or_init(make)
    }

    /// Returns the handle that starts tasks. Tasks may have a copy of it, to start others.
    pub fn spawner(&'static self) -> Spawner {
        self.inner().spawner()
    }

    /// Polls each task that is awake now once, and returns whether any is awake after that: those
    /// that woke themselves or each other meanwhile have their next poll in the next turn.
    /// Called from within a task it does nothing and returns `false`.
    pub fn turn(&'static self) -> bool {
        if self.running.replace(true) {
            return false;
        }
        if self.awake.swap(false, Ordering::Acquire) {
            // SAFETY: `running` keeps a second call out until this one has returned, and the
            // executor cannot have left the thread that made it, since it is not
            // `Sync`.
            unsafe { self.inner().poll() };
        }
        self.running.set(false);
        self.awake.load(Ordering::Acquire)
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor")
            .field("awake", &self.awake)
            .finish_non_exhaustive()
    }
}

/// Called by `embassy-executor` when the first task becomes awake, with the context that
/// [`Executor::inner`] has given it.
// SAFETY: the name and signature that embassy-executor's documentation of `raw::Executor` asks for;
// nobody else defines it.
#[unsafe(export_name = "__pender")]
fn pender(context: *mut ()) {
    // SAFETY: every `raw::Executor` of this program is made by `Executor::inner`, with a pointer to
    // a field of a static, and the field is an atomic that is only used by reference.
    let awake = unsafe { &*context.cast::<AtomicBool>() };
    awake.store(true, Ordering::Release);
}
