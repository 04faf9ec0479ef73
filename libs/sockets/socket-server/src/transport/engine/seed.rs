// SPDX-License-Identifier: BSD-2-Clause

//! smoltcp takes a connection's first sequence number from its interface's generator, whose state
//! is the interface's seed. [`seed_for`] inverts steps of that generator, so that smoltcp takes the
//! number that is wanted.

/// smoltcp 0.14's generator: `state = state * MULTIPLIER + INCREMENT`, and the 32 bits above bit
/// `29 - state[61..64]` of the new state are the number.
const MULTIPLIER: u64 = 0xbb2e_fcec_3c39_611d;
const INCREMENT: u64 = 0x7590_ef39;

/// The seed of a smoltcp interface that takes so many random numbers for itself, and then `number`.
/// It takes 16 bits each time, and once more where these are zero: no such seed is chosen.
pub fn seed_for(number: u32, draws: u32) -> u64 {
    // With the top three bits zero, the number lies from bit 29 on. What lies below is free, and
    // the first will do but for one number in 65,536 for each draw.
    let last = u64::from(number) << 29;
    (0..1 << 29)
        .map(|below| {
            (0..=draws).fold(last | below, |state, _| {
                state.wrapping_sub(INCREMENT).wrapping_mul(INVERSE)
            })
        })
        .find(|&seed| draws_nothing_twice(seed, draws))
        .unwrap_or_default()
}

fn draws_nothing_twice(seed: u64, draws: u32) -> bool {
    let mut state = seed;
    (0..draws).all(|_| {
        state = step(state);
        let number = (state >> (29 - (state >> 61))) as u32;
        (number ^ number >> 16) as u16 != 0
    })
}

/// The state behind another.
fn step(state: u64) -> u64 {
    state.wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT)
}

/// The multiplier's inverse modulo 2^64, by Newton's iteration: each step doubles the bits.
const INVERSE: u64 = {
    let mut inverse = MULTIPLIER;
    let mut step = 0;
    while step < 5 {
        let error = 2u64.wrapping_sub(MULTIPLIER.wrapping_mul(inverse));
        inverse = inverse.wrapping_mul(error);
        step += 1;
    }
    inverse
};
const _: () = assert!(MULTIPLIER.wrapping_mul(INVERSE) == 1);

/// Whether the first seed that comes to mind for one draw and this number would not do.
#[cfg(test)]
pub fn is_rare(number: u32) -> bool {
    step(step(seed_for(number, 1))) != u64::from(number) << 29
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_seed_gives_its_number(number: u32, draws in 0u32..4) {
            let mut state = seed_for(number, draws);
            prop_assert!(draws_nothing_twice(state, draws));
            for _ in 0..=draws {
                state = step(state);
            }
            prop_assert_eq!(((state >> 29) as u32, state >> 61), (number, 0));
        }
    }

    /// One connection in 65,536 would begin with another number than its peer was told, and be
    /// reset.
    #[test]
    fn no_number_is_drawn_twice() {
        let rare: Vec<u32> = (0..400_000).filter(|&number| is_rare(number)).collect();
        assert!(!rare.is_empty());
        for number in rare {
            assert!(draws_nothing_twice(seed_for(number, 1), 1), "{number}");
        }
    }
}
