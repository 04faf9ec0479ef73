// SPDX-License-Identifier: BSD-2-Clause
//! Mistakes between a client, net_server and the supervisor.

use crate::sample::{CONFIG, SYSTEM, errors, expect};

#[test]
fn windows_and_channels() {
    let expect = |from: &str, to: &str, at, words: &str| expect("system.xml", from, to, at, words);
    expect(
        "<channel><end pd=\"echo\" id=\"1\" pp=\"true\" />",
        "<channel><end pd=\"echo\" id=\"1\" />",
        (13, 1),
        "no channel for the calls of echo, which has slot 0 (net.toml:13)",
    );
    expect(
        "id=\"11\"",
        "id=\"12\"",
        (32, 10),
        "net_server does not take channel 12 for that of web, which has slot 1 (net.toml:20)",
    );
    expect(
        "<map mr=\"web_s2c\" perms=\"r\" setvar_vaddr=\"net_s2c_vaddr\" setvar_size=\"net_s2c_size\" />",
        "",
        (18, 1),
        "web does not map the region web_s2c",
    );
    expect(
        "<map mr=\"web_ready\" perms=\"r\"",
        "<map mr=\"web_ready\"",
        (21, 1),
        "web may write web_ready",
    );
    expect(
        "<map mr=\"echo_c2s\" perms=\"rw\"",
        "<map mr=\"echo_c2s\" perms=\"r\" ",
        (14, 1),
        "echo may not write echo_c2s",
    );
    expect(
        "client1_ready_vaddr",
        "client2_ready_vaddr",
        (11, 1),
        "net_server does not find web_ready as its slot 1 (net.toml:20)",
    );
    expect(
        " setvar_size=\"client0_s2c_size\"",
        "",
        (7, 1),
        "net_server does not know the size of echo_s2c as its slot 0 (net.toml:13)",
    );
    expect(
        "setvar_vaddr=\"heap_vaddr\"",
        "",
        (4, 1),
        "no memory for socket buffers",
    );
}

#[test]
fn the_client_s_own_end() {
    let expect = |from: &str, to: &str, at, words: &str| expect("system.xml", from, to, at, words);
    expect(
        "pd=\"echo\" id=\"1\"",
        "pd=\"echo\" id=\"3\"",
        (31, 10),
        "echo calls net_server on its channel 1, not 3",
    );
    expect(
        "<map mr=\"web_c2s\" perms=\"rw\" setvar_vaddr=\"net_c2s_vaddr\"",
        "<map mr=\"web_c2s\" perms=\"rw\" setvar_vaddr=\"net_c2s\"",
        (19, 1),
        "web does not find web_c2s",
    );
    expect(
        "<map mr=\"echo_s2c\" perms=\"r\" setvar_vaddr=\"net_s2c_vaddr\" setvar_size=\"net_s2c_size\"",
        "<map mr=\"echo_s2c\" perms=\"r\" setvar_vaddr=\"net_s2c_vaddr\"",
        (15, 1),
        "echo does not know the size of echo_s2c",
    );
    let none = errors(CONFIG, &SYSTEM.replace("id=\"1\" pp=\"true\"", "id=\"1\""));
    assert!(
        none[0]
            .help
            .contains("<end pd=\"echo\" id=\"1\" pp=\"true\" ")
    );
}

#[test]
fn a_client_wired_for_another_slot_is_one_mistake() {
    expect(
        "net.toml",
        "slot = 1",
        "slot = 3",
        (20, 8),
        "slot 3, but system.xml gives web slot 1 of net_server",
    );
    let found = errors(&CONFIG.replace("slot = 1", "slot = 3"), SYSTEM);
    assert_eq!(
        found[0].help,
        "write slot = 1, or change the symbols client1_… and the id 11 at net_server to client3_… and 13"
    );
    // Nothing at all at the server is not another slot.
    let unwired: String = SYSTEM
        .lines()
        .filter(|line| !line.contains("client1_") && !line.contains("id=\"11\""))
        .collect();
    let found = errors(CONFIG, &unwired);
    assert!(
        found.iter().all(|error| error.file == "system.xml"),
        "{found:?}"
    );
}

#[test]
fn readiness_for_the_supervisor() {
    let expect = |from: &str, to: &str, at, words: &str| expect("system.xml", from, to, at, words);
    let channel = "<channel><end pd=\"web\" id=\"9\" setvar_id=\"parent_channel\" /><end pd=\"supervisor\" id=\"12\" /></channel>";
    expect(
        channel,
        "",
        (18, 1),
        "no channel on which web tells supervisor that it is ready",
    );
    expect(
        "<end pd=\"supervisor\" id=\"12\" />",
        "<end pd=\"supervisor\" id=\"13\" />",
        (33, 60),
        "supervisor does not take channel 13 for that of web, its child 2",
    );
    expect(
        " setvar_id=\"parent_channel\"",
        "",
        (33, 10),
        "web does not find its channel to supervisor",
    );
    let none = errors(CONFIG, &SYSTEM.replace(channel, ""));
    assert_eq!(
        none[0].help,
        "add <channel><end pd=\"web\" id=\"9\" setvar_id=\"parent_channel\" /><end pd=\"supervisor\" id=\"12\" notify=\"false\" /></channel>"
    );
    // A channel in a comment, such as the lines for the test image, is none.
    let comment = format!("<!-- @test: {channel} -->");
    assert_eq!(errors(CONFIG, &SYSTEM.replace(channel, &comment)).len(), 1);
    // Without a supervisor nobody waits for the report.
    let free = SYSTEM.replace("name=\"supervisor\"", "name=\"parent\"");
    assert_eq!(errors(CONFIG, &free.replace(channel, "")), []);
}
