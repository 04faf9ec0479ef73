// SPDX-License-Identifier: BSD-2-Clause
//! What a test is, and which are run.

use anyhow::{Result, ensure};

use crate::lan::Lan;
use crate::tests;
use crate::world::{Ethernet, Sockets, WithoutRng};

/// What a test needs, and its body.
#[derive(Clone, Copy)]
pub enum Run {
    /// Sockets through QEMU's user network; shares its boot with others.
    Sockets(fn(&mut Sockets) -> Result<()>),
    /// A raw Ethernet peer; shares its boot with others.
    Ethernet(fn(&mut Ethernet) -> Result<()>),
    /// Linux's own stack and raw frames on one network with the guest; shares its boot with others.
    Lan(fn(&mut Lan) -> Result<()>),
    /// Sockets on a boot of its own, because protection domains will be made to fault.
    Faults(fn(&mut Sockets) -> Result<()>),
    /// The same on a machine without a random number generator.
    FaultsWithoutRng(fn(&mut WithoutRng) -> Result<()>),
}

/// A test.
#[derive(Clone, Copy)]
pub struct Test {
    /// Its name, for people and filters.
    pub name: &'static str,
    /// What it needs and does.
    pub run: Run,
}

/// What the tests of one run have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// Runs wherever QEMU runs.
    Anywhere,
    /// Needs a network of its own: `Run::Lan`.
    Lan,
}

impl Suite {
    fn has(self, test: &Test) -> bool {
        matches!(test.run, Run::Lan(_)) == (self == Self::Lan)
    }
}

/// Makes a list of tests out of functions of the same names.
macro_rules! test_list {
    ($kind:ident: $($name:ident),+ $(,)?) => {
        &[$($crate::suite::Test {
            name: stringify!($name),
            run: $crate::suite::Run::$kind($name),
        }),+]
    };
}
pub(crate) use test_list;

/// The tests that were asked for, in the order in which they are run.
pub struct Selection {
    tests: Vec<Test>,
}

impl Selection {
    /// Takes the tests of a suite whose names contain one of the words; all if there are no words.
    ///
    /// # Errors
    /// If a word fits no test.
    pub fn new(suite: Suite, words: &[String]) -> Result<Self> {
        let all: Vec<Test> = tests::ALL
            .iter()
            .flat_map(|list| list.iter())
            .filter(|test| suite.has(test))
            .copied()
            .collect();
        for word in words {
            ensure!(
                all.iter().any(|test| test.name.contains(word.as_str())),
                "no test's name contains {word:?}; --list shows them all"
            );
        }
        let tests = all
            .into_iter()
            .filter(|test| words.is_empty() || words.iter().any(|w| test.name.contains(w.as_str())))
            .collect();
        Ok(Self { tests })
    }

    /// The tests.
    pub fn tests(&self) -> &[Test] {
        &self.tests
    }
}

#[cfg(test)]
mod self_tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = tests::ALL
            .iter()
            .flat_map(|list| list.iter())
            .map(|test| test.name)
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn words_select_and_unknown_words_are_refused() {
        let selection = Selection::new(Suite::Anywhere, &["tcp_echo".into()]).unwrap();
        assert!(!selection.tests().is_empty());
        assert!(
            selection
                .tests()
                .iter()
                .all(|test| test.name.contains("tcp_echo"))
        );
        assert!(Selection::new(Suite::Lan, &["no_such_test".into()]).is_err());
    }
}
