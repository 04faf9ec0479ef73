// SPDX-License-Identifier: BSD-2-Clause
//! The project's own files compile; and every mistake is found, at the right place, with a remedy.

use std::{fs, path::Path};

use config_tool::{Diagnostic, Source, compile};
use net_config::NetConfig;

fn project_file(name: &str) -> String {
    fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .join(name),
    )
    .unwrap()
}

fn source(name: &str, text: String) -> Source {
    Source {
        name: name.to_string(),
        text,
    }
}

const CONFIG: &str = r#"[interface]
hostname = "isthmus"
address = "10.0.2.15/24"
gateway = "10.0.2.2"

[buffers]
stream_receive = 65536
stream_send = 65536
datagram_receive = 8192
datagram_send = 8192

[clients.echo]
slot = 0
stream_sockets = 10
datagram_sockets = 2
tcp_listen = [7]
udp_bind = [7]

[clients.web]
slot = 1
stream_sockets = 10
datagram_sockets = 0
tcp_listen = [80, "8000-8010"]
tcp_connect = ["10.0.2.2:*"]
"#;

const SYSTEM: &str = r#"<system>
<memory_region name="heap" size="0x400_000" />
<protection_domain name="supervisor">
<protection_domain name="net_server">
<map mr="heap" vaddr="0x1" setvar_vaddr="heap_vaddr" />
<map mr="echo_c2s" perms="r" setvar_vaddr="client0_c2s_vaddr" setvar_size="client0_c2s_size" />
<map mr="echo_s2c" perms="rw" setvar_vaddr="client0_s2c_vaddr" setvar_size="client0_s2c_size" />
<map mr="echo_ready" perms="rw" setvar_vaddr="client0_ready_vaddr" />
<map mr="web_c2s" perms="r" setvar_vaddr="client1_c2s_vaddr" setvar_size="client1_c2s_size" />
<map mr="web_s2c" setvar_vaddr="client1_s2c_vaddr" setvar_size="client1_s2c_size" />
<map mr="web_ready" perms="rw" setvar_vaddr="client1_ready_vaddr" />
</protection_domain>
<protection_domain name="echo">
<map mr="echo_c2s" perms="rw" />
<map mr="echo_s2c" perms="r" />
<map mr="echo_ready" perms="r" />
</protection_domain>
<protection_domain name="web">
<map mr="web_c2s" perms="rw" />
<map mr="web_s2c" perms="r" />
<map mr="web_ready" perms="r" />
</protection_domain>
</protection_domain>
<channel><end pd="echo" id="1" pp="true" /><end pd="net_server" id="10" /></channel>
<channel><end pd="net_server" id="11" /><end pd="web" id="4" pp="true" /></channel>
</system>
"#;

fn errors(config: &str, system: &str) -> Vec<Diagnostic> {
    let result = compile(
        &source("net.toml", config.to_string()),
        &source("system.xml", system.to_string()),
    );
    match result {
        Ok(bytes) => {
            NetConfig::parse(&bytes).unwrap();
            Vec::new()
        }
        Err(errors) => {
            assert!(errors.iter().all(|error| !error.help.is_empty()));
            errors
        }
    }
}

