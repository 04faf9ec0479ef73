// SPDX-License-Identifier: BSD-2-Clause
//! Every counter of the system, by the kind of PD that writes it. The order within a set is free;
//! names are what readers show.

use crate::{Counter, CounterSet, NoCounters, page::COMMON_WORDS};

counter_set! {
    /// Counters that every PD has, kept by `pd-support` and the libraries that make the calls.
    pub enum Common {
        /// Times the PD has been started, the first start included.
        Starts: Count = "starts",
        /// Time of the last start.
        StartedAt: Ticks = "started_at",
        /// Time when `init` of the last start was done.
        ReadyAt: Ticks = "ready_at",
        /// Returns from the wait for an event.
        WakeUps: Count = "wake_ups",
        /// Notifications sent to other PDs.
        NotificationsSent: Count = "notifications_sent",
        /// Protected procedure calls made.
        PpcsMade: Count = "ppcs_made",
        /// Protected procedure calls answered.
        PpcsServed: Count = "ppcs_served",
        /// Lines written to the log ring.
        LogLines: Count = "log_lines",
        /// Lines left out because their place in the program had written too many.
        LogLinesSuppressed: Count = "log_lines_suppressed",
    }
}

const _: () = assert!(Common::COUNTERS.len() <= COMMON_WORDS);

pd_kinds! {
    NetDriver: NetDriver = 1,
    NetServer: NetServer = 2,
    EchoServer: EchoServer = 3,
    HttpServer: HttpServer = 4,
    TimerDriver: TimerDriver = 5,
    Console: Console = 6,
    Supervisor: Supervisor = 7,
    RngDriver: RngDriver = 8,
    KeyValue: KeyValue = 9,
    Throughput: Throughput = 10,
    HttpClient: HttpClient = 11,
    MqttClient: MqttClient = 12,
    WallClock: WallClock = 13,
    Capture: Capture = 14,
    HttpsServer: HttpsServer = 15,
    /// A PD that has the common counters only, for instance a client written by a user.
    Other: NoCounters = 255,
}

pd_counter_set! {
    /// Counters of the virtio-net driver.
    pub enum NetDriver {
        /// Interrupts that found received frames.
        IrqsRx: Count = "irqs_rx",
        /// Interrupts that found transmitted frames.
        IrqsTx: Count = "irqs_tx",
        /// Interrupts for a change of the device's configuration.
        IrqsConfig: Count = "irqs_config",
        /// Interrupts that found replies to commands.
        IrqsControl: Count = "irqs_control",
        /// Interrupts that found nothing to do.
        IrqsSpurious: Count = "irqs_spurious",
        /// Times that the device had done something while interrupts were being switched on, of
        /// which none came: it was found by looking once more.
        IrqsMissed: Count = "irqs_missed",
        /// Frames received from the device and passed on.
        RxFrames: Count = "rx_frames",
        /// Bytes of these frames, without the virtio header.
        RxBytes: Bytes = "rx_bytes",
        /// Harvests of received frames, each of one or more.
        RxBatches: Count = "rx_batches",
        /// Received frames dropped because no frame can have their length.
        RxDropped: Count = "rx_dropped",
        /// Times that the device was found without a buffer to receive into: it may have dropped
        /// frames.
        RxNoBuffer: Count = "rx_no_buffer",
        /// Received frames that a restarted driver found in the queues of its earlier life.
        RxRecovered: Count = "rx_recovered",
        /// Frames given to the device.
        TxFrames: Count = "tx_frames",
        /// Bytes of these frames, without the virtio header.
        TxBytes: Bytes = "tx_bytes",
        /// Submissions of frames, each of one or more.
        TxBatches: Count = "tx_batches",
        /// Submissions that filled the device's queue, so that other frames had to wait.
        TxQueueFull: Count = "tx_queue_full",
        /// Writes to the device's notify register for the receive queue.
        DoorbellsRx: Count = "doorbells_rx",
        /// Writes to the device's notify register for the transmit queue.
        DoorbellsTx: Count = "doorbells_tx",
        /// Descriptors or ring states of the server that broke the protocol.
        Violations: Count = "violations",
        /// Violations of virtio's rules by the device, such as an unknown id in a used ring.
        DeviceErrors: Count = "device_errors",
        /// Resets of the device, the one at each start included.
        DeviceResets: Count = "device_resets",
        /// New epochs of the link that the driver began because the ends were out of step.
        LinkRenewals: Count = "link_renewals",
        /// Wake-ups that ended with work left, to be woken again at once.
        TurnsUsedUp: Count = "turns_used_up",
        /// Restarts of the server seen through the rings' epoch.
        PeerRestarts: Count = "peer_restarts",
        /// Times that the device was told which frames to receive.
        FiltersSet: Count = "filters_set",
        /// Commands for that which it has refused.
        FiltersRefused: Count = "filters_refused",
        /// Groups whose frames it was told to receive.
        FilterGroups: Level = "filter_groups",
        /// Whether it was told to receive all frames.
        Promiscuous: Flag = "promiscuous",
        /// Buffers that the device holds for receiving.
        RxBuffersHeld: Level = "rx_buffers_held",
        /// Frames that the device has to send.
        TxBuffersHeld: Level = "tx_buffers_held",
        /// Whether the device says that the link is up.
        LinkUp: Flag = "link_up",
        /// The device's Ethernet address.
        MacAddress: Mac = "mac_address",
    }
}

