// SPDX-License-Identifier: BSD-2-Clause
//! Mistakes around log rings and counters.

use crate::sample::{CONFIG, SYSTEM, errors, expect};

#[test]
fn the_console_s_side() {
    let expect = |from: &str, to: &str, at, words: &str| expect("system.xml", from, to, at, words);
    expect(
        "<map mr=\"web_log\" perms=\"r\" setvar_vaddr=\"web_log_vaddr\" setvar_size=\"web_log_size\" />",
        "",
        (22, 1),
        "nobody prints the log lines of web",
    );
    expect(
        "pd=\"web\" id=\"2\"",
        "pd=\"web\" id=\"3\"",
        (22, 1),
        "no channel on which web tells console",
    );
    expect(
        "web_log_vaddr",
        "echo_log_v",
        (26, 1),
        "as the log lines of web",
    );
    expect(
        "<map mr=\"web_log\" perms=\"r\"",
        "<map mr=\"web_log\" perms=\"rw\"",
        (26, 1),
        "console may write web_log",
    );
}

#[test]
fn the_pd_s_own_side() {
    let expect = |from: &str, to: &str, at, words: &str| expect("system.xml", from, to, at, words);
    let log =
        "<map mr=\"web_log\" perms=\"rw\" setvar_vaddr=\"log_vaddr\" setvar_size=\"log_size\" />";
    let stats = "<map mr=\"web_stats\" perms=\"rw\" setvar_vaddr=\"stats_vaddr\" setvar_size=\"stats_size\" />";
    expect(
        log,
        "",
        (18, 1),
        "web does not map web_log, and stops at its start without it",
    );
    expect(
        stats,
        "",
        (18, 1),
        "web does not map web_stats, and stops at its start without it",
    );
    expect(
        log,
        "<map mr=\"web_log\" perms=\"rw\" />",
        (22, 1),
        "web does not find web_log",
    );
    expect(
        stats,
        "<map mr=\"web_stats\" perms=\"r\" setvar_vaddr=\"stats_vaddr\" setvar_size=\"stats_size\" />",
        (23, 1),
        "web may not write web_stats",
    );
    let none = errors(CONFIG, &SYSTEM.replace(log, ""));
    assert_eq!(
        none[0].help,
        "add <map mr=\"web_log\" vaddr=\"…\" perms=\"rw\" setvar_vaddr=\"log_vaddr\" setvar_size=\"log_size\" /> to web"
    );
}

/// What shows that a PD logs: its map, the region, or what the console maps. Each of them is
/// enough.
#[test]
fn what_a_pd_needs_is_seen_from_any_part_of_it() {
    let missing = |remove: &[&str]| -> Vec<_> {
        let system = remove
            .iter()
            .fold(SYSTEM.to_string(), |system, part| system.replace(part, ""));
        errors(CONFIG, &system)
            .into_iter()
            .map(|error| error.message)
            .collect()
    };
    let maps = [
        "<map mr=\"web_log\" perms=\"rw\" setvar_vaddr=\"log_vaddr\" setvar_size=\"log_size\" />",
        "<map mr=\"web_stats\" perms=\"rw\" setvar_vaddr=\"stats_vaddr\" setvar_size=\"stats_size\" />",
    ];
    let region = "<memory_region name=\"web_log\" size=\"0x4000\" />";
    let console = "<map mr=\"web_log\" perms=\"r\" setvar_vaddr=\"web_log_vaddr\" setvar_size=\"web_log_size\" />";
    let [log, stats] = maps;
    assert_eq!(missing(&[log, stats, region]).len(), 2);
    assert_eq!(missing(&[log, stats, console]).len(), 2);
    let page = "<memory_region name=\"web_stats\" size=\"0x1000\" />";
    assert_eq!(missing(&[stats, page]).len(), 1);
    assert_eq!(missing(&[log, stats, region, console, page]).len(), 0);
}
