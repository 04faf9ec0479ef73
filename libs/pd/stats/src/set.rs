// SPDX-License-Identifier: BSD-2-Clause
//! Sets of counters: what a kind of PD counts.

use crate::{PdKind, Unit};

/// Declares [`PdKind`] with the set of each kind and its number in a page.
macro_rules! pd_kinds {
    ( $( $(#[$doc:meta])* $kind:ident: $set:ty = $number:literal ),+ $(,)? ) => {
        /// Which set of counters a page holds besides the common ones.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u32)]
        pub enum PdKind {
            $( $(#[$doc])* #[doc = concat!("[`", stringify!($set), "`]")] $kind = $number ),+
        }

        impl PdKind {
            /// Every kind.
            pub const ALL: &'static [PdKind] = &[$( PdKind::$kind ),+];

            /// The kind with this number.
            pub fn from_raw(number: u32) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| *kind as u32 == number)
            }

            /// Description of the kind's own counters in the order of the page.
            pub fn counters(self) -> &'static [Counter] {
                match self {
                    $( PdKind::$kind => <$set>::COUNTERS ),+
                }
            }
        }
    };
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
            /// Every counter, in the order of the page.
            pub const ALL: &'static [Self] = &[$( Self::$variant ),+];

            /// Descriptions in the same order.
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
