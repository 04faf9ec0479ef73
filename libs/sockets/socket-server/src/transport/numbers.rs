// SPDX-License-Identifier: BSD-2-Clause

//! Initial sequence numbers that nobody outside can compute.
//!
//! A number is a keyed hash of the connection's two ends plus a clock (RFC 6528 section 3), or,
//! when half-open connections are not remembered, a SYN cookie (RFC 4987 section 3.6): a hash that
//! proves to us later that we have sent it, and that carries the peer's options.

use crate::ip::packet::Tuple;
use crate::tables::secret::Secret;

/// What a SYN says about its sender (RFC 9293 section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerOptions {
    /// Largest segment that the peer takes, in bytes.
    pub mss: u16,
    /// Shift of its window (RFC 7323 section 2), if it wants to scale.
    pub scale: Option<u8>,
    /// Whether it wants selective acknowledgements (RFC 2018).
    pub sack: bool,
}

impl PeerOptions {
    /// No options, and the segment size that is then assumed (RFC 9293 section 3.7.1).
    pub const NONE: PeerOptions = PeerOptions {
        mss: 536,
        scale: None,
        sack: false,
    };
}

/// Largest segments that a cookie can express, in ascending order: what three bits hold. The
/// common ones are those of Ethernet, of tunnels over it, and of old modems.
const COOKIE_MSS: [u16; 8] = [64, 536, 1024, 1220, 1300, 1380, 1440, 1460];
/// A cookie of this length of time ago is too old; one may be up to twice that old.
const COOKIE_PERIOD: u64 = 64_000_000_000;
/// No window scaling, in the four bits of a cookie. The largest shift is 14.
const NO_SCALE: u32 = 15;

/// What gives the numbers.
pub struct Numbers {
    initial: Secret,
    cookies: Secret,
}

impl Numbers {
    /// `key` must not be known outside.
    pub fn new(key: &[u8; 16]) -> Self {
        Numbers {
            initial: Secret::new(key, u64::from_be_bytes(*b"sequence")),
            cookies: Secret::new(key, u64::from_be_bytes(*b"cookies ")),
        }
    }

    /// The first sequence number of a connection that begins now (in nanoseconds). The clock ticks
    /// every 4 µs, so that a later connection between the same ends starts further on.
    pub fn initial(&self, tuple: &Tuple, now: u64) -> u32 {
        let hash = self
            .initial
            .hash(tuple.digest(|words| self.initial.hash(words)));
        ((now / 4_000) as u32).wrapping_add(hash as u32)
    }

    /// A first sequence number that remembers `options`, given for a SYN with number `irs`.
    pub fn cookie(&self, tuple: &Tuple, irs: u32, options: PeerOptions, now: u64) -> u32 {
        let largest = COOKIE_MSS.iter().rposition(|&mss| mss <= options.mss);
        let mss = largest.unwrap_or(0) as u32;
        let scale = options.scale.map_or(NO_SCALE, |scale| scale.min(14).into());
        let data = mss << 5 | scale << 1 | u32::from(options.sack);
        self.proof(tuple, irs, data, now / COOKIE_PERIOD) | data
    }

    /// What a cookie says, if it is one of ours for these ends and not too old.
    pub fn open(&self, tuple: &Tuple, irs: u32, cookie: u32, now: u64) -> Option<PeerOptions> {
        let data = cookie & 0xff;
        let period = now / COOKIE_PERIOD;
        let ours = [period, period.saturating_sub(1)]
            .iter()
            .any(|&period| self.proof(tuple, irs, data, period) | data == cookie);
        ours.then(|| PeerOptions {
            mss: COOKIE_MSS[(data >> 5) as usize],
            scale: Some(data >> 1 & 0xf)
                .filter(|&scale| scale != NO_SCALE)
                .map(|scale| scale as u8),
            sack: data & 1 != 0,
        })
    }

    /// The upper 24 bits of a cookie.
    fn proof(&self, tuple: &Tuple, irs: u32, data: u32, period: u64) -> u32 {
        let [local, remote] = tuple.digest(|words| self.cookies.hash(words));
        let options = u64::from(irs) << 32 | u64::from(data);
        (self.cookies.hash([local, remote, options, period]) as u32) << 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;
    use proptest::prelude::*;

    fn tuple(remote: u32, port: u16) -> Tuple {
        Tuple {
            local: (Ipv4Addr::new(10, 0, 2, 15).into(), 80),
            remote: (Ipv4Addr::from_bits(remote).into(), port),
        }
    }

    proptest! {
        #[test]
        fn a_cookie_gives_its_options_back(
            remote: u32, port: u16, irs: u32, mss in 64u16.., scale in prop::option::of(0u8..15),
            sack: bool, now in 0u64..1 << 60, age in 0u64..COOKIE_PERIOD
        ) {
            let numbers = Numbers::new(&[7; 16]);
            let tuple = tuple(remote, port);
            let cookie = numbers.cookie(&tuple, irs, PeerOptions { mss, scale, sack }, now);
            let opened = numbers.open(&tuple, irs, cookie, now + age);
            let same = opened.is_some_and(|options| {
                options.mss <= mss && options.scale == scale && options.sack == sack
            });
            prop_assert!(same);
            // After two periods it is worth nothing, nor with another key, nor one bit off.
            prop_assert_eq!(numbers.open(&tuple, irs, cookie, now + 2 * COOKIE_PERIOD), None);
            prop_assert_eq!(Numbers::new(&[8; 16]).open(&tuple, irs, cookie, now), None);
            prop_assert_eq!(numbers.open(&tuple, irs ^ 1, cookie, now), None);
        }

        #[test]
        fn the_first_number_depends_on_every_end(a: u32, b: u32, port: u16, now in 0u64..1 << 60) {
            prop_assume!(a != b);
            let numbers = Numbers::new(&[1; 16]);
            let (at_a, at_b) = (tuple(a, port), tuple(b, port));
            prop_assert_ne!(numbers.initial(&at_a, now), numbers.initial(&at_b, now));
            // For the same ends it goes on with the clock.
            let later = numbers.initial(&at_a, now + 4_000_000);
            prop_assert_eq!(later.wrapping_sub(numbers.initial(&at_a, now)), 1_000);
        }
    }
}
