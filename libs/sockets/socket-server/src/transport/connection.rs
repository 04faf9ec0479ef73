// SPDX-License-Identifier: BSD-2-Clause

//! One TCP connection: smoltcp's socket and what is known around it. Between the numbers that
//! smoltcp keeps to itself and those on the wire stand [`Connection::snd_una`] and its like; from
//! them, the addresses, the options and the unacknowledged bytes a connection could be made again.

use socket_proto::layouts::TcpInfo;
use socket_proto::{Errno, PollBits};

use super::congestion::Flow;
use super::engine::{Sent, Socket, State};
use super::half_open::HalfOpen;
use super::numbers::PeerOptions;
use super::segment::{Control, MSS, Segment, before, mss};
use crate::ethernet::Hop;
use crate::ip::address::Address;
use crate::ip::output::Marks;
use crate::ip::packet::Tuple;
use crate::tables::id::{ClientId, SocketId};
use crate::time::{Duration, Instant};

/// Silence of a peer that owes an acknowledgement (about seven retransmissions).
const SILENCE: Duration = Duration::from_secs(120);
/// A connection attempt: five SYNs.
const ATTEMPT: Duration = Duration::from_secs(30);
/// A connection attempt while the next hop does not answer: three ARP requests.
const UNREACHED: Duration = Duration::from_secs(3);
/// A closed connection whose peer neither takes what is left nor closes its side; as
/// `tcp_fin_timeout` of Linux.
const FIN_WAIT: Duration = Duration::from_secs(60);
/// A closed connection whose peer takes what is left very slowly.
const LINGER: Duration = Duration::from_secs(600);

/// Who has a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Nobody: it is in the pool.
    Free,
    /// A listening socket, until `accept`.
    Pending(SocketId),
    /// A client's socket.
    Socket(SocketId),
    /// The handle is gone; what was taken is still being sent. Once the peer has all of it, only
    /// the two FINs and their acknowledgements are awaited.
    Closing(ClientId),
}

impl Owner {
    /// The client on whose behalf packets are sent.
    pub(crate) fn client(self) -> Option<ClientId> {
        match self {
            Owner::Free => None,
            Owner::Pending(socket) | Owner::Socket(socket) => Some(socket.client),
            Owner::Closing(client) => Some(client),
        }
    }
}

/// What a client can set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Whether an idle peer is asked if it is still there.
    pub keep_alive: bool,
    /// Seconds without a segment after which it is asked first.
    pub keep_idle: u16,
    /// Seconds from one question to the next.
    pub keep_interval: u16,
    /// Questions that it may leave unanswered.
    pub keep_count: u8,
    /// Whether a short segment leaves although an earlier one is not acknowledged (RFC 9293 section
    /// 3.7.4).
    pub no_delay: bool,
    /// What packets of IPv4 say, and of IPv6.
    pub marks: Marks,
    pub marks6: Marks,
    /// Bytes that may wait to be acknowledged, and to be read, if that is less than the buffers
    /// have room for.
    pub send_most: u32,
    pub receive_most: u32,
    /// Milliseconds of silence of a peer that owes an acknowledgement; 0 means the usual time.
    pub user_timeout: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            keep_alive: true,
            keep_idle: 60,
            keep_interval: 60,
            keep_count: 3,
            no_delay: true,
            marks: Marks::USUAL,
            marks6: Marks::USUAL,
            send_most: u32::MAX,
            receive_most: u32::MAX,
            user_timeout: 0,
        }
    }
}

impl Settings {
    /// What packets to a host say.
    pub(crate) fn marks_to(&self, to: Address) -> Marks {
        match to.is_v4() {
            true => self.marks,
            false => self.marks6,
        }
    }
}

/// How far a client's attempt to connect has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// It has succeeded, or the peer has made the connection.
    Over,
    UnderWay,
    /// It has failed, and the socket has not been told.
    Failed(Errno),
}

/// Why a segment with data was sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sending {
    /// For the first time, or as a question that repeats a byte.
    New,
    /// Because it is taken for lost.
    Again,
    /// Because the retransmission timer has run out.
    TimedOut,
}

