// SPDX-License-Identifier: BSD-2-Clause
//! What a counter's number means.

use core::fmt;

/// How the 64 bits of a counter are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Events since the page was set up; only grows.
    Count,
    /// Bytes since the page was set up; only grows.
    Bytes,
    /// A level: how many there are now.
    Level,
    /// A duration in nanoseconds.
    Nanoseconds,
    /// A point in time, in ticks of the generic timer.
    Ticks,
    /// 0 or 1.
    Flag,
    /// An Ethernet address; see [`mac_to_value`].
    Mac,
}

/// Puts an Ethernet address into a counter's 64 bits: first byte in bits 40..48, last byte in bits
/// 0..8.
pub fn mac_to_value(mac: [u8; 6]) -> u64 {
    let [a, b, c, d, e, f] = mac;
    u64::from_be_bytes([0, 0, a, b, c, d, e, f])
}

/// A counter's number with its unit; `Display` writes it for people, without the unit's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value {
    /// The bits as they stand in the page.
    pub raw: u64,
    /// How to read them.
    pub unit: Unit,
}

impl Value {
    /// Whether `Display` writes a plain number, which JSON can take without quotes.
    pub fn is_number(self) -> bool {
        self.unit != Unit::Mac
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_number() {
            return write!(f, "{}", self.raw);
        }
        let [_, _, a, b, c, d, e, g] = self.raw.to_be_bytes();
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mac_round_trip_is_readable() {
        let raw = mac_to_value([0x52, 0x54, 0x00, 0x12, 0x34, 0x56]);
        let value = Value {
            raw,
            unit: Unit::Mac,
        };
        assert_eq!(value.to_string(), "52:54:00:12:34:56");
        assert!(!value.is_number());
    }

    #[test]
    fn a_hostile_mac_still_has_six_bytes() {
        let value = Value {
            raw: u64::MAX,
            unit: Unit::Mac,
        };
        assert_eq!(value.to_string(), "ff:ff:ff:ff:ff:ff");
    }
}
