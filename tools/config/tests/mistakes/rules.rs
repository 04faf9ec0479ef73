// SPDX-License-Identifier: BSD-2-Clause
//! Mistakes in the project's own system.xml that would break what the programs rely on. Each is one
//! change of one line.

use config_tool::{Diagnostic, compile};

use crate::{project_file, sample::source};

/// Replaces one occurrence in the project's system.xml, and expects one error, in the line with
/// `line` in it.
#[track_caller]
fn expect(from: &str, to: &str, line: &str, words: &str) {
    let system = project_file("system.xml");
    assert_eq!(system.matches(from).count(), 1, "{from:?} must occur once");
    let system = system.replace(from, to);
    let found = compile(
        &source("net.toml", project_file("net.toml")),
        &source("system.xml", system.clone()),
    )
    .expect_err("this is a mistake");
    let shown: Vec<String> = found.iter().map(Diagnostic::to_string).collect();
    let [error] = &found[..] else {
        panic!("expected one error, found {shown:#?}");
    };
    assert_eq!(error.file, "system.xml", "{error}");
    let text = system.lines().nth(error.line - 1).unwrap();
    assert!(text.contains(line), "{error}\nthe line: {text}");
    assert!(error.message.contains(words), "{error}");
    assert!(!error.help.is_empty());
}

/// The line of the project's system.xml that has all these words.
#[track_caller]
fn line(words: &[&str]) -> String {
    let system = project_file("system.xml");
    let mut found = system
        .lines()
        .filter(|line| words.iter().all(|word| line.contains(word)));
    let line = found
        .next()
        .unwrap_or_else(|| panic!("no line has {words:?}"));
    assert!(found.next().is_none(), "several lines have {words:?}");
    line.trim().to_string()
}

#[test]
fn regions_hold_what_lies_in_them() {
    for (region, size, wanted) in [
        ("rx_data", "0x100000", "0x80000"),
        ("tx_data", "0x100000", "0xff000"),
        ("virtqueues", "0x20000", "0x1000"),
        ("driver_rings", "0x10000", "0x1000"),
        ("server_rings", "0x10000", "0x1000"),
        ("net_driver_log", "0x4000", "0x3000"),
        ("crash_request", "0x1000", "0x0"),
    ] {
        let from = format!("name=\"{region}\" size=\"{size}\"");
        let to = format!("name=\"{region}\" size=\"{wanted}\"");
        let system = project_file("system.xml").replace(&from, &to);
        let found = compile(
            &source("net.toml", project_file("net.toml").replace("#@test: ", "")),
            &source("system.xml", crate::switched_on(&system)),
        )
        .expect_err(region);
        // Each program that uses it says so.
        for error in &found {
            assert!(
                error
                    .message
                    .starts_with(&format!("{region} has {wanted} bytes")),
                "{error}"
            );
            assert!(error.help.starts_with("set size="), "{error}");
        }
    }
}

#[test]
fn programs_learn_the_size() {
    for (program, region) in [
        ("net_server", "rx_data"),
        ("net_driver", "virtqueues"),
        ("net_driver", "driver_rings"),
        ("console", "net_server_log"),
        ("http_server", "net_server_stats"),
    ] {
        let symbol = format!(" setvar_size=\"{region}_size\"");
        let system = project_file("system.xml");
        let start = system
            .find(&format!("<protection_domain name=\"{program}\""))
            .unwrap();
        let (before, rest) = system.split_at(start);
        let found = compile(
            &source("net.toml", project_file("net.toml")),
            &source(
                "system.xml",
                format!("{before}{}", rest.replacen(&symbol, "", 1)),
            ),
        )
        .expect_err(region);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(
            found[0].message,
            format!("{program} does not know the size of {region}")
        );
    }
}

