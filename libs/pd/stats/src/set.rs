// SPDX-License-Identifier: BSD-2-Clause
//! Sets of counters: what a kind of PD counts.

use crate::{
    Console, EchoServer, HttpServer, NetDriver, NetServer, RngDriver, Supervisor, TimerDriver, Unit,
};

/// Which set of counters a page holds besides the common ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum PdKind {
    /// [`NetDriver`]
    NetDriver = 1,
    /// [`NetServer`]
    NetServer = 2,
    /// [`EchoServer`]
    EchoServer = 3,
    /// [`HttpServer`]
    HttpServer = 4,
    /// [`TimerDriver`]
    TimerDriver = 5,
    /// [`Console`]
    Console = 6,
    /// [`Supervisor`]
    Supervisor = 7,
    /// [`RngDriver`]
    RngDriver = 8,
    /// A PD that has the common counters only, for instance a client written by a user; see
    /// [`NoCounters`].
    Other = 255,
}

impl PdKind {
    /// Every kind.
    pub const ALL: [PdKind; 9] = [
        PdKind::NetDriver,
        PdKind::NetServer,
        PdKind::EchoServer,
        PdKind::HttpServer,
        PdKind::TimerDriver,
        PdKind::Console,
        PdKind::Supervisor,
        PdKind::RngDriver,
        PdKind::Other,
    ];

    /// The kind with this number.
    pub fn from_raw(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u32 == number)
    }

    /// Description of the kind's own counters in the order of the page.
    pub fn counters(self) -> &'static [Counter] {
        match self {
            PdKind::NetDriver => NetDriver::COUNTERS,
            PdKind::NetServer => NetServer::COUNTERS,
            PdKind::EchoServer => EchoServer::COUNTERS,
            PdKind::HttpServer => HttpServer::COUNTERS,
            PdKind::TimerDriver => TimerDriver::COUNTERS,
            PdKind::Console => Console::COUNTERS,
            PdKind::Supervisor => Supervisor::COUNTERS,
            PdKind::RngDriver => RngDriver::COUNTERS,
            PdKind::Other => NoCounters::COUNTERS,
        }
    }
}

/// What readers show for one counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Name in lower_snake_case, unique within a page.
    pub name: &'static str,
    /// How to read the number.
    pub unit: Unit,
    /// One sentence for people.
    pub help: &'static str,
}

/// The counters of one kind of PD. Implemented by the enums of this crate.
pub trait CounterSet: Copy + 'static {
    /// The kind whose pages hold this set.
    const KIND: PdKind;
    /// Descriptions; the position is the counter's index.
    const COUNTERS: &'static [Counter];

    /// Position in [`Self::COUNTERS`].
    fn index(self) -> usize;
}

/// The empty set, for [`PdKind::Other`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoCounters {}

impl CounterSet for NoCounters {
    const KIND: PdKind = PdKind::Other;
    const COUNTERS: &'static [Counter] = &[];

    fn index(self) -> usize {
        match self {}
    }
}

/// Declares a set: an enum whose doc comments are the help texts, and its [`Counter`] table.
macro_rules! counter_set {
    (
        $(#[$outer:meta])*
        pub enum $set:ident {
            $( $(#[doc = $help:literal])+ $variant:ident: $unit:ident = $name:literal ),+ $(,)?
        }
    ) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u16)]
        pub enum $set {
            $( $(#[doc = $help])+ $variant ),+
        }

        impl $set {
            /// Descriptions in the order of the page.
            pub const COUNTERS: &'static [$crate::Counter] = &[
                $( $crate::Counter {
                    name: $name,
                    unit: $crate::Unit::$unit,
                    help: concat!($($help),+).trim_ascii(),
                } ),+
            ];
        }
    };
}

/// Makes a set the own counters of the PD kind of the same name.
macro_rules! pd_counter_set {
    ( $(#[$outer:meta])* pub enum $set:ident { $($body:tt)+ } ) => {
        counter_set! { $(#[$outer])* pub enum $set { $($body)+ } }

        const _: () = assert!($set::COUNTERS.len() <= $crate::page::OWN_WORDS);

        impl $crate::CounterSet for $set {
            const KIND: $crate::PdKind = $crate::PdKind::$set;
            const COUNTERS: &'static [$crate::Counter] = $set::COUNTERS;

            fn index(self) -> usize {
                self as usize
            }
        }
    };
}
