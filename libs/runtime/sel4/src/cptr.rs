// SPDX-License-Identifier: BSD-2-Clause

//! Capability pointers, marked with the type of what they are taken to point to.

use core::fmt;
use core::hash::Hash;
use core::marker::PhantomData;

use crate::Word;

/// A capability pointer as a number.
pub type CPtrBits = Word;

/// A capability pointer: an index into the PD's own CSpace.
#[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct CPtr {
    bits: CPtrBits,
}

impl CPtr {
    /// Returns the pointer as a number.
    pub const fn bits(self) -> CPtrBits {
        self.bits
    }

    /// Makes a pointer of a number. The kernel looks it up when it is used.
    pub const fn from_bits(bits: CPtrBits) -> Self {
        Self { bits }
    }

    /// Returns this pointer, taken to point to a `T`.
    pub const fn cast<T: CapType>(self) -> Cap<T> {
        Cap {
            cptr: self,
            kind: PhantomData,
        }
    }
}

/// A capability pointer that is taken to point to a `T`. The kernel checks the type at every use,
/// so a wrong `T` is an error, not a danger.
#[derive(Copy, Clone, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct Cap<T: CapType> {
    cptr: CPtr,
    kind: PhantomData<T>,
}

impl<T: CapType> Cap<T> {
    /// Returns the pointer without its type.
    pub const fn cptr(&self) -> CPtr {
        self.cptr
    }

    /// Returns the pointer as a number.
    pub const fn bits(&self) -> CPtrBits {
        self.cptr.bits()
    }

    /// Makes a pointer of a number.
    pub const fn from_bits(bits: CPtrBits) -> Self {
        CPtr::from_bits(bits).cast()
    }

    /// Returns this pointer, taken to point to a `U`.
    pub fn cast<U: CapType>(self) -> Cap<U> {
        self.cptr.cast()
    }
}

impl<T: CapType> fmt::Debug for Cap<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple(T::NAME).field(&self.bits()).finish()
    }
}

/// A type that marks what a [`Cap`] points to.
pub trait CapType: Copy + Clone + Eq + PartialEq + Ord + PartialOrd + Hash {
    /// The name that `Debug` shows.
    const NAME: &'static str;
}

macro_rules! cap_types {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Markers for [`Cap`].
        pub mod cap_type {
            $(
                $(#[$doc])*
                #[derive(Copy, Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
                pub struct $name;

                impl crate::CapType for $name {
                    const NAME: &'static str = stringify!($name);
                }
            )*
        }

        /// A name for each `Cap<cap_type::…>`.
        pub mod cap {
            $(
                $(#[$doc])*
                pub type $name = crate::Cap<crate::cap_type::$name>;
            )*
        }
    };
}

cap_types! {
    /// An endpoint: messages between threads.
    Endpoint,
    /// A notification: a word of bits, set by signals.
    Notification,
    /// A thread.
    Tcb,
    /// The right to handle one interrupt.
    IrqHandler,
    /// A reply object (MCS; without, it names nothing).
    Reply,
    /// A capability of unknown type.
    Unspecified,
}
