// SPDX-License-Identifier: BSD-2-Clause
//! Whether all buffers of all sockets fit into the server's heap.

use net_config::{Buffers, CLOSING_STREAMS};

use crate::{
    Diagnostic, Source,
    schema::{Client, File},
    system::{Pd, System},
    wiring::SERVER,
};

/// Symbol of the server through which it finds the memory that socket buffers come from.
const HEAP_SYMBOL: &str = "heap_vaddr";

/// Reports a heap that is missing or too small.
pub fn check(
    config: &Source,
    file: &File,
    source: &Source,
    system: &System,
    server: &Pd,
    errors: &mut Vec<Diagnostic>,
) {
    let Some(heap) = server.map_at(HEAP_SYMBOL) else {
        errors.push(source.at(
            server.offset,
            format!("{SERVER} has no memory for socket buffers"),
            format!("map a region into it with setvar_vaddr=\"{HEAP_SYMBOL}\""),
        ));
        return;
    };
    let Some(available) = system.size(&heap.region) else {
        errors.push(source.at(
            heap.offset,
            format!("the memory region {} has no size", heap.region),
            "declare the region with a size in bytes",
        ));
        return;
    };
    let buffers = Buffers {
        stream_receive: *file.buffers.stream_receive.get_ref(),
        stream_send: *file.buffers.stream_send.get_ref(),
        datagram_receive: *file.buffers.datagram_receive.get_ref(),
        datagram_send: *file.buffers.datagram_send.get_ref(),
    };
    let sum = |count: fn(&Client) -> u16| -> u64 {
        file.clients.values().map(|c| u64::from(count(c))).sum()
    };
    let streams = sum(|client| *client.stream_sockets.get_ref());
    let datagrams = sum(|client| *client.datagram_sockets.get_ref());
    let needed = buffers.total(streams, datagrams);
    // An eighth stays for the sockets themselves and the server's tables.
    let usable = available - available / 8;
    if needed > usable {
        errors.push(config.at(
            file.buffers.stream_receive.span().start,
            format!(
                "{streams} stream sockets, {CLOSING_STREAMS} connections that are closing and {datagrams} datagram sockets need {needed} bytes of buffers, but of the region {} only {usable} bytes are for them",
                heap.region
            ),
            format!(
                "allow fewer sockets, make buffers smaller, or make {} larger in {}",
                heap.region, source.name
            ),
        ));
    }
}