#[test]
fn what_must_be_read_only_is() {
    expect(
        "<map mr=\"rx_data\" vaddr=\"0x10200000\" perms=\"r\"",
        "<map mr=\"rx_data\" vaddr=\"0x10200000\" perms=\"rw\"",
        "mr=\"rx_data\"",
        "net_server may write rx_data, which no protection domain writes",
    );
    let rings = "<map mr=\"server_rings\" vaddr=\"0x10050000\" perms=\"r\"";
    expect(
        rings,
        &rings.replace("\"r\"", "\"rw\""),
        "mr=\"server_rings\"",
        "net_driver may write server_rings",
    );
    let stats = "<map mr=\"net_server_stats\" vaddr=\"0x10130000\" perms=\"r\"";
    expect(
        stats,
        &stats.replace("\"r\"", "\"rw\""),
        "mr=\"net_server_stats\"",
        "http_server may write net_server_stats, which only net_server writes",
    );
}

/// An additional mapping, in the console.
#[track_caller]
fn stranger(map: &str, words: &str) {
    let uart = line(&["mr=\"uart\""]);
    expect(&uart, &format!("{uart}\n{map}"), map, words);
}

#[test]
fn nobody_maps_what_is_not_theirs() {
    stranger(
        "<map mr=\"virtqueues\" vaddr=\"0x30000000\" perms=\"r\" />",
        "console maps virtqueues, which is for net_driver alone",
    );
    stranger(
        "<map mr=\"rx_data\" vaddr=\"0x30000000\" perms=\"r\" />",
        "console maps rx_data, which is for net_server alone",
    );
    stranger(
        "<map mr=\"virtio_mmio\" vaddr=\"0x30000000\" perms=\"r\" cached=\"false\" />",
        "console maps virtio_mmio, which is for net_driver alone",
    );
    stranger(
        "<map mr=\"echo_server_c2s\" vaddr=\"0x30000000\" perms=\"r\" />",
        "console maps echo_server_c2s, which is for echo_server and net_server alone",
    );
    stranger(
        "<map mr=\"http_server_ready\" vaddr=\"0x30000000\" perms=\"r\" />",
        "console maps http_server_ready, which is for http_server and net_server alone",
    );
    stranger(
        "<map mr=\"net_server_heap\" vaddr=\"0x30000000\" perms=\"r\" />",
        "console maps net_server_heap, which is for net_server alone",
    );
    stranger(
        "<map mr=\"net_config\" vaddr=\"0x30000000\" perms=\"rw\" />",
        "console may write net_config, which no protection domain writes",
    );
}

#[test]
fn physical_addresses_and_devices() {
    expect(
        "symbol=\"rx_data_paddr\" region_paddr=\"rx_data\"",
        "symbol=\"rx_data_paddr\" region_paddr=\"tx_data\"",
        "rx_data_paddr",
        "rx_data_paddr is the physical address of tx_data, but net_driver takes it for that of rx_data",
    );
    let uart = line(&["<map mr=\"uart\""]);
    expect(
        &uart,
        &uart.replace(" cached=\"false\"", ""),
        "mr=\"uart\"",
        "console maps uart as memory, but it is a device",
    );
    let uart = "<memory_region name=\"uart\" size=\"0x1000\" phys_addr=\"0x9000000\" />";
    expect(
        uart,
        &format!(
            "{uart}\n<memory_region name=\"again\" size=\"0x2000\" phys_addr=\"0x8fff000\" />"
        ),
        "again",
        "again has physical addresses from 0x8fff000, some of which are uart's",
    );
}

/// A user's regions and PDs of their own.
const USER: &str = r#"<memory_region name="mine" size="0x2000" />
<protection_domain name="one"><map mr="mine" vaddr="0x1000000" /></protection_domain>
<protection_domain name="two"><map mr="mine" vaddr="0x1000000" perms="rw" /></protection_domain>
</system>"#;

