// SPDX-License-Identifier: BSD-2-Clause

//! A network of its own for what a machine does not let its users do, or would notice.

use std::env;
use std::process::Command;

/// Tells the test that it runs there.
const INSIDE: &str = "ISTHMUS_NAMESPACE";
/// A name space with loopback and an interface that leads nowhere, in which everybody may have
/// sockets of ICMP.
const ENTER: &str = "ip link set lo up && ip link add nowhere type veth peer name end && \
     ip addr add 10.0.2.15/24 dev nowhere && ip link set end up && ip link set nowhere up && \
     ip route add default dev nowhere && \
     echo 0 2147483647 >/proc/sys/net/ipv4/ping_group_range && \
     exec \"$0\" --exact --nocapture \"$1\"";

/// Runs a test in a network of its own, as a process of its own. Says so if the machine does not
/// allow that (root and `ip` are needed).
pub fn run(test: &str, inside: impl FnOnce()) {
    if env::var_os(INSIDE).is_some() {
        return inside();
    }
    let mut probe = Command::new("unshare");
    let add = ["--net", "ip", "link", "add", "nowhere", "type", "veth"];
    let probed = probe.args(add).output();
    if !probed.is_ok_and(|probed| probed.status.success()) {
        eprintln!("skipped: {test} needs a network name space, so root, and the program ip");
        return;
    }
    let own = env::current_exe().expect("the test's program");
    let mut again = Command::new("unshare");
    again.args(["--net", "sh", "-c", ENTER]).arg(own).arg(test);
    let output = again.env(INSIDE, "1").output().expect("unshare");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    assert!(text.contains("1 passed"), "{text}");
}
