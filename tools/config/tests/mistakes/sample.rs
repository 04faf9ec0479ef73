// SPDX-License-Identifier: BSD-2-Clause
//! Two files that fit together: a client that logs and one that does not.

use config_tool::{Diagnostic, Source, compile};
use net_config::NetConfig;

pub const CONFIG: &str = r#"[interface]
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

pub const SYSTEM: &str = r#"<system>
<memory_region name="heap" size="0x1_000_000" />
<protection_domain name="supervisor"><map mr="web_stats" perms="r" setvar_vaddr="web_stats_vaddr" setvar_size="web_stats_size" />
<protection_domain name="net_server" id="0" setvar_id="net_server_child">
<map mr="heap" vaddr="0x1" setvar_vaddr="heap_vaddr" />
<map mr="echo_c2s" perms="r" setvar_vaddr="client0_c2s_vaddr" setvar_size="client0_c2s_size" />
<map mr="echo_s2c" perms="rw" setvar_vaddr="client0_s2c_vaddr" setvar_size="client0_s2c_size" />
<map mr="echo_ready" perms="rw" setvar_vaddr="client0_ready_vaddr" setvar_size="client0_ready_size" />
<map mr="web_c2s" perms="r" setvar_vaddr="client1_c2s_vaddr" setvar_size="client1_c2s_size" />
<map mr="web_s2c" setvar_vaddr="client1_s2c_vaddr" setvar_size="client1_s2c_size" />
<map mr="web_ready" perms="rw" setvar_vaddr="client1_ready_vaddr" setvar_size="client1_ready_size" />
</protection_domain>
<protection_domain name="echo" id="1" setvar_id="echo_child">
<map mr="echo_c2s" perms="rw" setvar_vaddr="net_c2s_vaddr" setvar_size="net_c2s_size" />
<map mr="echo_s2c" perms="r" setvar_vaddr="net_s2c_vaddr" setvar_size="net_s2c_size" />
<map mr="echo_ready" perms="r" setvar_vaddr="net_ready_vaddr" setvar_size="net_ready_size" />
</protection_domain>
<protection_domain name="web" id="2" setvar_id="web_child">
<map mr="web_c2s" perms="rw" setvar_vaddr="net_c2s_vaddr" setvar_size="net_c2s_size" />
<map mr="web_s2c" perms="r" setvar_vaddr="net_s2c_vaddr" setvar_size="net_s2c_size" />
<map mr="web_ready" perms="r" setvar_vaddr="net_ready_vaddr" setvar_size="net_ready_size" />
<map mr="web_log" perms="rw" setvar_vaddr="log_vaddr" setvar_size="log_size" />
<map mr="web_stats" perms="rw" setvar_vaddr="stats_vaddr" setvar_size="stats_size" />
</protection_domain>
<protection_domain name="console" id="3" setvar_id="console_child">
<map mr="web_log" perms="r" setvar_vaddr="web_log_vaddr" setvar_size="web_log_size" />
</protection_domain>
</protection_domain>
<memory_region name="web_log" size="0x4000" />
<memory_region name="web_stats" size="0x1000" />
<channel><end pd="echo" id="1" pp="true" /><end pd="net_server" id="10" /></channel>
<channel><end pd="net_server" id="11" /><end pd="web" id="1" pp="true" /></channel>
<channel><end pd="web" id="9" setvar_id="parent_channel" /><end pd="supervisor" id="12" /></channel>
<channel><end pd="console" id="1" /><end pd="web" id="2" /></channel><channel><end pd="supervisor" id="31" /><end pd="net_server" id="20" /></channel><channel><end pd="supervisor" id="32" /><end pd="net_server" id="21" /></channel>
</system>
"#;

pub fn source(name: &str, text: String) -> Source {
    Source {
        name: name.to_string(),
        text,
    }
}

pub fn errors(config: &str, system: &str) -> Vec<Diagnostic> {
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
pub fn expect(file: &str, from: &str, to: &str, at: (usize, usize), words: &str) {
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