/// One connection.
pub(crate) struct Connection {
    pub socket: Socket,
    pub owner: Owner,
    /// The two ends, for as long as somebody may ask. It is in the table of connections unless
    /// `owner` is `Free`.
    pub tuple: Option<Tuple>,
    /// Its peer is on this machine.
    pub(super) loops: bool,
    pub error: Option<Errno>,
    /// What its client was last shown of it.
    pub published: Option<PollBits>,
    pub attempt: Attempt,
    pub read_shut: bool,
    pub write_shut: bool,
    /// A packet has left, so the next hop is known.
    pub(super) reached: bool,
    /// When it came out of the pool, or when its handle was closed.
    pub(super) since: Instant,
    /// When the last segment came.
    pub(super) heard: Instant,
    /// When its state last changed or the peer last acknowledged something new.
    pub(super) moved: Instant,
    /// How often the peer has been asked since then whether it is still there, and when last.
    questions: u8,
    asked: Instant,
    /// Since when the peer owes an acknowledgement and has been silent.
    pub(super) waiting_since: Option<Instant>,
    /// Our first sequence number.
    iss: u32,
    /// The peer's first.
    irs: u32,
    /// Bytes that have been put into the transmit buffer, modulo 2^32.
    written: u32,
    /// Bytes that have been taken out of the receive buffer, modulo 2^32.
    read: u32,
    /// How many that were when the peer was last told its window.
    shown: u32,
    /// The number up to which smoltcp takes what the peer sends, since it has sent something.
    edge: Option<u32>,
    /// What the peer had acknowledged when the connection was last looked at.
    acked: u32,
    /// The state when it was last looked at.
    pub(super) seen: State,
    pub(super) flow: Flow,
    settings: Settings,
    /// What the peer's SYN said.
    peer: PeerOptions,
    /// How long the handshake took.
    pub(super) round_trip: Duration,
    /// Whether it takes nothing more to send until everything is acknowledged, because then it gets
    /// larger buffers.
    pub(super) wants_large: bool,
    /// Segments sent again.
    pub resent: u32,
}

impl Connection {
    /// A connection for the pool.
    pub(super) fn new(socket: Socket) -> Self {
        Connection {
            socket,
            owner: Owner::Free,
            tuple: None,
            loops: false,
            error: None,
            published: None,
            attempt: Attempt::Over,
            read_shut: false,
            write_shut: false,
            reached: false,
            since: Instant::ZERO,
            heard: Instant::ZERO,
            moved: Instant::ZERO,
            questions: 0,
            asked: Instant::ZERO,
            waiting_since: None,
            iss: 0,
            irs: 0,
            written: 0,
            read: 0,
            shown: 0,
            edge: None,
            acked: 0,
            flow: Flow::new(PeerOptions::NONE, MSS),
            seen: State::Closed,
            settings: Settings::default(),
            peer: PeerOptions::NONE,
            round_trip: Duration::ZERO,
            wants_large: false,
            resent: 0,
        }
    }

    /// Begins a life outside the pool.
    pub(super) fn begin(&mut self, owner: Owner, tuple: Tuple, iss: u32, now: Instant) {
        *self = Connection {
            owner,
            tuple: Some(tuple),
            since: now,
            heard: now,
            moved: now,
            iss,
            acked: iss,
            ..Connection::new(core::mem::take(&mut self.socket))
        };
        self.socket.renew();
        self.socket.ends = tuple.addresses();
    }

    /// Takes what its client has set. Returns whether that is something new.
    pub(crate) fn set(&mut self, settings: Settings) -> bool {
        let new = settings != self.settings;
        if new {
            self.settings = settings;
            self.socket.set(settings, self.marks());
        }
        new
    }

    /// A segment of the peer has come.
    pub(super) fn note_heard(&mut self, now: Instant) {
        self.heard = now;
        self.questions = 0;
    }

    /// Bytes that have not been read, and bytes that have not been acknowledged.
    pub(crate) fn queues(&self) -> (u64, u64) {
        let (unread, unsent) = (self.socket.unread(), self.socket.unacknowledged());
        (unread as u64, unsent as u64)
    }

    /// The peer's SYN: its first sequence number and its options. If it scales windows, ours are
    /// shifted by `scale`.
    pub(super) fn set_peer(&mut self, syn: Segment, scale: u8) {
        self.irs = syn.seq;
        self.peer = syn.options;
        self.flow = Flow::new(syn.options, self.announced());
        self.socket.told.scale = syn.options.scale.map(|_| scale);
    }

    /// Bytes of the largest segment that the peer is told to send.
    pub(crate) fn announced(&self) -> u16 {
        self.socket.told.mss.unwrap_or(u16::MAX).min(self.most())
    }

    /// Bytes of the largest segment that the link has room for.
    fn most(&self) -> u16 {
        self.tuple.map_or(MSS, |tuple| mss(tuple.remote.0))
    }

    /// Bytes of the largest segment that is sent on a path as wide as the link.
    pub(crate) fn send_mss(&self) -> u16 {
        let peer = match self.is_connecting() {
            true => self.most(),
            false => self.peer.mss,
        };
        self.announced().min(peer)
    }

