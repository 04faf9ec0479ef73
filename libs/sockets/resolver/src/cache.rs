// SPDX-License-Identifier: BSD-2-Clause

//! Keeps answers for as long as their servers say that they hold.

use core::time::Duration;

use heapless::Vec;
use socket_client::Instant;

use crate::answer::Question;
use crate::{Answer, ResolveError};

/// The longest time that an answer is kept, and one that says that there is nothing (RFC 2308
/// section 5 wants one to three hours for these).
const MAX_FOUND: Duration = Duration::from_secs(24 * 60 * 60);
const MAX_NOTHING: Duration = Duration::from_secs(60 * 60);

/// What the cache has instead of an answer: [`ResolveError::NotFound`] and
/// [`ResolveError::NoData`].
pub(crate) type Outcome = Result<Answer, ResolveError>;

struct Entry {
    question: Question,
    outcome: Outcome,
    expires: Instant,
}

/// At most `N` outcomes. A full cache gives up the one that expires first.
pub(crate) struct Cache<const N: usize>(Vec<Entry, N>);

impl<const N: usize> Cache<N> {
    pub(crate) const fn new() -> Self {
        Cache(Vec::new())
    }

    /// Returns what holds at this moment.
    pub(crate) fn get(&self, question: &Question, now: Instant) -> Option<&Outcome> {
        let mut entries = self.0.iter();
        let entry = entries.find(|entry| entry.question == *question)?;
        (now < entry.expires).then_some(&entry.outcome)
    }

    /// Keeps an outcome for so many seconds; for 0 seconds it is not kept.
    pub(crate) fn put(&mut self, question: Question, outcome: &Outcome, now: Instant, ttl: u32) {
        let longest = match outcome {
            Ok(_) => MAX_FOUND,
            Err(_) => MAX_NOTHING,
        };
        if ttl == 0 {
            return;
        }
        let entry = Entry {
            expires: now + longest.min(Duration::from_secs(ttl.into())),
            outcome: outcome.clone(),
            question,
        };
        let mut entries = self.0.iter_mut();
        let same = entries.find(|old| old.question == entry.question);
        if let Some(same) = same {
            *same = entry;
        } else if let Err(entry) = self.0.push(entry)
            && let Some(first) = self.0.iter_mut().min_by_key(|old| old.expires)
        {
            *first = entry;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HostName, Kind};

    fn question(name: &str) -> Question {
        let name = HostName::new(name).unwrap();
        Question {
            name,
            kind: Kind::A,
        }
    }

    fn at(seconds: u64) -> Instant {
        Instant::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn entries_expire_and_the_first_to_expire_makes_room() {
        let mut cache = Cache::<2>::new();
        let nothing = Err(ResolveError::NotFound);
        let none = Err(ResolveError::NoData);
        cache.put(question("a"), &nothing, at(0), 10);
        cache.put(question("b"), &nothing, at(0), 5);
        cache.put(question("b"), &none, at(0), 6);
        assert_eq!(cache.get(&question("a"), at(9)), Some(&nothing));
        assert_eq!(cache.get(&question("a"), at(10)), None);
        assert_eq!(cache.get(&question("b"), at(5)), Some(&none));
        cache.put(question("c"), &nothing, at(0), 0);
        assert_eq!(cache.get(&question("c"), at(0)), None);
        cache.put(question("c"), &nothing, at(0), u32::MAX);
        assert_eq!(cache.get(&question("b"), at(0)), None);
        assert!(cache.get(&question("a"), at(0)).is_some());
        assert!(cache.get(&question("c"), at(3599)).is_some());
        assert_eq!(cache.get(&question("c"), at(3600)), None);
    }

    #[test]
    fn a_cache_without_room_keeps_nothing() {
        let mut cache = Cache::<0>::new();
        let nothing = Err(ResolveError::NotFound);
        cache.put(question("a"), &nothing, at(0), 10);
        assert_eq!(cache.get(&question("a"), at(1)), None);
    }
}
