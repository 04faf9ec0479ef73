// SPDX-License-Identifier: BSD-2-Clause
//! The policy against a list of all restarts, and a child's way from fault to ready.

use proptest::prelude::*;
use supervision::{
    Children, FaultKind, FaultReport, History, MAX_RESTARTS, Policy, Recovery, Unready, Verdict,
};

fn report(label: u64) -> FaultReport {
    FaultReport {
        kind: FaultKind::Other { label },
        pc: None,
    }
}

#[test]
fn a_child_recovers_and_the_time_is_told_once() {
    let mut children = Children::<2>::new(Policy::new(3, 1000));
    assert_eq!(children.ready(1, 5), None, "the first start is no recovery");
    let restart = Verdict::Restart {
        number: 1,
        unready: None,
    };
    assert_eq!(children.fault(1, report(7), 10), restart);
    let recovery = Recovery {
        report: report(7),
        number: 1,
        ticks: 15,
    };
    assert_eq!(children.ready(0, 20), None);
    assert_eq!(children.ready(1, 25), Some(recovery));
    assert_eq!(children.ready(1, 26), None);
}

#[test]
fn a_child_that_never_gets_ready_is_given_up_and_the_others_are_not() {
    let mut children = Children::<2>::new(Policy::new(2, 1000));
    let unready = |label, number| {
        Some(Unready {
            report: report(label),
            number,
        })
    };
    assert!(matches!(
        children.fault(0, report(1), 0),
        Verdict::Restart {
            number: 1,
            unready: None
        }
    ));
    assert_eq!(
        children.fault(0, report(2), 1),
        Verdict::Restart {
            number: 2,
            unready: unready(1, 1)
        }
    );
    assert_eq!(
        children.fault(0, report(3), 2),
        Verdict::GiveUp {
            restarts: 2,
            unready: unready(2, 2)
        }
    );
    assert_eq!(children.fault(0, report(4), 5000), Verdict::Stop);
    assert_eq!(children.ready(0, 5001), None);
    assert_eq!(children.given_up(), 1);
    assert!(matches!(
        children.fault(1, report(1), 3),
        Verdict::Restart { number: 1, .. }
    ));
}

#[test]
fn unknown_children_are_kept_stopped() {
    let mut children = Children::<2>::new(Policy::new(2, 1000));
    assert_eq!(children.fault(2, report(1), 0), Verdict::Stop);
    assert_eq!(children.ready(usize::MAX, 0), None);
}

#[test]
fn no_restarts_allowed_means_none() {
    assert_eq!(History::new().restart(&Policy::new(0, 0), 0), None);
    assert_eq!(Policy::new(1000, 1).restarts(), MAX_RESTARTS);
}

proptest! {
    /// Never more than the limit within any window, and never refused below it.
    #[test]
    fn exactly_as_many_as_allowed(
        limit in 1..=MAX_RESTARTS,
        window in 1..200_u64,
        delays in proptest::collection::vec(0..40_u64, 1..300),
    ) {
        let policy = Policy::new(limit, window);
        let mut history = History::new();
        let mut restarts: Vec<u64> = Vec::new();
        let mut now = 0;
        for delay in delays {
            now += delay;
            let within = restarts.iter().filter(|&&at| now - at < window).count();
            let granted = history.restart(&policy, now);
            prop_assert_eq!(granted.is_some(), within < limit);
            if let Some(number) = granted {
                restarts.push(now);
                prop_assert_eq!(number, restarts.len() as u64);
            }
        }
    }
}
