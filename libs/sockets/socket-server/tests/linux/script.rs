// SPDX-License-Identifier: BSD-2-Clause

//! What is done with sockets, one operation a line, in a form that both machines understand.

use socket_proto::{Flag, Flags, SocketOption};

/// An address, by what it means on the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The unspecified address.
    Any,
    /// This machine's.
    Own,
    /// 127.0.0.1. It is shown as [`Place::Own`].
    Loopback,
    /// The other machine's.
    Peer,
    /// A machine that never answers.
    Silent,
    /// An address that is not this machine's.
    Foreign,
    /// All machines of the network.
    Broadcast,
    /// A group.
    Group,
    /// ::1, which is all that a host has for certain.
    V6,
    /// The unspecified address of IPv6.
    Any6,
    /// An address of IPv6 that is not this machine's, and one of its link without a scope.
    Foreign6,
    Link6,
    /// Addresses of IPv4 in the form of IPv6: the unspecified one, 127.0.0.1, one that is not this
    /// machine's.
    MappedAny,
    Mapped,
    MappedForeign,
}

/// An address with the number of a port: 0 means no port, others are mapped to free ones.
pub type Name = (Place, u16);

/// What a socket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Stream,
    Datagram,
    /// A datagram socket of ICMP. What it sends are requests for echoes.
    Echo,
}

/// The message that a socket sends in so many bytes; of ICMPv6 if `v6`.
pub fn message(kind: Kind, v6: bool, n: usize) -> Vec<u8> {
    let mut message = vec![7; n];
    if let (Kind::Echo, Some(header)) = (kind, message.first_chunk_mut()) {
        *header = [if v6 { 128 } else { 8 }, 0, 0, 0];
    }
    message
}

/// A direction, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Read,
    Write,
    Both,
}

/// One operation. Sockets of this machine go by a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Socket(char, Kind),
    /// One of IPv6.
    Socket6(char, Kind),
    Bind(char, Name),
    Listen(char, i32),
    Accept(char, char),
    Connect(char, Name),
    /// `connect` to the peer of another socket.
    ConnectToPeerOf(char, char),
    /// Sets `SO_REUSEADDR`. The core behaves as if it were always set.
    Reuse(char),
    /// `connect` with `AF_UNSPEC`.
    Dissolve(char),
    Send(char, usize),
    SendTo(char, Name, usize),
    Recv(char, usize, Flags),
    Shutdown(char, How),
    Close(char),
    SockName(char),
    PeerName(char),
    Error(char),
    /// `setsockopt`, and `getsockopt`. The value of `SO_LINGER` is in seconds, or -1 for none.
    Set(char, SocketOption, i64),
    Get(char, SocketOption),
    /// Joins a group, and leaves it; they are numbered.
    Join(char, u8),
    Leave(char, u8),
    /// Sends to a group, at a port.
    SendGroup(char, u8, u16, usize),
    /// Binds to a group.
    BindGroup(char, u8, u16),
    /// The other machine listens on a port.
    PeerListen(u16),
    /// It connects to a port of this machine, and goes on with that connection.
    PeerConnect(u16),
    /// It sends on its connection.
    PeerSend(usize),
    /// It ends its direction of the connection.
    PeerFin,
    /// It resets the connection.
    PeerReset,
    /// It opens a datagram socket.
    PeerBind(u16),
    /// It sends a datagram to a port of all machines.
    PeerBroadcast(u16, usize),
    /// It sends a datagram to a socket of this machine.
    PeerSendTo(char, usize),
}

fn place(word: &str) -> Place {
    match word {
        "any" => Place::Any,
        "own" => Place::Own,
        "loopback" => Place::Loopback,
        "peer" => Place::Peer,
        "silent" => Place::Silent,
        "foreign" => Place::Foreign,
        "broadcast" => Place::Broadcast,
        "v6" => Place::V6,
        "any6" => Place::Any6,
        "foreign6" => Place::Foreign6,
        "link6" => Place::Link6,
        "mappedany" => Place::MappedAny,
        "mapped" => Place::Mapped,
        "mappedforeign" => Place::MappedForeign,
        other => panic!("no place: {other}"),
    }
}

fn name(word: &str) -> Name {
    let (host, port) = word.split_once(':').expect("place:port");
    (place(host), number(port))
}

fn number<N: std::str::FromStr>(word: &str) -> N {
    word.parse().ok().expect("a number")
}

fn option(word: &str) -> SocketOption {
    let named = |option: &&SocketOption| option.name() == word.to_uppercase();
    *SocketOption::ALL.iter().find(named).expect("an option")
}

fn flag(word: &str) -> Flag {
    let named = |flag: &&Flag| flag.name().strip_prefix("MSG_") == Some(&word.to_uppercase());
    *Flag::ALL.iter().find(named).expect("a flag")
}

fn letter(word: &str) -> char {
    let mut letters = word.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) => letter,
        _ => panic!("no socket: {word}"),
    }
}

