// SPDX-License-Identifier: BSD-2-Clause
//! The policy over any past of a child, and a child's way from fault to ready.

use proptest::prelude::*;
use supervision::{Cause, Children, FaultReport, Policy, Report, Streak, Verdict};
use time::Rate;

/// 3 at once, one more every 100 ticks, pauses from 50 to 1600.
const POLICY: Policy = Policy {
    rate: Rate::new(3, 100),
    unready_cost: 2,
    first_pause: 50,
    longest_pause: 1600,
    needless_reports: Rate::new(2, 1000),
};

fn report(digest: u64) -> FaultReport {
    FaultReport::new(Cause::Stopped { why: "", digest }, None)
}

fn once(digest: u64) -> Streak {
    Streak {
        report: report(digest),
        times: 1,
    }
}

#[test]
fn a_child_recovers_and_the_time_is_told_once() {
    let mut children = Children::<2>::new(POLICY);
    let first = children.ready(1, 5);
    assert_eq!(first, Report::NoNews, "the first start is no recovery");
    assert!(!children.is_starting(1));
    let judgement = children.fault(1, report(7), 10);
    assert_eq!(judgement.verdict, Verdict::Restart { number: 1 });
    assert_eq!((judgement.streak, judgement.unready), (once(7), None));
    assert!(children.is_starting(1));
    let recovered = Report::Recovered {
        streak: once(7),
        number: 1,
        ticks: 15,
    };
    assert_eq!(children.ready(0, 20), Report::NoNews);
    assert_eq!(children.ready(1, 25), recovered);
    assert!(!children.is_starting(1));
    assert_eq!(children.ready(1, 26), Report::NoNews);
}

#[test]
fn a_child_that_never_gets_ready_is_parked_and_the_others_are_not() {
    let mut children = Children::<2>::new(POLICY);
    let fault = |children: &mut Children<2>, digest, now| {
        let judgement = children.fault(0, report(digest), now);
        assert_eq!(judgement.streak, once(digest));
        (judgement.verdict, judgement.unready)
    };
    let restart = |number| Verdict::Restart { number };
    assert_eq!(fault(&mut children, 1, 0), (restart(1), None));
    assert!(!children.is_starting(0), "it never says that it is ready");
    // The second costs 2, which leaves nothing.
    let unready = |digest, number| Some((once(digest), number));
    assert_eq!(fault(&mut children, 2, 1), (restart(2), unready(1, 1)));
    let park = |pause| Verdict::Park { pause };
    assert_eq!(fault(&mut children, 3, 2), (park(50), unready(2, 2)));
    assert!(children.is_parked(0) && !children.is_parked(1));
    assert_eq!(children.parked(), 1);
    let late = children.ready(0, 3);
    assert_eq!(late, Report::NoNews, "sent before it was parked");
    assert_eq!(fault(&mut children, 4, 4), (Verdict::Stop, None));
    let due = |digest, number| Some((0, once(digest), number));
    assert_eq!(children.take_due(51), None);
    assert_eq!(children.take_due(52), due(3, 3));
    assert_eq!(children.take_due(52), None);
    assert_eq!(fault(&mut children, 5, 53), (park(100), unready(3, 3)));
    assert_eq!(children.take_due(153), due(5, 4));
    // What it recovers from at last, and the time that all of it took.
    let recovered = Report::Recovered {
        streak: once(5),
        number: 4,
        ticks: 107,
    };
    assert_eq!(children.ready(0, 160), recovered);
    let other = children.fault(1, report(1), 3);
    assert_eq!(other.verdict, restart(1));
}

#[test]
fn a_child_that_reports_without_end_is_noticed_and_one_that_restarts_often_is_not() {
    let mut children = Children::<2>::new(POLICY);
    assert_eq!(children.ready(0, 0), Report::NoNews);
    assert_eq!(children.ready(0, 1), Report::NoNews);
    assert_eq!(children.ready(0, 2), Report::TooMany);
    for round in 1..50 {
        let now = round * 100;
        let verdict = children.fault(1, report(1), now).verdict;
        assert!(matches!(verdict, Verdict::Restart { .. }));
        let report = children.ready(1, now + 1);
        assert!(matches!(report, Report::Recovered { .. }));
    }
    assert_eq!(children.ready(0, 1000), Report::NoNews);
}

