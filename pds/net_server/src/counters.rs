// SPDX-License-Identifier: BSD-2-Clause

//! The core's counters, in this PD's page.

use socket_proto::Operation;
use socket_server::Counters;
use stats::{NetServer as Counter, Writer};

/// Where the calls of an operation are counted.
fn calls(operation: Operation) -> Counter {
    match operation {
        Operation::Attach => Counter::CallsAttach,
        Operation::Socket => Counter::CallsSocket,
        Operation::Bind => Counter::CallsBind,
        Operation::Listen => Counter::CallsListen,
        Operation::Accept => Counter::CallsAccept,
        Operation::Connect => Counter::CallsConnect,
        Operation::Send => Counter::CallsSend,
        Operation::Recv => Counter::CallsRecv,
        Operation::Shutdown => Counter::CallsShutdown,
        Operation::Close => Counter::CallsClose,
        Operation::SockName => Counter::CallsSockName,
        Operation::PeerName => Counter::CallsPeerName,
        Operation::GetOption => Counter::CallsGetOption,
        Operation::Poll => Counter::CallsPoll,
        Operation::SetOption => Counter::CallsSetOption,
        Operation::Query => Counter::CallsQuery,
        Operation::Batch => Counter::CallsBatch,
    }
}

/// Copies everything into the page.
pub fn publish(core: &Counters, stats: &Writer<Counter>) {
    let plain = [
        (Counter::RxFrames, core.rx_frames),
        (Counter::RxBytes, core.rx_bytes),
        (Counter::TxFrames, core.tx_frames),
        (Counter::TxBytes, core.tx_bytes),
        (Counter::DropsMalformed, core.drops_malformed),
        (Counter::DropsSource, core.drops_source),
        (Counter::DropsFragments, core.drops_fragments),
        (Counter::DropsNoSocket, core.drops_no_socket),
        (Counter::DropsBacklog, core.drops_backlog),
        (Counter::DropsSocketFull, core.drops_socket_full),
        (Counter::DropsNoTxBuffer, core.drops_no_tx_buffer),
        (Counter::DropsUnresolved, core.drops_unresolved),
        (Counter::CallsUnknown, core.calls_unknown),
        (Counter::CallsFailed, core.calls_failed),
        (Counter::CallsAgain, core.calls_again),
        (Counter::CallsRefused, core.calls_refused),
        (Counter::CopiesFromClient, core.copies_from_client),
        (Counter::CopiedFromClient, core.copied_from_client),
        (Counter::CopiesToClient, core.copies_to_client),
        (Counter::CopiedToClient, core.copied_to_client),
        (Counter::StreamSockets, core.stream_sockets),
        (Counter::StreamSocketsPeak, core.stream_sockets_peak),
        (Counter::DatagramSockets, core.datagram_sockets),
        (Counter::TcpOpened, core.tcp_opened),
        (Counter::TcpAccepted, core.tcp_accepted),
        (Counter::TcpReset, core.tcp_reset),
        (Counter::TcpResetsSent, core.tcp_resets_sent),
        (Counter::TcpChallenges, core.tcp_challenges),
        (Counter::TcpHalfOpen, core.half_open),
        (Counter::SynCookiesSent, core.syn_cookies_sent),
        (Counter::SynCookiesTaken, core.syn_cookies_taken),
        (Counter::TcpTimeouts, core.tcp_timeouts),
        (Counter::TcpRetransmits, core.tcp_retransmits),
        (Counter::TcpReclaimed, core.tcp_reclaimed),
        (Counter::RepliesLimited, core.replies_limited),
        (Counter::IcmpIgnored, core.icmp_ignored),
        (Counter::PathMtuChanges, core.path_mtu_changes),
        (Counter::IcmpEchoReplies, core.icmp_echo_replies),
        (Counter::ReadyNotifications, core.ready_notifications),
        (Counter::ClientRestarts, core.client_restarts),
        (Counter::ClientViolations, core.client_violations),
        (Counter::SocketVisits, core.socket_visits),
    ];
    for (counter, value) in plain {
        stats.set(counter, value);
    }
    for (operation, value) in Operation::ALL.iter().zip(core.calls) {
        stats.set(calls(*operation), value);
    }
}