pd_counter_set! {
    /// Counters of the TCP/IP server.
    pub enum NetServer {
        /// Frames taken from the driver.
        RxFrames: Count = "rx_frames",
        /// Bytes of these frames.
        RxBytes: Bytes = "rx_bytes",
        /// Frames given to the driver.
        TxFrames: Count = "tx_frames",
        /// Bytes of these frames.
        TxBytes: Bytes = "tx_bytes",
        /// Buffers for received frames.
        RxBuffers: Level = "rx_buffers",
        /// Of these, buffers without a frame that waits for the server.
        RxBuffersFree: Level = "rx_buffers_free",
        /// Most frames that waited for the server at once.
        RxBuffersPeak: Level = "rx_buffers_peak",
        /// Buffers for frames to send.
        TxBuffers: Level = "tx_buffers",
        /// Of these, buffers that are not in use.
        TxBuffersFree: Level = "tx_buffers_free",
        /// Most of these that were in use at once.
        TxBuffersPeak: Level = "tx_buffers_peak",
        /// Times that none of these was free.
        TxBuffersFailures: Count = "tx_buffers_failures",
        /// Blocks of memory for fragments.
        FragmentBlocks: Level = "fragment_blocks",
        /// Of these, blocks that are not in use.
        FragmentBlocksFree: Level = "fragment_blocks_free",
        /// Most of these that were in use at once.
        FragmentBlocksPeak: Level = "fragment_blocks_peak",
        /// Times that a datagram in fragments was given up for the blocks of another.
        FragmentBlocksFailures: Count = "fragment_blocks_failures",
        /// Frames dropped as malformed or not for this host.
        DropsMalformed: Count = "drops_malformed",
        /// Frames dropped because the interface is shut down.
        DropsInterfaceDown: Count = "drops_interface_down",
        /// Packets dropped because no host can have sent them from their source address.
        DropsSource: Count = "drops_source",
        /// Datagrams given up because their fragments were late, contradictory or too many.
        DropsFragments: Count = "drops_fragments",
        /// Segments and datagrams for a port that nobody uses.
        DropsNoSocket: Count = "drops_no_socket",
        /// Connection requests dropped because the backlog was full.
        DropsBacklog: Count = "drops_backlog",
        /// Datagrams dropped because their socket's buffer was full.
        DropsSocketFull: Count = "drops_socket_full",
        /// Frames sent over loopback, and received there.
        LoopbackFrames: Count = "loopback_frames",
        /// Bytes of these frames.
        LoopbackBytes: Bytes = "loopback_bytes",
        /// Frames not sent over loopback because their sender had too many on their way.
        LoopbackDrops: Count = "loopback_drops",
        /// Frames not sent because no transmit buffer was free, or no room in loopback.
        DropsNoTxBuffer: Count = "drops_no_tx_buffer",
        /// Messages of other hosts that have an IPv6 address of this machine.
        AddressConflicts: Count = "address_conflicts",
        /// Frames that a capture wanted.
        CaptureFrames: Count = "capture_frames",
        /// Of these, frames for which its buffer had no room.
        CaptureDrops: Count = "capture_drops",
        /// Datagrams dropped because their next hop did not answer.
        DropsUnresolved: Count = "drops_unresolved",
        /// Calls of the operation attach.
        CallsAttach: Count = "calls_attach",
        /// Calls of the operation socket.
        CallsSocket: Count = "calls_socket",
        /// Calls of the operation bind.
        CallsBind: Count = "calls_bind",
        /// Calls of the operation listen.
        CallsListen: Count = "calls_listen",
        /// Calls of the operation accept.
        CallsAccept: Count = "calls_accept",
        /// Calls of the operation connect.
        CallsConnect: Count = "calls_connect",
        /// Calls of the operation send.
        CallsSend: Count = "calls_send",
        /// Calls of the operation recv.
        CallsRecv: Count = "calls_recv",
        /// Calls of the operation shutdown.
        CallsShutdown: Count = "calls_shutdown",
        /// Calls of the operation close.
        CallsClose: Count = "calls_close",
        /// Calls of the operation getsockname.
        CallsSockName: Count = "calls_getsockname",
        /// Calls of the operation getpeername.
        CallsPeerName: Count = "calls_getpeername",
        /// Calls of the operation getsockopt.
        CallsGetOption: Count = "calls_getsockopt",
        /// Calls of the operation poll.
        CallsPoll: Count = "calls_poll",
        /// Calls of the operation setsockopt.
        CallsSetOption: Count = "calls_setsockopt",
        /// Calls of the operation query.
        CallsQuery: Count = "calls_query",
        /// Calls of the operation batch; those within it are counted as well.
        CallsBatch: Count = "calls_batch",
        /// Calls of the operation capture.
        CallsCapture: Count = "calls_capture",
        /// Calls of the operation captured.
        CallsCaptured: Count = "calls_captured",
        /// Calls of the operation join.
        CallsJoin: Count = "calls_join",
        /// Calls of the operation leave.
        CallsLeave: Count = "calls_leave",
        /// Calls of the operation change.
        CallsChange: Count = "calls_change",
        /// Messages to DHCP servers.
        DhcpQuestions: Count = "dhcp_questions",
        /// Messages to a DHCP client's port that were no answer to one of ours, or made no sense.
        DhcpIgnored: Count = "dhcp_ignored",
        /// Addresses given by DHCP or chosen that another host had.
        DhcpConflicts: Count = "dhcp_conflicts",
        /// Sockets that an administrator has ended.
        SocketsEnded: Count = "sockets_ended",
        /// Calls with an unknown label.
        CallsUnknown: Count = "calls_unknown",
        /// Calls answered with an error other than "try again".
        CallsFailed: Count = "calls_failed",
        /// Calls answered with "try again" (EAGAIN).
        CallsAgain: Count = "calls_again",
        /// Calls answered with EAGAIN because the client had had its share of the time.
        CallsRefused: Count = "calls_refused",
        /// Copies from a client's window into a socket.
        CopiesFromClient: Count = "copies_from_client",
        /// Bytes of these copies.
        CopiedFromClient: Bytes = "copied_from_client",
        /// Copies from a socket into a client's window.
        CopiesToClient: Count = "copies_to_client",
        /// Bytes of these copies.
        CopiedToClient: Bytes = "copied_to_client",
        /// Stream sockets in use, those in a backlog included.
        StreamSockets: Level = "stream_sockets",
        /// Stream sockets that there can be, with those that are only closing.
        StreamSocketsTotal: Level = "stream_sockets_total",
        /// Datagram sockets in use.
        DatagramSockets: Level = "datagram_sockets",
        /// Highest number of stream sockets in use at once.
        StreamSocketsPeak: Level = "stream_sockets_peak",
        /// Connections opened by clients.
        TcpOpened: Count = "tcp_opened",
        /// Connections opened by peers and taken by a client.
        TcpAccepted: Count = "tcp_accepted",
        /// Connections that ended by a reset, from either side.
        TcpReset: Count = "tcp_reset",
        /// Resets sent because a segment belongs to no connection.
        TcpResetsSent: Count = "tcp_resets_sent",
        /// Acknowledgements sent because a SYN, a reset or an acknowledgement may be forged
        /// (RFC 5961).
        TcpChallenges: Count = "tcp_challenges",
        /// SYNs answered and not yet confirmed, at present.
        TcpHalfOpen: Level = "tcp_half_open",
        /// Connections that were given large buffers from their client's budget.
        BuffersLent: Count = "buffers_lent",
        /// Times that a connection needed large buffers and its client's budget had none.
        BuffersRefused: Count = "buffers_refused",
        /// SYNs answered with a cookie, as too many are half open.
        SynCookiesSent: Count = "syn_cookies_sent",
        /// Connections made of a cookie that came back.
        SynCookiesTaken: Count = "syn_cookies_taken",
        /// Retransmissions because the timer had run out.
        TcpTimeouts: Count = "tcp_timeouts",
        /// Segments sent again, as far as they can be seen.
        TcpRetransmits: Count = "tcp_retransmits",
        /// Closing connections whose socket was taken for a new one.
        TcpReclaimed: Count = "tcp_reclaimed",
        /// Resets, ICMP messages and ARP replies not sent because there were too many.
        RepliesLimited: Count = "replies_limited",
        /// ICMP errors ignored because they are about nothing that is under way.
        IcmpIgnored: Count = "icmp_ignored",
        /// Paths found to take only smaller packets than before.
        PathMtuChanges: Count = "path_mtu_changes",
        /// Echo requests answered.
        IcmpEchoReplies: Count = "icmp_echo_replies",
        /// Notifications to clients because of readiness.
        ReadyNotifications: Count = "ready_notifications",
        /// Notifications to the driver.
        DriverNotifications: Count = "driver_notifications",
        /// Restarts of the driver seen through the rings' epoch.
        DriverRestarts: Count = "driver_restarts",
        /// Frames sent once more after a restart of the driver.
        FramesResubmitted: Count = "frames_resubmitted",
        /// Restarts of clients seen through attach.
        ClientRestarts: Count = "client_restarts",
        /// Descriptors or ring states of the driver that broke the protocol.
        DriverViolations: Count = "driver_violations",
        /// New epochs of the link to the driver that the server began because the ends were out of
        /// step.
        DriverRenewals: Count = "driver_renewals",
        /// Calls of clients that broke the protocol.
        ClientViolations: Count = "client_violations",
        /// Wake-ups that ended because the budget was used up.
        BudgetUsedUp: Count = "budget_used_up",
        /// Visits of a socket by the stack; in proportion to packets, whatever the number of
        /// connections.
        SocketVisits: Count = "socket_visits",
        /// Timeouts asked of the timer driver.
        TimeoutsSet: Count = "timeouts_set",
        /// Whether the driver is there and says that the device's link is up.
        LinkUp: Flag = "link_up",
        /// Whether the gateway answered the ARP probe at the last start.
        GatewayReachable: Flag = "gateway_reachable",
    }
}