/// Reads one line.
pub fn parse(line: &str) -> Step {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        ["stream", a] => Step::Socket(letter(a), Kind::Stream),
        ["datagram", a] => Step::Socket(letter(a), Kind::Datagram),
        ["echo", a] => Step::Socket(letter(a), Kind::Echo),
        ["echo6", a] => Step::Socket6(letter(a), Kind::Echo),
        ["stream6", a] => Step::Socket6(letter(a), Kind::Stream),
        ["datagram6", a] => Step::Socket6(letter(a), Kind::Datagram),
        ["bind", a, to] => Step::Bind(letter(a), name(to)),
        ["listen", a] => Step::Listen(letter(a), 4),
        ["accept", a, b] => Step::Accept(letter(a), letter(b)),
        ["connect", a, "to", "peer", "of", b] => Step::ConnectToPeerOf(letter(a), letter(b)),
        ["reuse", a] => Step::Reuse(letter(a)),
        ["connect", a, "none"] => Step::Dissolve(letter(a)),
        ["connect", a, to] => Step::Connect(letter(a), name(to)),
        ["send", a, n] => Step::Send(letter(a), number(n)),
        ["sendto", a, to, n] => Step::SendTo(letter(a), name(to), number(n)),
        ["recv", a, n, ref flags @ ..] => {
            let flag = |set: Flags, name: &&str| set | flag(name);
            let flags = flags.iter().fold(Flags::NONE, flag);
            Step::Recv(letter(a), number(n), flags)
        }
        ["shutdown", a, how] => {
            let how = match how {
                "r" => How::Read,
                "w" => How::Write,
                "rw" => How::Both,
                other => panic!("no direction: {other}"),
            };
            Step::Shutdown(letter(a), how)
        }
        ["close", a] => Step::Close(letter(a)),
        ["sockname", a] => Step::SockName(letter(a)),
        ["peername", a] => Step::PeerName(letter(a)),
        ["error", a] => Step::Error(letter(a)),
        ["set", a, name, value] => Step::Set(letter(a), option(name), number(value)),
        ["get", a, name] => Step::Get(letter(a), option(name)),
        ["join", a, group] => Step::Join(letter(a), number(group)),
        ["leave", a, group] => Step::Leave(letter(a), number(group)),
        ["sendgroup", a, group, port, n] => {
            Step::SendGroup(letter(a), number(group), number(port), number(n))
        }
        ["bindgroup", a, group, port] => Step::BindGroup(letter(a), number(group), number(port)),
        ["peer", "listen", port] => Step::PeerListen(number(port)),
        ["peer", "connect", port] => Step::PeerConnect(number(port)),
        ["peer", "send", n] => Step::PeerSend(number(n)),
        ["peer", "fin"] => Step::PeerFin,
        ["peer", "reset"] => Step::PeerReset,
        ["peer", "bind", port] => Step::PeerBind(number(port)),
        ["peer", "broadcast", port, n] => Step::PeerBroadcast(number(port), number(n)),
        ["peer", "sendto", a, n] => Step::PeerSendTo(letter(a), number(n)),
        _ => panic!("no step: {line}"),
    }
}

/// What can be seen of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It has worked.
    Done,
    /// So many bytes were moved.
    Count(usize),
    /// So many bytes were received; the first of them.
    Bytes(usize, Option<u8>),
    /// An address: the place as the machine sees it, and the port's number (`None` for one that the
    /// machine chose).
    Name(Place, Option<u16>),
    /// The value of an option.
    Value(u64),
    /// An error number.
    Errno(i32),
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Seen::Done => f.write_str("ok"),
            Seen::Count(count) | Seen::Bytes(count, None) => write!(f, "{count}"),
            Seen::Bytes(count, Some(first)) => write!(f, "{count} from {first}"),
            Seen::Name(place, Some(port)) => write!(f, "{place:?}:{port}"),
            Seen::Name(place, None) => write!(f, "{place:?}:*"),
            Seen::Value(value) => write!(f, "{value}"),
            Seen::Errno(errno) => match socket_proto::Errno::from_raw(*errno as u64) {
                Some(errno) => f.write_str(errno.name()),
                None => write!(f, "errno {errno}"),
            },
        }
    }
}

/// A group by its number.
pub fn group(number: u8) -> std::net::Ipv4Addr {
    [239, 7, 7, number].into()
}

/// The next bytes that a peer sends, which can be told apart.
pub fn numbered(sent: &mut u8, n: usize) -> Vec<u8> {
    let first = *sent;
    *sent = first.wrapping_add(n as u8);
    (0..n).map(|i| first.wrapping_add(i as u8)).collect()
}

/// A machine that carries out steps.
pub trait Machine {
    /// Carries out one step, and lets the network come to rest.
    fn step(&mut self, step: Step) -> Seen;
    /// The poll bits of a socket.
    fn bits(&mut self, socket: char) -> u16;
}

fn bits_text(bits: u16) -> String {
    let names = [
        (0x01, "IN"),
        (0x04, "OUT"),
        (0x08, "ERR"),
        (0x10, "HUP"),
        (0x20, "NVAL"),
        (0x2000, "RDHUP"),
    ];
    let set = names.iter().filter(|(bit, _)| bits & bit != 0);
    let text = set.map(|&(_, name)| name).collect::<Vec<_>>().join("|");
    if text.is_empty() { "-".into() } else { text }
}

/// Carries out all steps; returns what was seen of each: its result, and then the poll bits of all
/// open sockets.
pub fn run(machine: &mut impl Machine, steps: &[Step]) -> Vec<String> {
    let mut open = std::collections::BTreeSet::new();
    let mut lines = Vec::new();
    for &step in steps {
        let seen = machine.step(step);
        match (step, &seen) {
            (
                Step::Socket(a, _) | Step::Socket6(a, _) | Step::Accept(_, a),
                Seen::Done | Seen::Name(..),
            ) => {
                open.insert(a);
            }
            (Step::Close(a), Seen::Done) => {
                open.remove(&a);
            }
            _ => {}
        }
        let mut line = seen.to_string();
        for &a in &open {
            line += &format!(" {a}={}", bits_text(machine.bits(a)));
        }
        lines.push(line);
    }
    lines
}
