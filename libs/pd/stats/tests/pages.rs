// SPDX-License-Identifier: BSD-2-Clause
//! A writer and readers on one page, and readers on pages that a hostile PD wrote.

use std::collections::HashSet;

use proptest::prelude::*;
use stats::{
    Common, CounterSet, HttpServer, NetDriver, NetServer, NoCounters, PAGE_SIZE, PdKind, Reader,
    StatsError, StatsPage, Supervisor, Writer, mac_to_value,
};
use zerocopy::{FromZeros, IntoBytes};

fn page() -> &'static StatsPage {
    Box::leak(Box::new(StatsPage::new_zeroed()))
}

fn page_of(bytes: &[u8]) -> &'static StatsPage {
    let mut page = Box::new(StatsPage::new_zeroed());
    page.as_mut().as_mut_bytes().copy_from_slice(bytes);
    Box::leak(page)
}

#[test]
fn a_reader_sees_what_the_writer_counted() {
    let page = page();
    let writer = Writer::<NetDriver>::attach(page, 17);
    writer.inc(NetDriver::RxFrames);
    writer.add(NetDriver::RxBytes, 1500);
    writer.set(NetDriver::MacAddress, mac_to_value([2, 0, 0, 0, 0, 7]));
    writer.raise(NetDriver::RxBuffersHeld, 9);
    writer.raise(NetDriver::RxBuffersHeld, 3);
    writer.common(Common::WakeUps).add(4);

    let reader = Reader::open(page).unwrap();
    let shown: Vec<(&str, String)> = reader
        .samples()
        .filter(|sample| sample.value.raw != 0)
        .map(|sample| (sample.counter.name, sample.value.to_string()))
        .collect();
    let expected = [
        ("starts", "1"),
        ("started_at", "17"),
        ("wake_ups", "4"),
        ("rx_frames", "1"),
        ("rx_bytes", "1500"),
        ("rx_buffers_held", "9"),
        ("mac_address", "02:00:00:00:00:07"),
    ];
    assert_eq!(
        shown,
        expected.map(|(name, value)| (name, value.to_string()))
    );
}

#[test]
fn counters_survive_a_restart_and_another_kind_starts_from_zero() {
    let page = page();
    Writer::<HttpServer>::attach(page, 1).add(HttpServer::Requests, 5);
    let again = Writer::<HttpServer>::attach(page, 2);
    assert_eq!(again.get(HttpServer::Requests), 5);
    assert_eq!(again.common(Common::Starts).get(), 2);
    assert_eq!(again.common(Common::StartedAt).get(), 2);

    let other = Writer::<NetServer>::attach(page, 3);
    assert_eq!(other.common(Common::Starts).get(), 1);
    let sum: u64 = Reader::open(page)
        .unwrap()
        .samples()
        .map(|sample| sample.value.raw)
        .sum();
    assert_eq!(sum, 1 + 3, "starts and started_at only");
}

#[test]
fn pages_that_are_not_set_up_or_of_no_known_kind_are_refused() {
    let page = page();
    assert_eq!(Reader::open(page).err(), Some(StatsError::NotReady));
    Writer::<NoCounters>::attach(page, 0);
    assert_eq!(Reader::open(page).unwrap().kind(), PdKind::Other);
    let mut bytes = vec![0; PAGE_SIZE];
    bytes[..8].copy_from_slice(b"ISTHSTAT");
    bytes[8..12].copy_from_slice(&1_u32.to_le_bytes());
    bytes[12..16].copy_from_slice(&77_u32.to_le_bytes());
    let error = Reader::open(page_of(&bytes)).err();
    assert_eq!(error, Some(StatsError::Kind { found: 77 }));
}

#[test]
fn names_are_unique_in_a_page_and_fit_json_and_all_have_help() {
    for kind in PdKind::ALL {
        let mut seen = HashSet::new();
        for counter in Common::COUNTERS.iter().chain(kind.counters()) {
            assert!(
                seen.insert(counter.name),
                "{kind:?}: {} twice",
                counter.name
            );
            assert!(
                counter
                    .name
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'),
                "{}",
                counter.name
            );
            assert!(counter.help.ends_with('.'), "{}", counter.name);
        }
    }
}

#[test]
fn a_pulse_says_whether_the_pd_works_and_moves_with_each_turn() {
    let page = page_of(&[0; PAGE_SIZE]);
    assert!(!page.beat().is_working(), "not started");
    let pulse = Writer::<NetDriver>::attach(page, 0).pulse();
    let mut last = page.beat();
    for _ in 0..3 {
        pulse.working();
        assert!(page.beat().is_working());
        assert_ne!(page.beat(), last);
        last = page.beat();
        // Further on in the same turn, or at the start after a fault in it.
        pulse.working();
        assert!(page.beat().is_working());
        assert_ne!(page.beat(), last);
        pulse.waiting();
        assert!(!page.beat().is_working());
        pulse.waiting();
        assert!(!page.beat().is_working());
        last = page.beat();
    }
    // Other counters leave it alone, and any word does.
    Writer::<NetDriver>::attach(page, 0).inc(NetDriver::RxFrames);
    assert_eq!(page.beat(), last);
    let full = page_of(&[0xff; PAGE_SIZE]);
    assert!(full.beat().is_working());
}

#[test]
fn every_child_of_the_supervisor_has_its_own_counter() {
    let indices: HashSet<usize> = (0..16)
        .map(|id| Supervisor::faults_of_child(id).unwrap().index())
        .collect();
    assert_eq!(indices.len(), 16);
    assert_eq!(Supervisor::faults_of_child(16), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a hostile PD writes, readers end, and a PD that takes the page over starts clean or
    /// goes on.
    #[test]
    fn garbage_is_read_and_taken_over_without_harm(
        mut bytes in proptest::collection::vec(any::<u8>(), PAGE_SIZE),
        with_magic: bool,
        kind in 0..8_usize,
    ) {
        if with_magic {
            bytes[..8].copy_from_slice(b"ISTHSTAT");
            bytes[8..12].copy_from_slice(&1_u32.to_le_bytes());
            bytes[12..16].copy_from_slice(&(PdKind::ALL[kind] as u32).to_le_bytes());
        }
        let page = page_of(&bytes);
        match Reader::open(page) {
            Ok(reader) => {
                prop_assert!(with_magic);
                let shown: Vec<String> = reader.samples().map(|sample| sample.value.to_string()).collect();
                prop_assert_eq!(shown.len(), Common::COUNTERS.len() + PdKind::ALL[kind].counters().len());
            }
            Err(_) => prop_assert!(!with_magic),
        }
        let writer = Writer::<NetDriver>::attach(page, 5);
        writer.inc(NetDriver::RxFrames);
        prop_assert!(Reader::open(page).is_ok());
        prop_assert_eq!(writer.common(Common::StartedAt).get(), 5);
    }
}