pd_counter_set! {
    /// Counters of the echo server.
    pub enum EchoServer {
        /// Connections accepted.
        Connections: Count = "connections",
        /// Connections open now.
        ConnectionsOpen: Level = "connections_open",
        /// Connections that ended with an error.
        ConnectionsFailed: Count = "connections_failed",
        /// Connections ended because they moved little while others waited.
        ConnectionsDisplaced: Count = "connections_displaced",
        /// Bytes echoed on connections.
        TcpBytes: Bytes = "tcp_bytes",
        /// Datagrams echoed.
        Datagrams: Count = "datagrams",
        /// Bytes of these datagrams.
        UdpBytes: Bytes = "udp_bytes",
        /// Datagrams dropped because they could not be sent back.
        DatagramsDropped: Count = "datagrams_dropped",
    }
}

pd_counter_set! {
    /// Counters of the HTTP server.
    pub enum HttpServer {
        /// Connections accepted.
        Connections: Count = "connections",
        /// Connections open now.
        ConnectionsOpen: Level = "connections_open",
        /// Connections that ended with an error or a timeout.
        ConnectionsFailed: Count = "connections_failed",
        /// Connections ended because they moved little while others waited.
        ConnectionsDisplaced: Count = "connections_displaced",
        /// Requests read.
        Requests: Count = "requests",
        /// Responses with a status of 200 to 299.
        Responses2xx: Count = "responses_2xx",
        /// Responses with a status of 300 to 399.
        Responses3xx: Count = "responses_3xx",
        /// Responses with a status of 400 to 499.
        Responses4xx: Count = "responses_4xx",
        /// Responses with a status of 500 to 599.
        Responses5xx: Count = "responses_5xx",
        /// Bytes read from connections.
        BytesIn: Bytes = "bytes_in",
        /// Bytes written to connections.
        BytesOut: Bytes = "bytes_out",
    }
}