    /// What a client can learn of it, its state and the path's part excepted.
    pub(crate) fn info(&self, now: Instant) -> TcpInfo {
        let una = self.snd_una();
        let sent = self.socket.told.highest;
        let in_flight = sent.map_or(0, |highest| highest.wrapping_sub(una));
        let queued = self.socket.unacknowledged() as u64;
        let in_flight = u64::from(in_flight).min(queued);
        let room = self.socket.receive_room();
        TcpInfo {
            receive_mss: self.announced().into(),
            handshake: u32::try_from(self.round_trip.total_micros()).unwrap_or(u32::MAX),
            congestion_window: self.flow.congestion.limit(),
            peer_window: self.flow.offered(),
            receive_window: room as u32,
            questions: self.questions.into(),
            in_flight,
            unsent: queued - in_flight,
            retransmissions: self.resent.into(),
            silence: (now - self.heard).total_micros() * 1000,
            ..TcpInfo::default()
        }
    }

    /// Its peer has confirmed the handshake.
    pub(super) fn set_handshake(&mut self, half_open: &HalfOpen, scale: u8, now: Instant) {
        self.set_peer(half_open.syn, scale);
        self.seen = State::SynReceived;
        if half_open.again == 0 {
            self.round_trip = now - half_open.since;
        }
    }

    /// Whether it is established, and its own side is not closed.
    pub(super) fn is_open(&self) -> bool {
        let state = self.state();
        !self.is_connecting() && matches!(state, State::Established | State::CloseWait)
    }

    /// Whether its buffer holds so much that the next segment may not fit, if it is a small one.
    pub(super) fn is_filling(&self) -> bool {
        let capacity = self.socket.receive_capacity();
        2 * self.socket.unread() > capacity && self.socket.receive_most > capacity
    }

    /// Notes what has left.
    pub(super) fn note_left(&mut self, sent: &Sent) {
        if sent.packets > 0 {
            self.reached = true;
            self.shown = self.read;
            self.edge = sent.edge;
        }
    }

    /// Whether the peer is to be told that it may send more: smoltcp does not see a window that its
    /// client has made smaller (RFC 9293 section 3.8.6.2.2).
    pub(super) fn owes_window(&self) -> bool {
        let most = self.socket.receive_most;
        if most >= self.socket.receive_capacity() || self.edge.is_none() {
            return false;
        }
        let more = self.read.wrapping_sub(self.shown) as usize;
        more >= (most / 2).min(2 * usize::from(MSS)) && !self.peer_done() && !self.is_connecting()
    }

    /// An acknowledgement of all that has come, with the window, which the peer is told by it.
    pub(super) fn show_window(&mut self) -> Segment {
        self.shown = self.read;
        let expected = self.rcv_nxt();
        let taken = match self.edge {
            Some(edge) if before(expected, edge) => edge.wrapping_sub(expected),
            _ => 0,
        };
        let shift = self.socket.told.scale.unwrap_or(0);
        let window = self.socket.receive_room().min(taken as usize) >> shift;
        let window = u16::try_from(window).unwrap_or(u16::MAX);
        Segment::ack(self.snd_max(), expected, window)
    }

    /// What its packets say.
    pub(super) fn marks(&self) -> Marks {
        match self.tuple {
            Some(tuple) => self.settings.marks_to(tuple.remote.0),
            None => self.settings.marks,
        }
    }

    /// The handshake from which another socket could go on in place of this one's: the numbers are
    /// those before the first byte that is unread and the first that is not acknowledged.
    pub(super) fn reached(&mut self, now: Instant) -> Option<HalfOpen> {
        let irs = self.irs.wrapping_add(self.read);
        Some(HalfOpen {
            tuple: self.tuple?,
            back: Hop::default(),
            syn: Segment::syn(irs, self.flow.show_all(), self.peer),
            iss: self.snd_una().wrapping_sub(1),
            marks: self.marks(),
            mss: self.announced(),
            offer: 0,
            since: now - self.round_trip,
            again: 0,
        })
    }

    /// Goes on in a socket that has come as far as its own, which it returns.
    pub(super) fn go_on_in(&mut self, mut socket: Socket) -> Socket {
        socket.set(self.settings, self.marks());
        socket.told = self.socket.told;
        socket.ends = self.socket.ends;
        self.wants_large = false;
        core::mem::replace(&mut self.socket, socket)
    }

    pub(crate) fn state(&self) -> State {
        self.socket.state()
    }

    /// Whether a client waits for the end of its attempt to connect.
    pub(crate) fn is_connecting(&self) -> bool {
        self.attempt != Attempt::Over
    }

