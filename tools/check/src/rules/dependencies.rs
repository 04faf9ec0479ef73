// SPDX-License-Identifier: BSD-2-Clause
//! Who may depend on whom: pds → libs → registry (docs/architecture.md, "Crates").

use crate::{Dependency, Finding, Package, Part};

/// The TCP/IP stack, and the crates that may name it. Host tools play the peer, and tests may too.
const STACK: &str = "smoltcp";
const STACK_USERS: [&str; 1] = ["socket-server"];

/// The server's core, and the PDs that may contain it: no client.
const SERVER_CORE: &str = "socket-server";
const SERVER_PDS: [&str; 1] = ["net_server"];

/// Checks every dependency of every crate.
pub fn check(packages: &[Package]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages {
        for dependency in &package.dependencies {
            let other = packages.iter().find(|other| other.name == dependency.name);
            if let Some((message, remedy)) = problem(package, dependency, other) {
                let (from, to) = (&package.name, &dependency.name);
                let message = format!("{from} depends on {to}: {message}");
                findings.push(Finding::new(&package.manifest, 0, message, remedy));
            }
        }
    }
    findings
}

fn problem(
    package: &Package,
    dependency: &Dependency,
    other: Option<&Package>,
) -> Option<(&'static str, &'static str)> {
    if dependency.name == STACK
        && package.part != Part::Tools
        && !dependency.dev
        && !STACK_USERS.contains(&package.name.as_str())
    {
        return Some((
            "the TCP/IP stack is named in one crate only",
            "offer what you need from it in socket-server, or use the socket protocol",
        ));
    }
    let other = other?;
    if other.part == Part::Pds {
        return Some((
            "nothing depends on a protection domain",
            "move what both need to a crate in libs",
        ));
    }
    if other.part == Part::Tools && package.part != Part::Tools && !dependency.dev {
        return Some((
            "what runs in the image does not depend on a tool",
            "move what both need to a crate in libs",
        ));
    }
    if other.name == SERVER_CORE
        && package.part == Part::Pds
        && !SERVER_PDS.contains(&package.name.as_str())
    {
        return Some((
            "a client does not contain the server",
            "use socket-client; what both need belongs into socket-proto",
        ));
    }
    None
}
