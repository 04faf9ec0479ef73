// SPDX-License-Identifier: BSD-2-Clause
//! The watch over children on one processor that always goes to the highest priority.

use proptest::prelude::*;
use stats::Beat;
use supervision::{PATIENCE, Sight, Watch};

const N: usize = 5;

#[derive(Clone, Debug)]
struct Child {
    priority: u8,
    word: u64,
}

impl Child {
    /// Some turns; at the end it works or waits.
    fn run(&mut self, turns: u64, works: bool) {
        self.word = ((self.word | 1) + 2 * turns + 1) | u64::from(works);
    }
}

fn sights(children: &[Child]) -> [Option<Sight>; N] {
    core::array::from_fn(|id| {
        children.get(id).map(|child| Sight {
            priority: child.priority,
            beat: Beat::from(child.word),
            starting: false,
        })
    })
}

#[test]
fn one_that_turns_without_end_is_found_and_found_again() {
    let mut watch = Watch::<N>::new();
    let mut children = vec![Child {
        priority: 5,
        word: 7,
    }];
    assert_eq!(watch.tick(&sights(&children)), None, "it may be new");
    for _ in 1..PATIENCE {
        assert_eq!(watch.tick(&sights(&children)), None);
    }
    assert_eq!(watch.tick(&sights(&children)), Some(0));
    assert_eq!(watch.tick(&sights(&children)), None);
    // A turn that ends in between is a new beginning, and so is a wait.
    children[0].word = 9;
    for _ in 0..PATIENCE {
        assert_eq!(watch.tick(&sights(&children)), None);
    }
    children[0].word = 10;
    assert_eq!(watch.tick(&sights(&children)), None);
    for _ in 0..100 {
        assert_eq!(watch.tick(&sights(&children)), None, "it waits");
    }
}

#[test]
fn a_start_without_end_is_work_without_end() {
    let mut watch = Watch::<N>::new();
    let mut all = sights(&[Child {
        priority: 5,
        word: 8,
    }]);
    all[0].as_mut().unwrap().starting = true;
    let found = (0..=PATIENCE).find_map(|_| watch.tick(&all));
    assert_eq!(found, Some(0));
}

#[test]
fn who_waits_inside_a_call_is_not_blamed() {
    let mut watch = Watch::<N>::new();
    // Client, server that turns without end, and one that is parked.
    let children = [
        Child {
            priority: 50,
            word: 3,
        },
        Child {
            priority: 100,
            word: 5,
        },
    ];
    let mut all = sights(&children);
    let found = (0..=PATIENCE).find_map(|_| watch.tick(&all));
    assert_eq!(found, Some(1));
    all[1] = None;
    assert_eq!(watch.tick(&all), None, "it had no chance to run until now");
}

proptest! {
    /// Each second the highest of those that want to run does, down to the one that turns without
    /// end. It is found as soon as it has been the one that runs at enough ticks, and nobody else
    /// ever is.
    #[test]
    fn the_guilty_one_and_no_other(
        priorities in proptest::collection::vec(0..3_u8, N),
        guilty in proptest::option::of(0..N),
        seconds in proptest::collection::vec(
            proptest::collection::vec((0..4_u64, any::<bool>()), N), 1..60),
    ) {
        let mut watch = Watch::<N>::new();
        let mut children: Vec<Child> = priorities.iter().map(|&priority| Child { priority, word: 0 }).collect();
        if let Some(guilty) = guilty {
            children[guilty].word = 1;
        }
        let mut alone = 0;
        for second in seconds {
            // Work at the end of the second means work that had been going on for less than that;
            // all above those who work got all they wanted.
            let mut above = u8::MAX;
            let stuck = guilty.map_or(0, |guilty| children[guilty].priority);
            for (id, (turns, works)) in second.into_iter().enumerate() {
                let child = &mut children[id];
                if Some(id) != guilty && child.priority >= stuck {
                    child.run(turns, works);
                    if works && child.priority > stuck {
                        above = above.min(child.priority);
                    }
                }
            }
            let found = watch.tick(&sights(&children));
            prop_assert!(found.is_none() || found == guilty, "{:?} is blamed", found);
            alone = if above == u8::MAX { alone + 1 } else { alone };
            if found.is_some() {
                alone = 0;
                let word = &mut children[found.unwrap()].word;
                *word += 2;
            } else if guilty.is_some() {
                prop_assert!(alone <= u64::from(PATIENCE) + 1, "not found");
            }
        }
    }

    /// One of high priority that has work without end, and gets on with it, has nobody restarted
    /// whom it keeps from running.
    #[test]
    fn the_starved_are_not_blamed(frozen in proptest::collection::vec(any::<u8>(), N - 1), seconds in 1..100_u64) {
        let mut watch = Watch::<N>::new();
        let mut children: Vec<Child> = frozen.iter().map(|&word| Child { priority: 1, word: word.into() }).collect();
        children.push(Child { priority: 2, word: 0 });
        for _ in 0..seconds {
            children[N - 1].run(1, true);
            prop_assert_eq!(watch.tick(&sights(&children)), None);
        }
    }
}
