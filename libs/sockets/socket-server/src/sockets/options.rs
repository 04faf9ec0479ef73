// SPDX-License-Identifier: BSD-2-Clause

//! `getsockopt` and `setsockopt`. Options are a socket's; those that concern segments are given to
//! its connection, and to the connections that a listener accepts.

use socket_proto::{Errno, OptionAccess, OptionKinds, OptionValue, SocketKind, SocketOption, op};

use super::Call;
use super::socket::Role;
use crate::ip::output::Marks;
use crate::tables::id::Slot;
use crate::transport::connection::Settings;
use crate::transport::numbers::PeerOptions;

/// What `setsockopt` has set.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    reuse_address: bool,
    /// Whether it may send to all hosts.
    pub broadcast: bool,
    /// Whether `close` lingers, and for how many seconds. After none the connection is reset.
    pub linger: Option<u64>,
    /// Bytes of the largest segment of connections to come, or 0.
    max_segment: u16,
    pub settings: Settings,
}

impl Options {
    /// Bytes of the largest segment, if it has been set.
    pub(crate) fn mss(&self) -> Option<u16> {
        (self.max_segment != 0).then_some(self.max_segment)
    }
}

/// Whether sockets of this kind have the option.
fn applies(option: SocketOption, kind: SocketKind) -> bool {
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
        if !applies(option, socket.kind()) {
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
            SocketOption::SendBuffer if stream => self.tcp.buffers.large.send as u64,
            SocketOption::SendBuffer => self.datagram_send as u64,
            SocketOption::ReceiveBuffer if stream => self.tcp.buffers.large.receive as u64,
            SocketOption::ReceiveBuffer => self.account.mail.capacity() as u64,
            SocketOption::KeepAlive => options.settings.keep_alive.into(),
            SocketOption::Linger => {
                let (value, second) = options.linger.map_or((0, 0), |seconds| (1, seconds));
                return Ok(OptionValue { value, second });
            }
            SocketOption::AcceptConnections => matches!(socket.role, Role::Listening(_)).into(),
            SocketOption::Protocol if stream => socket_proto::Protocol::Tcp.raw(),
            SocketOption::Protocol => socket_proto::Protocol::Udp.raw(),
            SocketOption::Domain => socket_proto::Family::Inet.raw(),
            SocketOption::TypeOfService => options.settings.marks.service.into(),
            SocketOption::TimeToLive => options.settings.marks.time_to_live.into(),
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
        let socket = self.account.socket_mut(slot)?;
        let read_only = option.access() == OptionAccess::Read;
        if read_only || !applies(option, socket.kind()) {
            return Err(Errno::ENOPROTOOPT);
        }
        if second != 0 && option != SocketOption::Linger {
            return Err(Errno::EINVAL);
        }
        let stream = socket.kind() == SocketKind::Stream;
        let set = value != 0;
        let options = &mut socket.options;
        match option {
            SocketOption::ReuseAddress => options.reuse_address = set,
            SocketOption::Broadcast => options.broadcast = set,
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
            | SocketOption::SendBuffer
            | SocketOption::ReceiveBuffer
            | SocketOption::AcceptConnections
            | SocketOption::Protocol
            | SocketOption::Domain => return Err(Errno::ENOPROTOOPT),
        }
        let settings = options.settings;
        if let Some(id) = socket.connection() {
            self.tcp.set(id, settings, self.net);
        }
        Ok(())
    }
}
