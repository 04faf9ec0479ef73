// SPDX-License-Identifier: BSD-2-Clause
//! The tests, by what they look at.

mod c_programs;
mod crowds;
mod curl;
mod echoing;
mod ethernet_basic;
mod ethernet_flood;
mod ethernet_fragments;
mod ethernet_garbage;
mod ethernet_ping;
mod ethernet_ports;
mod faulting;
mod faults_backoff;
mod faults_clients;
mod faults_driver;
mod faults_hangs;
mod faults_random;
mod faults_rng;
mod faults_services;
mod hostile_client;
mod hostile_driver;
mod http_connections;
mod http_load;
mod http_refusals;
mod http_resources;
mod lan_crowds;
mod lan_floods;
mod lan_forged;
mod lan_groups;
mod lan_ipv6;
mod lan_resets;
mod lan_traffic;
mod names;
mod tcp;
mod tcp_closing;
mod udp;

use crate::suite::Test;

/// All tests, in the order in which they are run.
pub const ALL: &[&[Test]] = &[
    ethernet_basic::TESTS,
    ethernet_ping::TESTS,
    ethernet_ports::TESTS,
    ethernet_fragments::TESTS,
    ethernet_garbage::TESTS,
    ethernet_flood::TESTS,
    udp::TESTS,
    names::TESTS,
    c_programs::TESTS,
    tcp::TESTS,
    tcp_closing::TESTS,
    http_resources::TESTS,
    http_connections::TESTS,
    http_refusals::TESTS,
    curl::TESTS,
    http_load::TESTS,
    crowds::TESTS,
    faults_driver::TESTS,
    faults_clients::TESTS,
    c_programs::FAULTS,
    faults_services::TESTS,
    faults_hangs::TESTS,
    faults_backoff::TESTS,
    faults_random::TESTS,
    faults_rng::WITH_DEVICE,
    faults_rng::WITHOUT_DEVICE,
    hostile_client::TESTS,
    hostile_driver::TESTS,
    lan_traffic::TESTS,
    lan_groups::TESTS,
    lan_ipv6::TESTS,
    lan_resets::TESTS,
    lan_forged::TESTS,
    lan_floods::TESTS,
    lan_crowds::TESTS,
    hostile_client::ON_A_LAN,
];

#[cfg(test)]
mod against_test_peers;