    /// Whether its attempt has failed: nothing more happens to it then.
    pub(super) fn has_failed(&self) -> bool {
        matches!(self.attempt, Attempt::Failed(_))
    }

    /// Whether a segment only repeats the last acknowledgement while something is on its way (RFC
    /// 5681 section 2).
    pub(super) fn is_duplicate(&self, segment: Segment) -> bool {
        let una = self.snd_una();
        (segment.control, segment.data) == (Control::None, 0)
            && segment.ack == Some(una)
            && self.is_sending()
            && !self.flow.is_closed()
            && self
                .socket
                .told
                .highest
                .is_some_and(|highest| before(una, highest))
            && self.flow.offers_the_same(segment.window)
            && segment.seq == self.rcv_nxt()
    }

    /// Whether smoltcp takes an acknowledgement without data in this state, and has something to
    /// send.
    pub(super) fn is_sending(&self) -> bool {
        self.socket.unacknowledged() > 0
            && matches!(
                self.state(),
                State::Established | State::CloseWait | State::FinWait1 | State::Closing
            )
    }

    /// As [`Socket::write`].
    pub(super) fn write<E>(
        &mut self,
        length: usize,
        fill: impl FnMut(usize, &mut [u8]) -> Result<(), E>,
    ) -> Result<usize, E> {
        let before = self.socket.unacknowledged();
        let result = self.socket.write(length, fill);
        let taken = self.socket.unacknowledged() - before;
        self.written = self.written.wrapping_add(taken as u32);
        result
    }

    /// As [`Socket::read`].
    pub(super) fn read<E>(
        &mut self,
        length: usize,
        drain: impl FnMut(usize, &[u8]) -> Result<(), E>,
    ) -> Result<usize, E> {
        let before = self.socket.unread();
        let result = self.socket.read(length, drain);
        let taken = before - self.socket.unread();
        self.read = self.read.wrapping_add(taken as u32);
        result
    }

    /// The oldest sequence number that the peer has not acknowledged (SND.UNA of RFC 9293).
    pub(super) fn snd_una(&self) -> u32 {
        match self.state() {
            State::SynSent | State::SynReceived => self.iss,
            state => {
                let fin = matches!(state, State::FinWait2 | State::TimeWait);
                let queued = self.socket.unacknowledged() as u32;
                let acked = self.written.wrapping_sub(queued);
                self.after_syn()
                    .wrapping_add(acked)
                    .wrapping_add(u32::from(fin))
            }
        }
    }

    /// The number behind the last byte of an outgoing stream that has been closed, and its FIN.
    pub(super) fn snd_nxt_closed(&self) -> u32 {
        self.after_syn().wrapping_add(self.written).wrapping_add(1)
    }

    /// The highest number that the peer can have seen and acknowledge.
    pub(super) fn snd_max(&self) -> u32 {
        match self.state() {
            // Its FIN may have been sent.
            State::FinWait1
            | State::FinWait2
            | State::Closing
            | State::LastAck
            | State::TimeWait => self.snd_nxt_closed(),
            _ => self.socket.told.highest.unwrap_or(self.after_syn()),
        }
    }

    /// The number that the peer sends next (RCV.NXT of RFC 9293).
    pub(super) fn rcv_nxt(&self) -> u32 {
        let fin = matches!(
            self.state(),
            State::CloseWait | State::LastAck | State::Closing | State::TimeWait
        );
        let received = self.read.wrapping_add(self.socket.unread() as u32);
        let flags = 1 + u32::from(fin);
        self.irs.wrapping_add(received).wrapping_add(flags)
    }

    /// Whether a segment with this number is on its way to the peer: what an ICMP error must quote
    /// to be believed (RFC 5927 section 4.1).
    pub(super) fn is_in_flight(&self, seq: u32) -> bool {
        let una = self.snd_una();
        seq.wrapping_sub(una) < self.snd_max().wrapping_sub(una)
    }

    fn after_syn(&self) -> u32 {
        self.iss.wrapping_add(1)
    }

    /// Notes whether the peer has acknowledged something new. Returns whether it has.
    pub(super) fn note_progress(&mut self) -> bool {
        let acked = self.snd_una();
        core::mem::replace(&mut self.acked, acked) != acked
    }

