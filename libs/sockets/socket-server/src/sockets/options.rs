// SPDX-License-Identifier: BSD-2-Clause

//! `getsockopt` and `setsockopt`. Options are a socket's; those that concern segments are given to
//! its connection, and to the connections that a listener accepts.

use core::time::Duration;

use socket_proto::{
    Errno, Family, OptionAccess, OptionKinds, OptionValue, SocketKind, SocketOption, op,
};

use super::Call;
use super::socket::{Role, SCOPE, Socket};
use crate::ip::address::Address;
use crate::ip::output::Marks;
use crate::tables::id::Slot;
use crate::transport::connection::Settings;
use crate::transport::numbers::PeerOptions;

/// What `setsockopt` has set.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    reuse_address: bool,
    /// Whether a socket of IPv6 has nothing to do with IPv4.
    pub only_v6: bool,
    /// Whether it may send to all hosts.
    pub broadcast: bool,
    /// Whether `close` lingers, and for how many seconds. After none the connection is reset.
    pub linger: Option<u64>,
    /// Bytes of the largest segment of connections to come, or 0.
    max_segment: u16,
    /// How long a library waits; the server only keeps it.
    receive_timeout: Duration,
    send_timeout: Duration,
    groups: Groups,
    groups6: Groups,
    pub settings: Settings,
}

/// What concerns datagrams to groups of one family.
#[derive(Clone, Copy, Debug)]
struct Groups {
    /// Routers that they may pass.
    time_to_live: u8,
    /// Whether this machine hears them, too.
    loops: bool,
    /// The interface, if it has been chosen.
    interface: u8,
}

impl Default for Groups {
    fn default() -> Self {
        Groups {
            time_to_live: 1,
            loops: true,
            interface: 0,
        }
    }
}

impl Options {
    /// Bytes of the largest segment, if it has been set.
    pub(crate) fn mss(&self) -> Option<u16> {
        (self.max_segment != 0).then_some(self.max_segment)
    }

    /// Whether its port may be that of others, which allow it, too.
    pub(crate) fn reuses(&self) -> bool {
        self.reuse_address
    }

    fn groups(&self, to: Address) -> &Groups {
        match to.is_v4() {
            true => &self.groups,
            false => &self.groups6,
        }
    }

    /// What its packets to an address say.
    pub(crate) fn marks_to(&self, to: Address) -> Marks {
        let marks = self.settings.marks_to(to);
        match to.is_multicast() {
            true => Marks {
                time_to_live: self.groups(to).time_to_live,
                ..marks
            },
            false => marks,
        }
    }

    /// Whether this machine hears what it sends to a group.
    pub(crate) fn loops_to(&self, group: Address) -> bool {
        self.groups(group).loops
    }
}

/// Whether a socket has the option.
fn applies(option: SocketOption, socket: &Socket) -> bool {
    let kind = socket.kind();
    if option.is_ipv6() && socket.family != Family::Inet6 {
        return false;
    }
    match option.kinds() {
        OptionKinds::All => true,
        OptionKinds::Stream => kind == SocketKind::Stream,
        OptionKinds::Datagram => kind == SocketKind::Datagram,
    }
}

/// Most seconds that an idle peer is left alone, and most questions to it; as Linux.
const SECONDS_MAX: u64 = 32_767;
const QUESTIONS_MAX: u64 = 127;

/// The range of segment sizes, in bytes; as Linux.
const LEAST_SEGMENT: u64 = 88;
const MOST_SEGMENT: u64 = 32_767;
/// Least bytes of a buffer; as Linux.
const LEAST_BUFFER: u32 = 2304;
/// The number of the Ethernet interface.
const ETHERNET: u64 = SCOPE as u64;
/// -1.
const USUAL: u64 = u64::MAX;
/// The bits of the type of service that TCP keeps for itself (RFC 3168).
const CONGESTION: u8 = 3;

/// A value that lies in a range.
fn within(value: u64, least: u64, most: u64) -> Result<u64, Errno> {
    match (least..=most).contains(&value) {
        true => Ok(value),
        false => Err(Errno::EINVAL),
    }
}

/// The size of a buffer for which another one was asked for.
fn within_limits(value: u64, most: u32) -> u32 {
    let value = u32::try_from(value).unwrap_or(u32::MAX);
    value.max(LEAST_BUFFER).min(most)
}

/// Routers that a datagram to a group may pass.
fn group_hops(value: u64) -> Result<u8, Errno> {
    match value {
        USUAL => Ok(1),
        hops => Ok(within(hops, 0, 255)? as u8),
    }
}