pd_counter_set! {
    /// Counters of the key-value store.
    pub enum KeyValue {
        /// Connections accepted.
        Connections: Count = "connections",
        /// Connections open now.
        ConnectionsOpen: Level = "connections_open",
        /// Connections that ended with an error.
        ConnectionsFailed: Count = "connections_failed",
        /// Connections ended because they moved little while others waited, or for too long.
        ConnectionsDisplaced: Count = "connections_displaced",
        /// Commands answered.
        Commands: Count = "commands",
        /// Commands answered with an error other than "out of memory".
        Errors: Count = "errors",
        /// Commands refused because memory was used up.
        OutOfMemory: Count = "out_of_memory",
        /// Keys, those included that have expired and not been met.
        Keys: Level = "keys",
        /// Bytes of memory that they take.
        Memory: Level = "memory",
    }
}

pd_counter_set! {
    /// Counters of the throughput server.
    pub enum Throughput {
        /// Tests begun.
        Tests: Count = "tests",
        /// Tests that have come to their end.
        TestsDone: Count = "tests_done",
        /// Connections turned away because another client had its test.
        Denied: Count = "denied",
        /// Bytes received in tests.
        BytesIn: Bytes = "bytes_in",
        /// Bytes sent in tests.
        BytesOut: Bytes = "bytes_out",
        /// Datagrams of tests that have not come.
        DatagramsLost: Count = "datagrams_lost",
    }
}