    /// Notes that a segment with data up to `end` has been sent.
    pub(super) fn note_sent(&mut self, end: u32) -> Sending {
        let highest = match self.socket.told.highest {
            Some(highest) if !before(highest, end) => highest,
            _ => {
                self.socket.told.highest = Some(end);
                return Sending::New;
            }
        };
        // Questions whether the peer is still there, or has room again.
        if self.socket.unacknowledged() == 0 || self.flow.is_closed() {
            return Sending::New;
        }
        let oldest = self.snd_una();
        let requested = core::mem::take(&mut self.flow.resend);
        if requested || end.wrapping_sub(oldest) > u32::from(MSS) {
            return Sending::Again;
        }
        let flight = highest.wrapping_sub(oldest);
        self.flow.congestion.timed_out(flight, highest);
        Sending::TimedOut
    }

    /// Whether the peer will send no more.
    pub(crate) fn peer_done(&self) -> bool {
        matches!(
            self.state(),
            State::CloseWait | State::LastAck | State::Closing | State::TimeWait | State::Closed
        )
    }

    /// Bytes that `send` would take.
    pub(crate) fn room(&self) -> usize {
        match self.socket.send_room() {
            Some((_, free)) if !self.wants_large => free,
            _ => 0,
        }
    }

    /// Whether the peer has yet to acknowledge something, so that its silence must end.
    pub(super) fn awaits_peer(&self) -> bool {
        self.socket.unacknowledged() > 0
            || matches!(
                self.state(),
                State::FinWait1 | State::Closing | State::LastAck
            )
    }

    /// When the server stops waiting for the peer, or asks it whether it is still there.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.owner {
            Owner::Free => None,
            Owner::Socket(_) if self.is_connecting() => {
                Some(self.since + if self.reached { ATTEMPT } else { UNREACHED })
            }
            // A reset that cannot be sent because the next hop is gone.
            Owner::Closing(_) if self.state() == State::Closed => Some(self.since + UNREACHED),
            Owner::Closing(_) => Some((self.moved + FIN_WAIT).min(self.since + LINGER)),
            _ if self.is_closed() => None,
            _ => match self.waiting_since {
                Some(since) => Some(since + self.silence()),
                None => self.silent_until(),
            },
        }
    }

    /// The deadline has passed. Returns whether the peer is only idle, and has been asked once more
    /// whether it is still there.
    pub(super) fn asks_instead(&mut self, now: Instant) -> bool {
        let owned = matches!(self.owner, Owner::Pending(_) | Owner::Socket(_));
        let idle = owned && self.waiting_since.is_none() && !self.is_connecting();
        let asks = idle && !self.is_asked_enough();
        if asks {
            // It counts even if it finds no way out: its time must not stay in the past.
            self.socket.ask();
            self.asked = now;
            self.questions = self.questions.saturating_add(1);
        }
        asks
    }

    /// When a silent peer is asked again, or given up.
    fn silent_until(&self) -> Option<Instant> {
        let seconds = |seconds: u16| Duration::from_secs(seconds.into());
        let Settings {
            keep_alive,
            keep_idle,
            keep_interval,
            ..
        } = self.settings;
        keep_alive.then(|| match self.questions {
            0 => self.heard + seconds(keep_idle),
            _ => self.asked + seconds(keep_interval),
        })
    }

    /// Whether a silent peer is given up rather than asked again, as `tcp_keepalive_timer` of
    /// Linux.
    fn is_asked_enough(&self) -> bool {
        match self.settings.user_timeout {
            0 => self.questions >= self.settings.keep_count,
            _ => {
                let until = self.heard + self.silence();
                self.questions > 0 && self.silent_until().is_some_and(|at| at >= until)
            }
        }
    }

    fn silence(&self) -> Duration {
        match self.settings.user_timeout {
            0 => SILENCE,
            time => Duration::from_millis(time.into()),
        }
    }

    /// Whether it is over for its client: TIME-WAIT is the server's own business.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.state(), State::Closed | State::TimeWait)
    }

    /// Whether a third of the send buffer is free beside so many bytes more. A writer who waits is
    /// not woken for less, and not kept waiting where nothing can be sent any more.
    pub(super) fn has_room(&self, length: usize) -> bool {
        let room = self.socket.send_room();
        room.is_none_or(|(capacity, free)| free.saturating_sub(length) * 3 >= capacity)
    }

    /// As `tcp_poll` of Linux.
    pub(crate) fn bits(&self) -> PollBits {
        if self.is_connecting() {
            return PollBits::NONE;
        }
        let peer_done = self.peer_done() || self.read_shut;
        let over = self.is_closed() || (peer_done && self.write_shut);
        let writable = self.has_room(0) && !self.wants_large;
        PollBits::NONE
            .with(PollBits::IN, self.socket.unread() > 0 || peer_done)
            .with(PollBits::OUT, writable)
            .with(PollBits::ERR, self.error.is_some())
            .with(PollBits::RDHUP, peer_done)
            .with(PollBits::HUP, over)
    }
}