/// A time in seconds and microseconds.
fn time(seconds: u64, micros: u64) -> Result<Duration, Errno> {
    match u32::try_from(micros) {
        Ok(micros @ 0..1_000_000) => Ok(Duration::new(seconds, micros * 1000)),
        _ => Err(Errno::EDOM),
    }
}

impl<W> Call<'_, W> {
    /// `getsockopt`.
    pub(crate) fn get_option(
        &mut self,
        slot: Slot,
        asked: op::GetOption,
    ) -> Result<OptionValue, Errno> {
        let option = asked.option;
        let socket = self.account.socket_mut(slot)?;
        let stream = socket.kind() == SocketKind::Stream;
        if !applies(option, socket) {
            // Unlike for setting, as on Linux.
            return Err(Errno::EOPNOTSUPP);
        }
        let options = socket.options;
        let value = match option {
            SocketOption::Type => socket.kind().raw(),
            SocketOption::Error => {
                let error = match socket.connection() {
                    Some(id) => &mut self.tcp.connections[id].error,
                    None => &mut socket.error,
                };
                let error = error.take();
                self.refresh(slot);
                error.map_or(0, |errno| errno.raw().into())
            }
            SocketOption::ReuseAddress => options.reuse_address.into(),
            SocketOption::Broadcast => options.broadcast.into(),
            SocketOption::SendBuffer => {
                let limit = self.send_limit(stream);
                limit.min(options.settings.send_most).into()
            }
            SocketOption::ReceiveBuffer => {
                let limit = self.receive_limit(stream);
                limit.min(options.settings.receive_most).into()
            }
            SocketOption::ReceiveTimeout | SocketOption::SendTimeout => {
                let waits = match option {
                    SocketOption::ReceiveTimeout => options.receive_timeout,
                    _ => options.send_timeout,
                };
                let (value, second) = (waits.as_secs(), waits.subsec_micros().into());
                return Ok(OptionValue { value, second });
            }
            SocketOption::KeepAlive => options.settings.keep_alive.into(),
            SocketOption::Linger => {
                let (value, second) = options.linger.map_or((0, 0), |seconds| (1, seconds));
                return Ok(OptionValue { value, second });
            }
            SocketOption::AcceptConnections => matches!(socket.role, Role::Listening(_)).into(),
            SocketOption::Protocol => socket.protocol().raw(),
            SocketOption::Domain => socket.family.raw(),
            SocketOption::TypeOfService => options.settings.marks.service.into(),
            SocketOption::TimeToLive => options.settings.marks.time_to_live.into(),
            SocketOption::OnlyV6 => options.only_v6.into(),
            SocketOption::UnicastHops => options.settings.marks6.time_to_live.into(),
            SocketOption::TrafficClass => options.settings.marks6.service.into(),
            SocketOption::MulticastInterface => options.groups.interface.into(),
            SocketOption::MulticastTtl => options.groups.time_to_live.into(),
            SocketOption::MulticastLoop => options.groups.loops.into(),
            SocketOption::MulticastInterface6 => options.groups6.interface.into(),
            SocketOption::MulticastHops => options.groups6.time_to_live.into(),
            SocketOption::MulticastLoop6 => options.groups6.loops.into(),
            SocketOption::NoDelay => options.settings.no_delay.into(),
            SocketOption::MaxSegment => match socket.connection() {
                Some(id) => self.send_mss(id).into(),
                None => options.mss().unwrap_or(PeerOptions::NONE.mss).into(),
            },
            SocketOption::KeepIdle => options.settings.keep_idle.into(),
            SocketOption::KeepInterval => options.settings.keep_interval.into(),
            SocketOption::KeepCount => options.settings.keep_count.into(),
            SocketOption::UserTimeout => options.settings.user_timeout.into(),
        };
        Ok(OptionValue::new(value))
    }

    /// `setsockopt`.
    pub(crate) fn set_option(&mut self, slot: Slot, asked: op::SetOption) -> Result<(), Errno> {
        let op::SetOption {
            option,
            value,
            second,
            ..
        } = asked;
        let socket = self.account.socket(slot).ok_or(Errno::EBADF)?;
        let stream = socket.kind() == SocketKind::Stream;
        let (send, receive) = (self.send_limit(stream), self.receive_limit(stream));
        let socket = self.account.socket_mut(slot)?;
        let read_only = option.access() == OptionAccess::Read;
        if read_only || !applies(option, socket) {
            return Err(Errno::ENOPROTOOPT);
        }
        let has_second = matches!(
            option,
            SocketOption::Linger | SocketOption::ReceiveTimeout | SocketOption::SendTimeout
        );
        if second != 0 && !has_second {
            return Err(Errno::EINVAL);
        }
        let set = value != 0;
        let bound = socket.local.is_some();
        let options = &mut socket.options;
        match option {
            SocketOption::ReuseAddress => options.reuse_address = set,
            SocketOption::Broadcast => options.broadcast = set,
            SocketOption::SendBuffer => {
                options.settings.send_most = within_limits(value, send);
            }
            SocketOption::ReceiveBuffer => {
                options.settings.receive_most = within_limits(value, receive);
            }
            SocketOption::ReceiveTimeout => options.receive_timeout = time(value, second)?,
            SocketOption::SendTimeout => options.send_timeout = time(value, second)?,
            SocketOption::Linger => options.linger = set.then_some(second),
            SocketOption::KeepAlive => options.settings.keep_alive = set,
            SocketOption::NoDelay => options.settings.no_delay = set,
            SocketOption::TypeOfService => {
                let kept = if stream { !CONGESTION } else { u8::MAX };
                options.settings.marks.service = value as u8 & kept;
            }
            SocketOption::TimeToLive => {
                options.settings.marks.time_to_live = match value {
                    USUAL => Marks::USUAL.time_to_live,
                    hops => within(hops, 1, 255)? as u8,
                };
            }
            SocketOption::OnlyV6 if bound => return Err(Errno::EINVAL),
            SocketOption::OnlyV6 => options.only_v6 = set,
            SocketOption::UnicastHops => {
                options.settings.marks6.time_to_live = match value {
                    USUAL => Marks::USUAL.time_to_live,
                    hops => within(hops, 0, 255)? as u8,
                };
            }
            SocketOption::TrafficClass => {
                let kept = if stream { !CONGESTION } else { u8::MAX };
                options.settings.marks6.service = match value {
                    USUAL => 0,
                    class => within(class, 0, 255)? as u8 & kept,
                };
            }
            SocketOption::MulticastInterface => {
                options.groups.interface = match value {
                    0 | ETHERNET => value as u8,
                    _ => return Err(Errno::EADDRNOTAVAIL),
                };
            }
            SocketOption::MulticastInterface6 => {
                options.groups6.interface = match value {
                    0 | ETHERNET => value as u8,
                    _ => return Err(Errno::ENODEV),
                };
            }
            SocketOption::MulticastTtl => options.groups.time_to_live = group_hops(value)?,
            SocketOption::MulticastHops => options.groups6.time_to_live = group_hops(value)?,
            SocketOption::MulticastLoop => options.groups.loops = set,
            SocketOption::MulticastLoop6 => {
                options.groups6.loops = within(value, 0, 1)? != 0;
            }
            SocketOption::MaxSegment => {
                options.max_segment = match value {
                    0 => 0,
                    _ => within(value, LEAST_SEGMENT, MOST_SEGMENT)? as u16,
                };
            }
            SocketOption::KeepIdle => {
                options.settings.keep_idle = within(value, 1, SECONDS_MAX)? as u16;
            }
            SocketOption::KeepInterval => {
                options.settings.keep_interval = within(value, 1, SECONDS_MAX)? as u16;
            }
            SocketOption::KeepCount => {
                options.settings.keep_count = within(value, 1, QUESTIONS_MAX)? as u8;
            }
            SocketOption::UserTimeout => match i32::try_from(value) {
                Ok(time) => options.settings.user_timeout = time.unsigned_abs(),
                Err(_) => return Err(Errno::EINVAL),
            },
            // Refused above.
            SocketOption::Type
            | SocketOption::Error
            | SocketOption::AcceptConnections
            | SocketOption::Protocol
            | SocketOption::Domain => return Err(Errno::ENOPROTOOPT),
        }
        let settings = options.settings;
        match &mut socket.role {
            Role::Connection(id) => self.tcp.set(*id, settings, self.net),
            Role::Datagram(datagram) => datagram.inbox.most = settings.receive_most,
            Role::Idle | Role::Listening(_) => {}
        }
        Ok(())
    }

    /// Most bytes that may wait to be sent, or be in a datagram.
    fn send_limit(&self, stream: bool) -> u32 {
        let limit = match stream {
            true => self.tcp.buffers.large.send,
            false => self.datagram_send,
        };
        u32::try_from(limit).unwrap_or(u32::MAX)
    }

    /// Most bytes that may wait to be read.
    fn receive_limit(&self, stream: bool) -> u32 {
        let limit = match stream {
            true => self.tcp.buffers.large.receive,
            false => self.account.mail.capacity(),
        };
        u32::try_from(limit).unwrap_or(u32::MAX)
    }
}
