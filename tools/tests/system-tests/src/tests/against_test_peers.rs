// SPDX-License-Identifier: BSD-2-Clause
//! The tests are tested: against servers of the host they pass, and against servers that do
//! something wrong those fail that should notice.

use host_peer::test_peer::{Flaw, TestPeer};
use qemu_harness::ports;

use super::ALL;
use crate::link::{Link, probe, test_peer};
use crate::suite::Run;
use crate::world::{Ethernet, Sockets};

fn world(flaw: Flaw) -> Sockets {
    let servers = TestPeer::start(flaw).unwrap();
    Sockets {
        echo: servers.echo,
        http: servers.http,
        closed: (std::net::Ipv4Addr::LOCALHOST, ports::free().unwrap()).into(),
        hostile: servers.echo,
        lookup: servers.echo,
        c_echo: servers.echo,
        c_get: servers.echo,
        guest: None,
    }
}

/// Names and results of the socket tests whose names start with the word.
fn run(flaw: Flaw, start: &str) -> Vec<(&'static str, anyhow::Result<()>)> {
    let mut world = world(flaw);
    ALL.iter()
        .flat_map(|list| list.iter())
        .filter(|test| test.name.starts_with(start))
        .filter_map(|test| match test.run {
            Run::Sockets(body) => Some((test.name, body(&mut world))),
            _ => None,
        })
        .collect()
}

fn must_pass(start: &str) {
    let results = run(Flaw::None, start);
    assert!(!results.is_empty());
    for (name, result) in results {
        assert!(result.is_ok(), "{name}: {:#}", result.unwrap_err());
    }
}

fn must_fail(flaw: Flaw, names: &[&str]) {
    for name in names {
        let results = run(flaw, name);
        assert!(!results.is_empty(), "{name} is no test");
        for (name, result) in results {
            assert!(result.is_err(), "{name} does not notice: {flaw:?}");
        }
    }
}

#[test]
fn udp_tests_pass() {
    must_pass("udp");
}

#[test]
fn tcp_tests_pass() {
    must_pass("tcp");
}

#[test]
fn http_tests_pass() {
    must_pass("http");
}

#[test]
fn curl_tests_pass() {
    must_pass("curl");
}

#[test]
fn changed_bytes_are_noticed() {
    must_fail(
        Flaw::ChangesBytes,
        &[
            "udp",
            "tcp_echo",
            "tcp_64",
            "tcp_300",
            "tcp_slow",
            "tcp_half",
            "tcp_reset",
            "http_bytes",
            "http_keep_alive",
            "http_pipelined",
            "http_64",
            "http_clients",
            "http_and",
            "curl_gets_bytes",
        ],
    );
}

#[test]
fn lost_bytes_are_noticed() {
    // Where the peer waits for more the test would wait for its timeout: those that see an end.
    must_fail(
        Flaw::LosesBytes,
        &[
            "udp_echo",
            "tcp_half_close_gets",
            "http_pipelined",
            "http_head",
        ],
    );
}

#[test]
fn requests_that_should_be_refused_are_noticed() {
    must_fail(
        Flaw::AcceptsAnything,
        &[
            "http_malformed",
            "http_oversized",
            "http_unknown",
            "curl_reports_404",
        ],
    );
}

#[test]
fn stuck_counters_are_noticed() {
    must_fail(Flaw::StuckCounters, &["http_stats"]);
}

/// What plain smoltcp does not do: print a log, give up half-open connections.
const NOT_FOR_SMOLTCP: [&str; 2] = ["logged", "half_open"];

/// Names and results of the Ethernet tests against a host's stack.
fn run_ethernet(flaw: test_peer::Flaw) -> Vec<(&'static str, anyhow::Result<()>)> {
    let port = ports::free().unwrap();
    let link = Link::open(port).unwrap();
    test_peer::start(port, link.port().unwrap(), flaw).unwrap();
    let guest_mac = probe::await_and_answer(&link).unwrap();
    let mut world = Ethernet {
        link,
        guest_mac,
        guest: None,
    };
    ALL.iter()
        .flat_map(|list| list.iter())
        .filter_map(|test| match test.run {
            Run::Ethernet(body) if !NOT_FOR_SMOLTCP.iter().any(|w| test.name.contains(w)) => {
                Some((test.name, body(&mut world)))
            }
            _ => None,
        })
        .collect()
}

#[test]
fn ethernet_tests_pass() {
    for (name, result) in run_ethernet(test_peer::Flaw::None) {
        assert!(result.is_ok(), "{name}: {:#}", result.unwrap_err());
    }
}

#[test]
fn a_stack_that_takes_wrong_checksums_is_noticed() {
    for (name, result) in run_ethernet(test_peer::Flaw::IgnoresChecksums) {
        let should_fail = name.contains("wrong_checksums");
        assert_eq!(result.is_err(), should_fail, "{name}");
    }
}
