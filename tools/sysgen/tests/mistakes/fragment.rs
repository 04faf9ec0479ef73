// SPDX-License-Identifier: BSD-2-Clause
//! A user's own part of the system description, and mistakes in it.

use crate::{build, expect_one, own};

fn with_fragment() -> String {
    format!("fragment = \"own.xml\"\n{}", own())
}

#[track_caller]
fn expect(fragment: &str, line: &str, words: &str) {
    expect_one(&with_fragment(), fragment, "own.xml", line, words);
}

#[test]
fn it_goes_through_untouched() {
    let fragment = r#"<system>
<!-- @shared: both write it -->
<memory_region name="mailbox" size="0x1000" />
<protection_domain name="gpio" priority="1"><program_image path="gpio.elf" />
    <map mr="mailbox" vaddr="0x1000000" perms="rw" /></protection_domain>
<protection_domain name="echo_server">
    <map mr="mailbox" vaddr="0x18000000" perms="rw" setvar_vaddr="mailbox" />
    <irq irq="99" id="0" /></protection_domain>
<channel><end pd="gpio" id="1" /><end pd="echo_server" id="1" /></channel>
</system>"#;
    let built = build(&with_fragment(), fragment).unwrap();
    let made = &built.description;
    for part in fragment.lines().filter(|line| line.contains("mailbox")) {
        let part = part.trim().trim_end_matches("</protection_domain>");
        assert!(made.contains(part), "{part}");
    }
    assert!(made.contains("<end pd=\"gpio\" id=\"1\" /><end pd=\"echo_server\" id=\"1\" />"));
    // What is declared takes other ids.
    for id in [0, 1] {
        let own = format!("        <end pd=\"echo_server\" id=\"{id}\"");
        assert!(!made.contains(&own), "{own}");
    }
    assert!(!built.programs.contains("gpio"));
}

#[test]
fn form() {
    expect(
        "<system>\n<channel>\n</system>",
        "</system>",
        "expected 'channel' tag",
    );
    expect("<sytem></sytem>", "<sytem>", "<sytem> instead of <system>");
    expect(
        "<system>\n<protection_domain name=\"console\" priority=\"3\" /></system>",
        "console",
        "priority of console is declared elsewhere",
    );
    let declaration = with_fragment();
    let files = [sysgen::Source::new("isthmus.toml", declaration)];
    let missing = sysgen::compile(&files, |name| Err(format!("there is no file {name}")));
    let errors = missing.unwrap_err();
    assert_eq!(
        (errors[0].line, errors[0].message.as_str()),
        (1, "there is no file own.xml")
    );
}

#[test]
fn what_is_declared_belongs_to_whom_it_is_declared_for() {
    let spy = |map: &str| {
        format!(
            "<system>\n<protection_domain name=\"spy\" priority=\"1\">\n{map}\n</protection_domain>\n</system>"
        )
    };
    let window = "<map mr=\"http_server_server_to_client\" vaddr=\"0x1000000\" perms=\"r\" />";
    expect(
        &spy(window),
        "<map",
        "declared for net_server and http_server",
    );
    let extended = format!("<system>\n<protection_domain name=\"echo_server\">\n{window}\n</protection_domain>\n</system>").replace("0x1000000", "0x18000000");
    expect(
        &extended,
        "<map",
        "echo_server maps http_server_server_to_client for reading",
    );
    // A second mapping of what the PD has is its own affair.
    let twice = extended.replace("http_server_server", "echo_server_server");
    assert!(build(&with_fragment(), &twice).is_ok());
    let more = twice.replace("perms=\"r\"", "perms=\"rw\"");
    let errors = build(&with_fragment(), &more).unwrap_err();
    assert!(
        errors.iter().all(|error| error.file == "own.xml"),
        "{errors:?}"
    );
}

#[test]
fn rules() {
    let two = "<system>\n<memory_region name=\"m\" size=\"0x1000\" />\n<protection_domain name=\"a\"><map mr=\"m\" vaddr=\"0x1000\" /></protection_domain>\n<protection_domain name=\"b\"><map mr=\"m\" vaddr=\"0x1000\" /></protection_domain>\n</system>";
    expect(two, "name=\"b\"", "both a and b may write m");
    let device =
        "<system>\n<memory_region name=\"m\" size=\"0x1000\" phys_addr=\"0x9000000\" />\n</system>";
    expect(device, "phys_addr", "some of which are uart's (system.xml:");
    let overlap = "<system>\n<protection_domain name=\"echo_server\">\n<map mr=\"echo_server_log\" vaddr=\"0xfffd000\" />\n</protection_domain>\n</system>";
    expect(overlap, "<map", "in echo_server, echo_server_log overlaps");
    let dead = "<system>\n<channel><end pd=\"echo_server\" id=\"20\" notify=\"false\" /><end pd=\"console\" id=\"20\" notify=\"false\" /></channel>\n</system>";
    expect(dead, "<channel>", "can do anything on this channel");
}
