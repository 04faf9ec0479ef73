// SPDX-License-Identifier: BSD-2-Clause

//! The same operations on sockets of the Linux that the test runs on, and on the core: results,
//! error numbers and poll bits must be the same. Where they are meant to differ, the line says what
//! the core does, and why.

#![cfg(target_os = "linux")]

mod core;
mod datagrams;
mod echoes;
mod ending;
mod groups;
mod host;
mod ipv6;
mod loopback;
mod namespace;
mod opening;
mod options;
mod script;

use std::time::Duration;

use script::Step;

/// Linux processes most packets of its loopback interface at once, but not all: if there is a
/// difference, it gets more time.
const RESTS: [Duration; 3] = [
    Duration::from_micros(200),
    Duration::from_millis(5),
    Duration::from_millis(100),
];

/// A line of a case: the step, and what the core does if that is meant to differ from Linux, with
/// the reason.
struct Line {
    step: Step,
    text: &'static str,
    wanted: Option<&'static str>,
}

fn lines(case: &'static str) -> Vec<Line> {
    let lines = case.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let (step, wanted) = match line.split_once(" -- ") {
                Some((step, wanted)) => {
                    let (wanted, reason) = wanted.split_once(": ").expect("a reason");
                    assert!(!reason.is_empty());
                    (step.trim(), Some(wanted))
                }
                None => (line, None),
            };
            Line {
                step: script::parse(step),
                text: step,
                wanted,
            }
        })
        .collect()
}

/// Lines on which core and Linux differ otherwise than they are meant to, side by side.
fn differences(lines: &[Line], ours: &[String], linux: &[String]) -> Option<String> {
    let mut report = String::new();
    let mut differs = false;
    for ((line, ours), linux) in lines.iter().zip(ours).zip(linux) {
        let fine = match line.wanted {
            Some(wanted) => ours == wanted && ours != linux,
            None => ours == linux,
        };
        differs |= !fine;
        let mark = if fine { ' ' } else { '!' };
        report += &format!("  {mark} {:28} core: {ours:44} Linux: {linux}\n", line.text);
    }
    differs.then_some(report)
}

#[test]
fn sockets_behave_as_on_linux() {
    let cases = [
        opening::CASES,
        ending::CASES,
        datagrams::CASES,
        loopback::CASES,
        ipv6::CASES,
        options::CASES,
    ];
    compare(&cases.concat());
}

#[test]
fn echoes_behave_as_on_linux() {
    namespace::run("echoes_behave_as_on_linux", || {
        assert!(host::open_echo(false).is_ok(), "sockets of ICMP");
        compare(echoes::CASES);
    });
}

#[test]
fn groups_behave_as_on_linux() {
    namespace::run("groups_behave_as_on_linux", || compare(groups::CASES));
}

fn compare(cases: &[(&str, &'static str)]) {
    let mut wrong = Vec::new();
    for (title, case) in cases {
        let lines = lines(case);
        let steps: Vec<Step> = lines.iter().map(|line| line.step).collect();
        let ours = script::run(&mut core::Core::new(), &steps);
        let found = RESTS
            .into_iter()
            .map(|rest| {
                let linux = script::run(&mut host::Host::new(rest), &steps);
                differences(&lines, &ours, &linux)
            })
            .try_fold(String::new(), |_, difference| difference);
        if let Some(report) = found {
            wrong.push(format!("{title}\n{report}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}