#[test]
fn the_same_fault_is_counted_until_the_child_is_ready_or_faults_otherwise() {
    let mut children = Children::<1>::new(Policy {
        rate: Rate::new(100, 1),
        ..POLICY
    });
    let mut now = 0;
    let mut fault = |children: &mut Children<1>, digest| {
        now += 1;
        let judgement = children.fault(0, report(digest), now);
        assert!(matches!(judgement.verdict, Verdict::Restart { .. }));
        let unready = judgement.unready.map(|(streak, _)| streak.times);
        (judgement.streak.times, unready)
    };
    assert_eq!(fault(&mut children, 1), (1, None));
    assert_eq!(fault(&mut children, 1), (2, None));
    assert_eq!(fault(&mut children, 1), (3, None));
    assert_eq!(fault(&mut children, 2), (1, Some(3)));
    assert!(matches!(children.ready(0, 10), Report::Recovered { .. }));
    assert_eq!(fault(&mut children, 2), (1, None));
}

#[test]
fn unknown_children_are_kept_stopped() {
    let mut children = Children::<2>::new(POLICY);
    assert_eq!(children.fault(2, report(1), 0).verdict, Verdict::Stop);
    assert_eq!(children.ready(usize::MAX, 0), Report::NoNews);
    assert!(!children.is_parked(2) && !children.is_starting(2));
}

#[test]
fn pauses_double_up_to_the_longest_and_begin_anew_after_a_calm() {
    let mut children = Children::<1>::new(POLICY);
    let mut now = 0;
    let mut pauses = Vec::new();
    for _ in 0..12 {
        match children.fault(0, report(1), now).verdict {
            Verdict::Park { pause } => {
                pauses.push(pause);
                now += pause;
                assert!(children.take_due(now).is_some());
            }
            verdict => assert!(matches!(verdict, Verdict::Restart { .. })),
        }
        children.ready(0, now);
        now += 1;
    }
    assert_eq!(pauses, [50, 100, 200, 400, 800, 1600, 1600, 1600, 1600]);
    // It runs for as long as its last pause: then it is trusted again.
    now += 1600;
    let verdict = children.fault(0, report(1), now).verdict;
    assert_eq!(verdict, Verdict::Restart { number: 13 });
}

proptest! {
    /// A child may fault whenever it likes: it is always started again, after no more than the
    /// longest pause; and in no span of time it starts more often than the rate says, with pauses
    /// counted as if they cost nothing.
    #[test]
    fn always_again_and_never_too_often(
        burst in 1..8_u64,
        interval in 1..100_u64,
        first_pause in 1..100_u64,
        doublings in 0..6_u32,
        unready_cost in 1..4_u64,
        faults in proptest::collection::vec((0..150_u64, any::<bool>()), 1..300),
    ) {
        let policy = Policy {
            rate: Rate::new(burst, interval),
            unready_cost,
            first_pause,
            longest_pause: first_pause << doublings,
            needless_reports: Rate::new(u64::MAX, 1),
        };
        let mut children = Children::<1>::new(policy);
        let (mut now, mut number, mut last_pause) = (0, 0, None);
        let mut at_once: Vec<u64> = Vec::new();
        for (runs_for, gets_ready) in faults {
            if gets_ready {
                children.ready(0, now);
            }
            now += runs_for;
            number += 1;
            match children.fault(0, report(0), now).verdict {
                Verdict::Restart { number: told } => {
                    prop_assert_eq!(told, number);
                    prop_assert!(last_pause.is_none_or(|pause| runs_for >= pause), "trusted without need");
                    at_once.push(now);
                    last_pause = None;
                }
                Verdict::Park { pause } => {
                    match last_pause {
                        Some(last) if runs_for < last => {
                            prop_assert_eq!(pause, (2 * last).min(policy.longest_pause));
                        }
                        _ => prop_assert_eq!(pause, first_pause),
                    }
                    prop_assert_eq!(children.take_due(now + pause - 1), None);
                    prop_assert_eq!(children.fault(0, report(1), now).verdict, Verdict::Stop);
                    now += pause;
                    prop_assert_eq!(children.take_due(now).map(|(.., number)| number), Some(number));
                    last_pause = Some(pause);
                }
                Verdict::Stop => prop_assert!(false, "given up"),
            }
        }
        for (i, start) in at_once.iter().enumerate() {
            for (count, end) in at_once[i..].iter().enumerate() {
                prop_assert!(count as u64 * interval <= (burst - 1) * interval + (end - start));
            }
        }
    }
}