pd_counter_set! {
    /// Counters of the HTTP client.
    pub enum HttpClient {
        /// Requests taken.
        Requests: Count = "requests",
        /// Requests refused, as they are malformed or nothing that it does.
        Refused: Count = "refused",
        /// Responses of servers with a status of less than 400.
        ResponsesGood: Count = "responses_good",
        /// Responses of servers with a status of 400 or more.
        ResponsesBad: Count = "responses_bad",
        /// Requests without a response, as the name or the server is not reached or makes no
        /// sense.
        Failed: Count = "failed",
        /// Requests whose server took too long.
        TimedOut: Count = "timed_out",
        /// Connections by TLS.
        Secured: Count = "secured",
        /// Connections by TLS that were not made, for instance because of the certificate.
        Distrusted: Count = "distrusted",
        /// Bytes of bodies from servers.
        BytesIn: Bytes = "bytes_in",
        /// Bytes of bodies to servers.
        BytesOut: Bytes = "bytes_out",
        /// Time of the last response, from the request to the end of its head.
        LastTime: Nanoseconds = "last_time",
    }
}

pd_counter_set! {
    /// Counters of the front that takes connections by TLS.
    pub enum HttpsServer {
        /// Connections made.
        Connections: Count = "connections",
        /// Connections that were not made, or ended by an error of TLS.
        Failed: Count = "failed",
        /// Connections that the server behind did not take.
        NoServer: Count = "no_server",
        /// Bytes from clients, decrypted.
        BytesIn: Bytes = "bytes_in",
        /// Bytes to clients, before they were encrypted.
        BytesOut: Bytes = "bytes_out",
    }
}

pd_counter_set! {
    /// Counters of the MQTT client.
    pub enum MqttClient {
        /// Connections to the broker that it has accepted.
        Connections: Count = "connections",
        /// Whether there is one now.
        Connected: Flag = "connected",
        /// Times that a connection failed, or could not be had.
        Failures: Count = "failures",
        /// Messages received with quality of service 0.
        Received0: Count = "received_qos_0",
        /// Messages received with quality of service 1.
        Received1: Count = "received_qos_1",
        /// Messages received with quality of service 2.
        Received2: Count = "received_qos_2",
        /// Messages sent.
        Sent: Count = "sent",
        /// Messages sent that the broker has confirmed.
        Confirmed: Count = "confirmed",
        /// Messages sent once more after a new connection.
        Repeated: Count = "repeated",
        /// Messages not answered, as they are too long or too many wait to be confirmed.
        Dropped: Count = "dropped",
        /// Times that the broker was asked whether it is still there.
        Pings: Count = "pings",
    }
}

pd_counter_set! {
    /// Counters of the capture service.
    pub enum Capture {
        /// Viewers that have connected.
        Viewers: Count = "viewers",
        /// Frames shown.
        Frames: Count = "frames",
        /// Frames lost because the viewer was too slow.
        Dropped: Count = "dropped",
    }
}

pd_counter_set! {
    /// Counters of the wall clock.
    pub enum WallClock {
        /// Questions to the time server.
        Questions: Count = "questions",
        /// Replies that were believed.
        Replies: Count = "replies",
        /// Questions without such a reply.
        Failures: Count = "failures",
        /// Whether the time is known.
        Known: Flag = "known",
        /// How much the clock was set at the last reply, forwards or backwards.
        LastStep: Nanoseconds = "last_step",
        /// The way to the server and back, at the last reply.
        RoundTrip: Nanoseconds = "round_trip",
        /// Connections that asked for the time.
        Asked: Count = "asked",
    }
}

