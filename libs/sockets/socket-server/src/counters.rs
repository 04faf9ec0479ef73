// SPDX-License-Identifier: BSD-2-Clause

//! What the core counts, in the words of its PD's page of counters. [`NetServer`] says what each
//! counter means.

use socket_proto::Operation;
use stats::{Count, NetServer, Writer};

/// The counters of calls, in the order of `Operation::ALL`.
const CALLS: [NetServer; Operation::ALL.len()] = [
    NetServer::CallsAttach,
    NetServer::CallsSocket,
    NetServer::CallsBind,
    NetServer::CallsListen,
    NetServer::CallsAccept,
    NetServer::CallsConnect,
    NetServer::CallsSend,
    NetServer::CallsRecv,
    NetServer::CallsShutdown,
    NetServer::CallsClose,
    NetServer::CallsSockName,
    NetServer::CallsPeerName,
    NetServer::CallsGetOption,
    NetServer::CallsPoll,
    NetServer::CallsSetOption,
    NetServer::CallsQuery,
    NetServer::CallsBatch,
];

macro_rules! counters {
    ($($field:ident: $counter:ident,)+) => {
        /// The words that are counted in.
        pub(crate) struct Counters {
            /// Calls by operation, in the order of `Operation::ALL`.
            pub calls: [Count; CALLS.len()],
            $(pub $field: Count,)+
        }

        /// Values of all counters at one time.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Counts {
            /// Calls by operation, in the order of `Operation::ALL`.
            pub calls: [u64; CALLS.len()],
            $(#[doc = concat!("[`NetServer::", stringify!($counter), "`]")] pub $field: u64,)+
        }

        impl Counters {
            pub(crate) fn new(page: &Writer<NetServer>) -> Self {
                Counters {
                    calls: CALLS.map(|counter| page.count(counter)),
                    $($field: page.count(NetServer::$counter),)+
                }
            }

            pub(crate) fn values(&self) -> Counts {
                Counts {
                    calls: self.calls.map(Count::get),
                    $($field: self.$field.get(),)+
                }
            }
        }
    };
}

counters! {
    rx_frames: RxFrames,
    rx_bytes: RxBytes,
    tx_frames: TxFrames,
    tx_bytes: TxBytes,
    drops_malformed: DropsMalformed,
    drops_source: DropsSource,
    drops_fragments: DropsFragments,
    drops_no_socket: DropsNoSocket,
    drops_backlog: DropsBacklog,
    drops_socket_full: DropsSocketFull,
    drops_no_tx_buffer: DropsNoTxBuffer,
    drops_unresolved: DropsUnresolved,
    calls_unknown: CallsUnknown,
    calls_failed: CallsFailed,
    calls_again: CallsAgain,
    calls_refused: CallsRefused,
    copies_from_client: CopiesFromClient,
    copied_from_client: CopiedFromClient,
    copies_to_client: CopiesToClient,
    copied_to_client: CopiedToClient,
    stream_sockets: StreamSockets,
    stream_sockets_peak: StreamSocketsPeak,
    datagram_sockets: DatagramSockets,
    tcp_opened: TcpOpened,
    tcp_accepted: TcpAccepted,
    half_open: TcpHalfOpen,
    buffers_lent: BuffersLent,
    buffers_refused: BuffersRefused,
    syn_cookies_sent: SynCookiesSent,
    syn_cookies_taken: SynCookiesTaken,
    tcp_challenges: TcpChallenges,
    tcp_resets_sent: TcpResetsSent,
    tcp_reset: TcpReset,
    tcp_retransmits: TcpRetransmits,
    tcp_timeouts: TcpTimeouts,
    tcp_reclaimed: TcpReclaimed,
    replies_limited: RepliesLimited,
    icmp_ignored: IcmpIgnored,
    path_mtu_changes: PathMtuChanges,
    icmp_echo_replies: IcmpEchoReplies,
    ready_notifications: ReadyNotifications,
    client_restarts: ClientRestarts,
    client_violations: ClientViolations,
    socket_visits: SocketVisits,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_under_their_operations_names() {
        for (operation, counter) in Operation::ALL.iter().zip(CALLS) {
            let name = NetServer::COUNTERS[counter as usize].name;
            assert_eq!(name, format!("calls_{}", operation.name()));
        }
    }
}
