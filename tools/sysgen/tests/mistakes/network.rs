// SPDX-License-Identifier: BSD-2-Clause
//! Mistakes about addresses, buffers and what clients may do.

use crate::{build, expect, expect_added, own};

#[test]
fn interface() {
    expect("\"isthmus\"", "\"-isthmus\"", "-isthmus", "no host name");
    expect("\"isthmus\"", "\"ist hmus\"", "ist hmus", "no host name");
    let address = |to: &str, words: &str| expect("10.0.2.15/24", to, to, words);
    address("10.0.2.15", "no IPv4 address with a prefix");
    address("10.0.2.256/24", "no IPv4 address with a prefix");
    address("10.0.2.15/31", "prefix of 31 bits");
    address("10.0.2.255/24", "broadcast address");
    address("10.0.2.0/24", "the network itself");
    let address = |to: &str, line: &str, words: &str| {
        let from =
            "address = \"10.0.2.15/24\"    # own address and length of the network's prefix\n";
        expect(from, to, line, words);
    };
    address(
        "address = \"dhcp\"\n",
        "gateway",
        "comes from a DHCP server",
    );
    let fallback = "address = \"dhcp\"\nfallback = \"10.0.2.0/24\"\n";
    address(fallback, "fallback", "the network itself");
    let fallback = "address = \"10.0.2.15/24\"\nfallback = \"link-local\"\n";
    address(fallback, "fallback", "is there from the start");
    let fallback = "address = \"dhcp\"\nfallback = \"none\"\n";
    address(fallback, "fallback", "no IPv4 address with a prefix");
    let from = "gateway = \"10.0.2.2\"        # next hop for everything outside that network\n";
    expect(from, "", "address =", "has no gateway");
    let gateway = |to: &str, words: &str| expect("\"10.0.2.2\"", to, to, words);
    gateway("\"10.0.2.15\"", "own address");
    gateway("\"10.0.3.2\"", "outside the network 10.0.2.0/24");
    gateway("\"10.0.2.255\"", "broadcast address");
    gateway("\"ten\"", "no IPv4 address");
    let dns = |to: &str, words: &str| expect("dns = [\"10.0.2.3\"]", to, to, words);
    dns("dns = [\"ns.example.org\"]", "no IPv4 address");
    dns("dns = [\"224.0.0.251\"]", "a multicast address");
    dns("dns = [\"127.0.0.1\"]", "a loopback address");
    dns(
        "dns = [\"10.0.2.3\", \"10.0.2.4\", \"10.0.2.5\", \"10.0.2.6\"]",
        "too many name servers",
    );
    dns("domain = \"example..org\"", "no domain");
    dns("domain = \"-x.org\"", "no domain");
}

#[test]
fn interface_with_ipv6() {
    let address6 = |value: &str, words: &str| {
        let to = format!("address6 = \"{value}\"");
        expect("autoconf = true", &to, &format!("\"{value}\""), words);
    };
    address6("fd00::15", "no IPv6 address with a prefix");
    address6("10.0.2.15/24", "no IPv6 address with a prefix");
    address6("fe80::1/64", "not an address of one host");
    address6("::ffff:10.0.2.15/96", "not an address of one host");
    address6("fd00::15/129", "not an address of one host");
    let gateway6 = |value: &str, words: &str| {
        let to = format!("address6 = \"fd00::15/64\"\ngateway6 = \"{value}\"");
        expect("autoconf = true", &to, &format!("\"{value}\""), words);
    };
    gateway6("fd01::1", "not on the link");
    gateway6("fd00::15", "not on the link");
    gateway6("10.0.2.2", "no IPv6 address");
}

#[test]
fn buffers() {
    expect(
        "datagram_receive = 65536",
        "datagram_receive = 100",
        "100",
        "a buffer of 100 bytes",
    );
    expect(
        "datagram_sockets = 4",
        "datagram_sockets = 4\ndatagram_memory = 4096",
        "datagram_memory",
        "4096 bytes for datagrams",
    );
    expect(
        "stream_send = 65536",
        "stream_send = 99999999999",
        "99999999999",
        "invalid value",
    );
}

#[test]
fn ports() {
    expect(
        "tcp_listen = [80]",
        "tcp_listen = [0]",
        "[0]",
        "invalid value",
    );
    expect(
        "tcp_listen = [80]",
        "tcp_listen = [\"90-80\"]",
        "90-80",
        "invalid value",
    );
    expect(
        "tcp_listen = [80]",
        "tcp_listen = [80, 7]",
        "80, 7",
        "clashes with 7 of echo_server (isthmus.toml:",
    );
    expect(
        "tcp_listen = [80]",
        "tcp_listen = [80, \"70-90\"]",
        "70-90",
        "clashes with 80 of http_server",
    );
    expect(
        "tcp_listen = [80]",
        "tcp_listen = [80, 1,2,3,4,5,6,8,9]",
        "80, 1",
        "too many ports",
    );
    expect(
        "tcp_listen = [80]",
        "tcp_connect = [\"10.0.2.2\"]",
        "10.0.2.2\"]",
        "no destination",
    );
}

#[test]
fn sockets() {
    expect(
        "datagram_sockets = 4\n",
        "",
        "[pds.echo_server]",
        "no datagram sockets",
    );
    expect(
        "stream_sockets = 160\ntcp_listen = [80]\n",
        "stream_sockets = 160\nicmp = true\ntcp_listen = [80]\n",
        "[pds.http_server]",
        "no datagram sockets, but icmp",
    );
    expect(
        "stream_sockets = 160\ntcp_listen = [80]",
        "tcp_listen = [80]\ndatagram_sockets = 1",
        "[pds.http_server]",
        "no stream sockets",
    );
    expect(
        "datagram_sockets = 4\n",
        "datagram_sockets = 4000\n",
        "stream_sockets",
        "160 stream and 4000 datagram sockets",
    );
    expect_added(
        "[pds.lone]\nstream_sockets = 1\n",
        "stream_sockets",
        "uses no server of sockets",
    );
    expect_added(
        "[pds.idle]\nuses = [\"net_server\"]\n",
        "[pds.idle]",
        "may have none",
    );
}

#[test]
fn one_client_captures() {
    let with = |name: &str, capture: &str| {
        let sockets = "uses = [\"net_server\"]\nstream_sockets = 1\n";
        format!("[pds.{name}]\n{sockets}capture = {capture}\n")
    };
    assert!(build(&(own() + &with("one", "0x1_0000")), "").is_ok());
    expect_added(&with("one", "512"), "capture", "a buffer of 512 bytes");
    expect_added(
        &(with("one", "0x1_0000") + &with("two", "0x1_0001")),
        "capture = 0x1_0001",
        "two captures, and so does one",
    );
    expect_added(
        "[pds.lone]\ncapture = 0x1_0000\n",
        "capture",
        "uses no server of sockets",
    );
}

#[test]
fn windows() {
    let client = |window: &str| {
        format!("[pds.one]\nuses = [\"net_server\"]\ndatagram_sockets = 1\nwindow = {window}\n")
    };
    assert!(build(&(own() + &client("0x2_1000")), "").is_ok());
    expect_added(&client("0x2_0000"), "window", "does not fit into a window");
    expect_added(&client("0x2_0100"), "window", "a window of 0x20100 bytes");
    expect_added(&client("0"), "window", "a window of 0x0 bytes");
    let streams = "[pds.one]\nuses = [\"net_server\"]\nstream_sockets = 1\nwindow = 0x1000\n";
    assert!(build(&(own() + streams), "").is_ok());
}