pd_counter_set! {
    /// Counters of the timer driver.
    pub enum TimerDriver {
        /// Interrupts of the comparator.
        Irqs: Count = "irqs",
        /// Deadlines set.
        TimeoutsSet: Count = "timeouts_set",
        /// Deadlines that were past when they were set.
        TimeoutsLate: Count = "timeouts_late",
        /// Deadlines reached.
        TimeoutsFired: Count = "timeouts_fired",
        /// Calls that broke the protocol.
        Violations: Count = "violations",
    }
}

pd_counter_set! {
    /// Counters of the random number generator's driver.
    pub enum RngDriver {
        /// Bytes given to callers.
        BytesOut: Bytes = "bytes_out",
        /// Bytes that the device has brought.
        BytesIn: Bytes = "bytes_in",
        /// Times that the generator was seeded from the device.
        Seeds: Count = "seeds",
        /// Calls refused because the generator had no seed.
        Refused: Count = "refused",
        /// Results of the device that broke virtio's rules or repeated the one before.
        DeviceErrors: Count = "device_errors",
        /// Calls that broke the protocol.
        Violations: Count = "violations",
    }
}

pd_counter_set! {
    /// Counters of the console.
    pub enum Console {
        /// Lines printed.
        Lines: Count = "lines",
        /// Bytes given to the serial port.
        BytesOut: Bytes = "bytes_out",
        /// Bytes of log rings that were overwritten before they could be printed.
        BytesLost: Bytes = "bytes_lost",
        /// Times that a ring held garbage and was read from its end.
        GarbledRings: Count = "garbled_rings",
        /// Bytes read from the serial port.
        BytesIn: Bytes = "bytes_in",
        /// Interrupts of the serial port.
        Irqs: Count = "irqs",
    }
}

pd_counter_set! {
    /// Counters of the supervisor. The PD with child id n in the system description is child n.
    pub enum Supervisor {
        /// Faults of all children.
        Faults: Count = "faults",
        /// Restarts of all children.
        Restarts: Count = "restarts",
        /// Children that turned without end and were restarted; they count among the faults, too.
        Hangs: Count = "hangs",
        /// Children that wait for their next start because they faulted too often.
        Parked: Level = "parked",
        /// Time from the last fault until its PD was ready again.
        LastRecovery: Nanoseconds = "last_recovery",
        /// Longest such time.
        LongestRecovery: Nanoseconds = "longest_recovery",
        /// Faults made on demand; always 0 in a normal image.
        FaultsInjected: Count = "faults_injected",
        /// Faults of child 0.
        FaultsChild0: Count = "faults_child_0",
        /// Faults of child 1.
        FaultsChild1: Count = "faults_child_1",
        /// Faults of child 2.
        FaultsChild2: Count = "faults_child_2",
        /// Faults of child 3.
        FaultsChild3: Count = "faults_child_3",
        /// Faults of child 4.
        FaultsChild4: Count = "faults_child_4",
        /// Faults of child 5.
        FaultsChild5: Count = "faults_child_5",
        /// Faults of child 6.
        FaultsChild6: Count = "faults_child_6",
        /// Faults of child 7.
        FaultsChild7: Count = "faults_child_7",
        /// Faults of child 8.
        FaultsChild8: Count = "faults_child_8",
        /// Faults of child 9.
        FaultsChild9: Count = "faults_child_9",
        /// Faults of child 10.
        FaultsChild10: Count = "faults_child_10",
        /// Faults of child 11.
        FaultsChild11: Count = "faults_child_11",
        /// Faults of child 12.
        FaultsChild12: Count = "faults_child_12",
        /// Faults of child 13.
        FaultsChild13: Count = "faults_child_13",
        /// Faults of child 14.
        FaultsChild14: Count = "faults_child_14",
        /// Faults of child 15.
        FaultsChild15: Count = "faults_child_15",
    }
}

impl Supervisor {
    /// The counter of one child's faults; `None` above 15: such a child is in the sum only.
    pub fn faults_of_child(id: usize) -> Option<Self> {
        // They are the last ones of the set.
        let of_children = Self::ALL.get(Supervisor::FaultsChild0 as usize..)?;
        of_children.get(id).copied()
    }
}