/// Replaces one occurrence in a file and expects one error there.
#[track_caller]
fn expect(file: &str, from: &str, to: &str, at: (usize, usize), words: &str) {
    let replace = |text: &str| {
        assert_eq!(text.matches(from).count(), 1, "{from:?} must occur once");
        text.replace(from, to)
    };
    let found = match file {
        "net.toml" => errors(&replace(CONFIG), SYSTEM),
        _ => errors(CONFIG, &replace(SYSTEM)),
    };
    let shown: Vec<String> = found.iter().map(Diagnostic::to_string).collect();
    let [error] = &found[..] else {
        panic!("expected one error, found {shown:#?}");
    };
    assert_eq!(
        (error.file.as_str(), (error.line, error.column)),
        (file, at),
        "{error}"
    );
    assert!(error.message.contains(words), "{error}");
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
fn form() {
    let expect = |from: &str, to: &str, at, words: &str| expect("net.toml", from, to, at, words);
    expect("gateway =", "gatway =", (4, 1), "unknown field `gatway`");
    expect("[buffers]", "[bufers]", (6, 2), "unknown field `bufers`");
    expect("slot = 1", "slots = 1", (20, 1), "unknown field `slots`");
    expect(
        "gateway = \"10.0.2.2\"\n",
        "",
        (1, 1),
        "missing field `gateway`",
    );
    expect("slot = 1\n", "", (19, 1), "missing field `slot`");
    expect("slot = 1", "slot = \"one\"", (20, 8), "invalid type");
    expect("slot = 1", "slot = -1", (20, 8), "invalid value");
    expect("slot = 1", "slot = ", (20, 8), "");
    expect("slot = 1", "slot = 1\nslot = 1", (21, 1), "duplicate key");
    expect(
        "stream_receive = 65536",
        "stream_receive = 99999999999",
        (7, 18),
        "invalid value",
    );
}

#[test]
fn interface() {
    let expect = |from: &str, to: &str, at, words: &str| expect("net.toml", from, to, at, words);
    expect("\"isthmus\"", "\"-isthmus\"", (2, 12), "no host name");
    expect("\"isthmus\"", "\"ist hmus\"", (2, 12), "no host name");
    expect(
        "10.0.2.15/24",
        "10.0.2.15",
        (3, 11),
        "no IPv4 address with a prefix",
    );
    expect(
        "10.0.2.15/24",
        "10.0.2.256/24",
        (3, 11),
        "no IPv4 address with a prefix",
    );
    expect("10.0.2.15/24", "10.0.2.15/31", (3, 11), "prefix of 31 bits");
    expect(
        "10.0.2.15/24",
        "10.0.2.255/24",
        (3, 11),
        "broadcast address",
    );
    expect("10.0.2.15/24", "10.0.2.0/24", (3, 11), "the network itself");
    expect("10.0.2.15/24", "10.0.2.2/24", (4, 11), "own address");
    expect(
        "\"10.0.2.2\"",
        "\"10.0.3.2\"",
        (4, 11),
        "outside the network 10.0.2.0/24",
    );
    expect(
        "\"10.0.2.2\"",
        "\"10.0.2.255\"",
        (4, 11),
        "broadcast address",
    );
    expect("\"10.0.2.2\"", "\"ten\"", (4, 11), "no IPv4 address");
}

#[test]
fn clients() {
    let expect = |from: &str, to: &str, at, words: &str| expect("net.toml", from, to, at, words);
    expect("[80, \"8000-8010\"]", "[0]", (23, 15), "invalid value");
    expect("\"8000-8010\"", "\"8010-8000\"", (23, 19), "invalid value");
    expect(
        "[80, \"8000-8010\"]",
        "[80, 7]",
        (23, 19),
        "TCP port 7 clashes with 7 of echo in line 16",
    );
    expect(
        "[80, \"8000-8010\"]",
        "[80, \"70-90\"]",
        (23, 19),
        "clashes with 80 of web in line 23",
    );
    expect(
        "[80, \"8000-8010\"]",
        "[1,2,3,4,5,6,80,8,9]",
        (23, 32),
        "too many ports",
    );
    expect("10.0.2.2:*", "10.0.2.2", (24, 16), "no destination");
    expect(
        "datagram_sockets = 2",
        "datagram_sockets = 0",
        (15, 20),
        "no datagram sockets",
    );
    expect(
        "datagram_receive = 8192",
        "datagram_receive = 100",
        (9, 20),
        "a buffer of 100 bytes",
    );
    expect(
        "stream_send = 65536",
        "stream_send = 1048576",
        (7, 18),
        "need 22",
    );
}

#[test]
fn too_many_sockets_for_a_page_and_for_the_heap() {
    let many = errors(
        &CONFIG.replace("datagram_sockets = 2", "datagram_sockets = 1000"),
        SYSTEM,
    );
    let places: Vec<_> = many.iter().map(|e| (e.line, e.column)).collect();
    assert_eq!(places, [(7, 18), (14, 18)]);
    assert!(many[1].help.contains("at most 1008 sockets"));
}

#[test]
fn slots() {
    let twice = errors(&CONFIG.replace("slot = 1", "slot = 0"), SYSTEM);
    assert_eq!((twice[0].line, twice[0].column), (20, 8));
    assert!(
        twice[0]
            .message
            .contains("slot 0 is taken by echo in line 13")
    );
    expect("net.toml", "slot = 1", "slot = 16", (20, 8), "slot 16");
}

#[test]
fn logs() {
    let console = r#"<map mr="echo_log" perms="r" setvar_vaddr="echo_log_vaddr" />"#;
    let channel = r#"<channel><end pd="console" id="1" /><end pd="echo" id="2" /></channel>"#;
    let messages = |console: &str, channel: &str| -> Vec<_> {
        let ring =
            "<protection_domain name=\"echo\">\n<map mr=\"echo_log\" setvar_vaddr=\"log_vaddr\" />";
        let system = SYSTEM
            .replace("<protection_domain name=\"echo\">", ring)
            .replace(
                "</system>",
                &format!("<protection_domain name=\"console\">\n{console}\n</protection_domain>\n{channel}\n</system>"),
            );
        errors(CONFIG, &system)
            .into_iter()
            .map(|error| (error.line, error.message))
            .collect()
    };
    assert_eq!(messages(console, channel), []);

    let [(14, unread)] = &messages("", channel)[..] else {
        panic!("a ring that the console does not map");
    };
    assert!(unread.contains("nobody prints the log lines of echo"));
    let [(14, untold)] = &messages(console, &channel.replace('2', "3"))[..] else {
        panic!("no channel");
    };
    assert!(untold.contains("no channel on which echo tells console"));
    let [(28, unnamed)] = &messages(&console.replace("echo_log_v", "web_log_v"), channel)[..]
    else {
        panic!("the wrong symbol");
    };
    assert!(unnamed.contains("as the log lines of echo"));
    let [(28, writable)] = &messages(&console.replace("\"r\"", "\"rw\""), channel)[..] else {
        panic!("a ring that the console may write");
    };
    assert!(writable.contains("console may write echo_log"));
}

#[test]
fn wiring() {
    let expect = |from: &str, to: &str, at, words: &str| expect("system.xml", from, to, at, words);
    expect(
        "<channel><end pd=\"echo\" id=\"1\" pp=\"true\" />",
        "<channel><end pd=\"echo\" id=\"1\" />",
        (13, 1),
        "no channel for the calls of echo",
    );
    expect(
        "id=\"11\"",
        "id=\"12\"",
        (18, 1),
        "no channel for the calls of web",
    );
    expect(
        "<map mr=\"web_s2c\" perms=\"r\" />",
        "",
        (18, 1),
        "web does not map the region web_s2c",
    );
    expect(
        "<map mr=\"web_ready\" perms=\"r\" />",
        "<map mr=\"web_ready\" />",
        (21, 1),
        "web may write web_ready",
    );
    expect(
        "<map mr=\"echo_c2s\" perms=\"rw\" />",
        "<map mr=\"echo_c2s\" perms=\"r\" />",
        (14, 1),
        "echo may not write echo_c2s",
    );
    expect(
        "client1_ready_vaddr",
        "client2_ready_vaddr",
        (11, 1),
        "as its slot 1",
    );
    expect(
        " setvar_size=\"client0_s2c_size\"",
        "",
        (7, 1),
        "does not know the size of echo_s2c",
    );
    expect(
        "setvar_vaddr=\"heap_vaddr\"",
        "",
        (4, 1),
        "no memory for socket buffers",
    );
}

#[test]
fn files_that_do_not_fit_together() {
    let small = errors(CONFIG, &SYSTEM.replace("0x400_000", "0x100_000"));
    assert_eq!((small[0].file.as_str(), small[0].line), ("net.toml", 7));
    let stranger = errors(&CONFIG.replace("[clients.web]", "[clients.wob]"), SYSTEM);
    let places: Vec<_> = stranger.iter().map(|e| (e.file.as_str(), e.line)).collect();
    assert_eq!(places, [("net.toml", 19), ("system.xml", 9)]);
    assert!(stranger[0].help.contains("echo, supervisor, web"));
    let headless = errors(CONFIG, "<system></system>");
    assert!(
        headless[0]
            .message
            .contains("no protection domain net_server")
    );
    let broken = errors(CONFIG, "<system>\n <a></b></system>");
    assert_eq!((broken[0].file.as_str(), broken[0].line), ("system.xml", 2));
}
