// SPDX-License-Identifier: BSD-2-Clause
//! The project's own files compile; and every mistake is found, at the right place, with a remedy.

mod faults;
mod logs;
mod rules;
mod sample;
mod syntax;
mod values;
mod wiring;

use std::{fs, path::Path};

use config_tool::compile;
use net_config::NetConfig;
use sample::{CONFIG, SYSTEM, errors, source};

fn project_file(name: &str) -> String {
    fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .join(name),
    )
    .unwrap()
}

/// A description with what is marked for the test image.
fn switched_on(system: &str) -> String {
    config_tool::enable_tests(&source("system.xml", system.to_string())).unwrap()
}

#[test]
fn the_samples_are_right() {
    assert_eq!(errors(CONFIG, SYSTEM), []);
}

#[test]
fn the_project_s_own_files_compile_and_every_client_may_do_something() {
    let bytes = compile(
        &source("net.toml", project_file("net.toml")),
        &source("system.xml", project_file("system.xml")),
    )
    .unwrap();
    let config = NetConfig::parse(&bytes).unwrap();
    assert!(config.client_named("echo_server").unwrap().may_bind_udp(7));
    assert!(
        config
            .client_named("http_server")
            .unwrap()
            .may_listen_tcp(80)
    );
    for client in config.clients() {
        assert!(client.stream_sockets() + client.datagram_sockets() > 0);
    }
}

#[test]
fn files_that_do_not_fit_together() {
    let small = errors(CONFIG, &SYSTEM.replace("0x1_000_000", "0x400_000"));
    assert_eq!((small[0].file.as_str(), small[0].line), ("net.toml", 7));
    let stranger = errors(&CONFIG.replace("[clients.web]", "[clients.wob]"), SYSTEM);
    let places: Vec<_> = stranger.iter().map(|e| (e.file.as_str(), e.line)).collect();
    assert_eq!(places, [("net.toml", 19), ("system.xml", 9)]);
    assert!(stranger[0].help.contains("console, echo, supervisor, web"));
    let headless = errors(CONFIG, "<system></system>");
    assert!(
        headless[0]
            .message
            .contains("no protection domain net_server")
    );
}
