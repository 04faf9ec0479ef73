// SPDX-License-Identifier: BSD-2-Clause
//! The table of deadlines against a map, with a comparator that behaves like the hardware.

use std::collections::BTreeMap;

use driver_proto::Deadlines;
use proptest::prelude::*;

const CALLERS: usize = 8;

#[derive(Clone, Debug)]
enum Step {
    Set(usize, u64),
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0..CALLERS + 2, 0..1000_u64).prop_map(|(caller, delay)| Step::Set(caller, delay)),
        (0..500_u64).prop_map(Step::Pass),
    ];
    proptest::collection::vec(step, 1..200)
}

#[test]
fn a_new_deadline_replaces_the_old_one() {
    let mut table = Deadlines::<2>::default();
    assert!(table.set(0, 10) && table.set(1, 20) && table.set(0, 30));
    assert_eq!(table.next(), Some(20));
    assert!(table.expire(19) == 0);
    assert_eq!(table.expire(20), 1 << 1);
    assert_eq!(table.next(), Some(30));
    assert!(!table.set(2, 1), "no third caller");
    assert_eq!(table.expire(u64::MAX), 1 << 0);
    assert_eq!(table.next(), None);
}

proptest! {
    /// Everyone is notified exactly once, not before the deadline, and at the first look after it.
    #[test]
    fn everyone_is_woken_once_and_in_time(steps in steps()) {
        let mut table = Deadlines::<CALLERS>::default();
        let mut model = BTreeMap::new();
        let mut now = 0;
        for step in steps {
            match step {
                Step::Set(caller, delay) => {
                    prop_assert_eq!(table.set(caller, now + delay), caller < CALLERS);
                    if caller < CALLERS {
                        model.insert(caller, now + delay);
                    }
                }
                Step::Pass(ticks) => now += ticks,
            }
            // The comparator fires when the count has reached it (Arm ARM, D11.2.4).
            let fires = table.next().is_some_and(|compare| compare <= now);
            let due = model.iter().filter(|&(_, at)| *at <= now).fold(0, |due, (caller, _)| due | 1 << caller);
            prop_assert_eq!(fires, due != 0);
            prop_assert_eq!(table.expire(now), due);
            model.retain(|_, at| *at > now);
            prop_assert_eq!(table.next(), model.values().min().copied());
        }
    }
}
