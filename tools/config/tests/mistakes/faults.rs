// SPDX-License-Identifier: BSD-2-Clause
//! Mistakes in what the supervisor is to see and to tell.

use super::sample::{CONFIG, SYSTEM, errors, expect};

#[test]
fn a_child_that_is_not_watched() {
    let expect = |from: &str, to: &str, at, words: &str| expect("system.xml", from, to, at, words);
    let map = "<map mr=\"web_stats\" perms=\"r\" setvar_vaddr=\"web_stats_vaddr\" setvar_size=\"web_stats_size\" />";
    expect(
        map,
        "",
        (23, 1),
        "nobody notices if web hangs: supervisor does not map web_stats",
    );
    expect(
        map,
        &map.replace("perms=\"r\"", "perms=\"rw\""),
        (3, 38),
        "supervisor may write web_stats, which only web writes",
    );
    expect(
        map,
        &map.replace("\"web_stats_", "\"echo_stats_"),
        (3, 38),
        "supervisor does not find web_stats as the counters of web",
    );
    let none = errors(CONFIG, &SYSTEM.replace(map, ""));
    assert_eq!(
        none[0].help,
        format!(
            "add {} to supervisor",
            map.replace("perms", "vaddr=\"…\" perms")
        )
    );
}

#[test]
fn a_client_whose_faults_are_not_told() {
    let expect = |from: &str, to: &str, at, words: &str| expect("system.xml", from, to, at, words);
    let channel =
        "<channel><end pd=\"supervisor\" id=\"32\" /><end pd=\"net_server\" id=\"21\" /></channel>";
    let words = "no channel on which supervisor tells net_server that web, its child in slot 1, has faulted";
    expect(channel, "", (18, 1), words);
    expect("id=\"32\"", "id=\"33\"", (18, 1), words);
    expect("id=\"21\"", "id=\"22\"", (18, 1), words);
    let none = errors(CONFIG, &SYSTEM.replace(channel, ""));
    assert_eq!(
        none[0].help,
        "add <channel><end pd=\"supervisor\" id=\"32\" /><end pd=\"net_server\" id=\"21\" notify=\"false\" /></channel>"
    );
    // Without a supervisor nobody could tell.
    let free = SYSTEM.replace("name=\"supervisor\"", "name=\"parent\"");
    assert_eq!(errors(CONFIG, &free.replace(channel, "")), []);
}
