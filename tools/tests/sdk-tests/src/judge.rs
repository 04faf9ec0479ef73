// SPDX-License-Identifier: BSD-2-Clause

//! From what a system has printed to whether it passed.

/// What can be said of a system by its lines so far.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All that should come has come, and nothing that should not.
    Passed,
    /// Something came that should not.
    Failed(String),
    /// This should come next.
    Waiting(String),
}

/// Part of the line of every panic in Rust.
const PANIC: &str = "panicked at";

/// The expected lines must come in this order, with any others between them. A panic that is not
/// expected at that place fails the test; its reason stands on the line behind it.
pub fn judge(lines: &[String], expected: &[&str]) -> Verdict {
    let mut expected = expected.iter().peekable();
    for (i, line) in lines.iter().enumerate() {
        if expected.next_if(|text| line.contains(**text)).is_none() && line.contains(PANIC) {
            return match lines.get(i + 1) {
                Some(reason) => Verdict::Failed(format!("{line} {reason}")),
                None => Verdict::Waiting("the reason of a panic".into()),
            };
        }
    }
    match expected.next() {
        None => Verdict::Passed,
        Some(text) => Verdict::Waiting((*text).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(lines: &[&str], expected: &[&str]) -> Verdict {
        let lines: Vec<String> = lines.iter().map(|line| (*line).into()).collect();
        judge(&lines, expected)
    }

    #[test]
    fn order_counts_and_noise_does_not() {
        assert_eq!(
            verdict(&["boot", "a: one", "x", "b: two", "y"], &["one", "two"]),
            Verdict::Passed
        );
        assert_eq!(
            verdict(&["two", "one"], &["one", "two"]),
            Verdict::Waiting("two".into())
        );
        assert_eq!(
            verdict(&["one two"], &["one", "two"]),
            Verdict::Waiting("two".into())
        );
        assert_eq!(verdict(&[], &["one"]), Verdict::Waiting("one".into()));
    }

    #[test]
    fn a_panic_fails_unless_it_is_expected_there() {
        let panic = "pd: panicked at file.rs:1:2:";
        let failed = Verdict::Failed(format!("{panic} why"));
        assert_eq!(verdict(&["one", panic, "why"], &["one"]), failed);
        assert_eq!(
            verdict(&[panic, "why", "one"], &["one", "panicked at"]),
            failed
        );
        assert_eq!(
            verdict(&["one", panic, "why"], &["one", "pd: panicked at"]),
            Verdict::Passed
        );
        assert!(matches!(verdict(&[panic], &["one"]), Verdict::Waiting(_)));
    }
}