#[test]
fn a_page_has_one_writer() {
    expect(
        "</system>",
        USER,
        "name=\"two\"",
        "both one and two may write mine",
    );
    let marked = format!("<!-- @shared: our own protocol -->\n{USER}");
    compile(
        &source("net.toml", project_file("net.toml")),
        &source(
            "system.xml",
            project_file("system.xml").replace("</system>", &marked),
        ),
    )
    .unwrap();
    // A mark somewhere else is none.
    let elsewhere = format!(
        "<!-- @shared: the heap -->\n<channel><end pd=\"one\" id=\"1\"/><end pd=\"two\" id=\"1\"/></channel>\n{USER}"
    );
    expect(
        "</system>",
        &elsewhere,
        "name=\"two\"",
        "both one and two may write mine",
    );
}

#[test]
fn mappings_do_not_overlap() {
    let stats = line(&["mr=\"console_stats\"", "perms=\"rw\""]);
    expect(
        &stats,
        &stats.replace("0x10010000", "0x10043000"),
        "mr=\"supervisor_log\"",
        "in console, supervisor_log overlaps console_stats",
    );
}

#[test]
fn children_are_known_to_the_supervisor() {
    expect(
        "name=\"console\" id=\"5\" setvar_id=\"console_child\"",
        "name=\"console\" id=\"5\"",
        "name=\"console\"",
        "supervisor does not know console, its child 5, by name",
    );
    expect(
        "name=\"console\" id=\"5\"",
        "name=\"console\" id=\"16\"",
        "name=\"console\"",
        "supervisor does not watch console: its child 16 is beyond the last",
    );
    let system = project_file("system.xml");
    let start = system
        .find("        <protection_domain name=\"echo_server\"")
        .unwrap();
    let end = start
        + system[start..].find("</protection_domain>").unwrap()
        + "</protection_domain>".len();
    let orphan = system[start..end].replace(" id=\"3\" setvar_id=\"echo_server_child\"", "");
    let moved = format!("{}{}", &system[..start], &system[end..])
        .replace("</system>", &format!("{orphan}\n</system>"));
    let found = compile(
        &source("net.toml", project_file("net.toml")),
        &source("system.xml", moved),
    )
    .unwrap_err();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].message.contains("nobody restarts echo_server"),
        "{}",
        found[0]
    );
}

#[test]
fn the_end_that_notifies_may() {
    for (end, words) in [
        (
            "<end pd=\"net_driver\" id=\"1\" />",
            "net_driver cannot notify the other end",
        ),
        (
            "<end pd=\"net_server\" id=\"1\" />",
            "net_server cannot notify the other end",
        ),
        (
            "<end pd=\"timer_driver\" id=\"1\" />",
            "timer_driver cannot notify the other end",
        ),
        (
            "<end pd=\"net_server\" id=\"10\" />",
            "net_server cannot notify echo_server",
        ),
        (
            "<end pd=\"net_server\" id=\"2\" />",
            "net_server cannot tell console of log lines",
        ),
        (
            "<end pd=\"net_server\" id=\"9\" setvar_id=\"parent_channel\" />",
            "net_server cannot tell supervisor that it is ready",
        ),
    ] {
        expect(
            end,
            &end.replace(" />", " notify=\"false\" />"),
            end.trim_end_matches(" />"),
            words,
        );
    }
    expect(
        "<end pd=\"net_server\" id=\"3\" pp=\"true\" notify=\"false\" />",
        "<end pd=\"net_server\" id=\"3\" notify=\"false\" />",
        "<end pd=\"net_server\" id=\"3\"",
        "net_server cannot call the other end",
    );
    let dead = "<protection_domain name=\"one\"/><protection_domain name=\"two\"/>\n<channel><end pd=\"one\" id=\"1\" notify=\"false\" /><end pd=\"two\" id=\"1\" notify=\"false\" /></channel></system>";
    expect(
        "</system>",
        dead,
        "<channel><end pd=\"one\"",
        "neither one nor two can do anything",
    );
}

#[test]
fn a_channel_that_is_missing() {
    expect(
        "<end pd=\"net_server\" id=\"1\" />",
        "<end pd=\"net_server\" id=\"20\" />",
        "name=\"net_driver\"",
        "no channel between net_driver (its channel 1) and net_server (its channel 1)",
    );
}
