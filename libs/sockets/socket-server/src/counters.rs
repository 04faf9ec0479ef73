// SPDX-License-Identifier: BSD-2-Clause

//! What the core counts. All of it is cumulative except where it says "now".

/// The counters; the PD copies them to its statistics page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames taken from the driver.
    pub rx_frames: u64,
    /// Bytes of these frames.
    pub rx_bytes: u64,
    /// Frames given to the driver.
    pub tx_frames: u64,
    /// Bytes of these frames.
    pub tx_bytes: u64,
    /// Frames dropped as malformed or not for this host.
    pub drops_malformed: u64,
    /// Packets dropped because no host can have sent them from their source address.
    pub drops_source: u64,
    /// Datagrams given up because their fragments did not come in time, did not fit together, or
    /// were too many.
    pub drops_fragments: u64,
    /// Segments and datagrams for a port that nobody uses.
    pub drops_no_socket: u64,
    /// Connection requests dropped because a backlog or the client's quota was full.
    pub drops_backlog: u64,
    /// Datagrams dropped because their socket's buffer was full.
    pub drops_socket_full: u64,
    /// Frames not sent because no transmit buffer was free.
    pub drops_no_tx_buffer: u64,
    /// Datagrams dropped because their next hop did not answer, or too many waited for one.
    pub drops_unresolved: u64,
    /// Calls by operation, in the order of `Operation::ALL`.
    pub calls: [u64; socket_proto::Operation::ALL.len()],
    /// Calls with an unknown label.
    pub calls_unknown: u64,
    /// Calls answered with an error other than `EAGAIN` and `EINPROGRESS`.
    pub calls_failed: u64,
    /// Calls answered with `EAGAIN`.
    pub calls_again: u64,
    /// Calls answered with `EAGAIN` because the client had had its share of the server's time.
    pub calls_refused: u64,
    /// Copies from a client's window into a socket.
    pub copies_from_client: u64,
    /// Bytes of these copies.
    pub copied_from_client: u64,
    /// Copies from a socket into a client's window.
    pub copies_to_client: u64,
    /// Bytes of these copies.
    pub copied_to_client: u64,
    /// TCP sockets of the pool in use now.
    pub stream_sockets: u64,
    /// Highest value of `stream_sockets`.
    pub stream_sockets_peak: u64,
    /// UDP sockets of the pool in use now.
    pub datagram_sockets: u64,
    /// Connections opened by clients.
    pub tcp_opened: u64,
    /// Connections opened by peers and taken by a client.
    pub tcp_accepted: u64,
    /// Connections that peers have asked for and not yet confirmed, now.
    pub half_open: u64,
    /// SYN cookies given because too many connections were half open.
    pub syn_cookies_sent: u64,
    /// SYN cookies that came back.
    pub syn_cookies_taken: u64,
    /// Segments that might have been forged, answered with an acknowledgement (RFC 5961).
    pub tcp_challenges: u64,
    /// Resets sent to segments that belong to no connection.
    pub tcp_resets_sent: u64,
    /// Connections that ended by a reset, from either side.
    pub tcp_reset: u64,
    /// Data segments sent again.
    pub tcp_retransmits: u64,
    /// Retransmission timers that ran out.
    pub tcp_timeouts: u64,
    /// Closing connections whose socket was taken for a new one.
    pub tcp_reclaimed: u64,
    /// Resets, ICMP messages and ARP replies not sent because there were too many.
    pub replies_limited: u64,
    /// ICMP errors ignored because they are about nothing that is under way.
    pub icmp_ignored: u64,
    /// Paths found to take only smaller packets than before.
    pub path_mtu_changes: u64,
    /// Echo requests answered.
    pub icmp_echo_replies: u64,
    /// Notifications to clients because something became ready or a deadline passed.
    pub ready_notifications: u64,
    /// Attaches of a client that was attached before.
    pub client_restarts: u64,
    /// Calls that no correct client library makes: malformed, or by a client that has not
    /// attached.
    pub client_violations: u64,
    /// Visits of a socket by the stack, for a packet or to look whether it has something to send.
    /// With one `SocketSet` a socket this stays proportional to the packets, however many
    /// connections there are.
    pub socket_visits: u64,
}
