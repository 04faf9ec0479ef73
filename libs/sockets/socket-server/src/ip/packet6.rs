// SPDX-License-Identifier: BSD-2-Clause

//! Reads the headers of received IPv6 packets (RFC 8200).

use smoltcp::wire::IpProtocol;

use super::groups::Groups;
use super::header6::Header;
use super::link6::{Link6, is_host};
use super::output::HEADER6;
use super::packet::{Form, Packet};
use crate::ethernet::Hop;

/// Why a packet is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reject {
    /// It is nonsense, or for somebody else.
    Malformed,
    /// Its source is no host that could have sent it.
    Source,
}

/// Headers that may stand between the first one and the payload.
const HEADERS_MAX: usize = 8;

/// Codes of "parameter problem" (RFC 4443 section 3.4).
const FIELD: u8 = 0;
const OPTION: u8 = 2;

/// Reads the headers of a packet that has come over loopback or by the interface, as `back` says.
///
/// # Errors
/// The packet is to be dropped.
pub(crate) fn parse<'a>(
    bytes: &'a [u8],
    back: Hop,
    link: &Link6,
    groups: &Groups,
) -> Result<Packet<'a>, Reject> {
    let first = Header::read(bytes).ok_or(Reject::Malformed)?;
    let end = HEADER6 + usize::from(first.length);
    let bytes = bytes.get(..end).ok_or(Reject::Malformed)?;
    let (source, destination) = (first.source, first.destination);
    let to_all = destination.is_multicast();
    let (for_us, possible) = match back {
        Hop::Loopback => {
            let own = link.is_own(destination);
            (
                own || (to_all && groups.hears(destination)),
                link.is_own(source),
            )
        }
        Hop::Ethernet { .. } => {
            let own = !destination.is_loopback() && link.is_own(destination);
            let group = || link.hears(destination) || groups.hears(destination);
            let for_us = if to_all { group() } else { own };
            (for_us, is_host(source) && !link.is_own(source))
        }
    };
    if !for_us {
        return Err(Reject::Malformed);
    }
    let packet = Packet {
        bytes,
        back,
        source,
        destination,
        to_all,
        protocol: first.next,
        payload: &bytes[HEADER6..],
        form: Form::Whole,
    };
    let packet = walk(packet)?;
    // A host that has no address yet asks whether its neighbours have it.
    let nameless = source.is_unspecified() && packet.protocol == IpProtocol::Icmpv6;
    if !(possible || nameless) {
        return Err(Reject::Source);
    }
    Ok(packet)
}

/// Goes from header to header up to the payload.
fn walk(mut packet: Packet<'_>) -> Result<Packet<'_>, Reject> {
    for number in 0..=HEADERS_MAX {
        let is_first = number == 0;
        let handled = match packet.protocol {
            IpProtocol::HopByHop => is_first,
            IpProtocol::Ipv6Opts | IpProtocol::Ipv6Route | IpProtocol::Ipv6Frag => true,
            _ => false,
        };
        if !handled {
            return match packet.protocol {
                IpProtocol::Ipv6NoNxt => Err(Reject::Malformed),
                _ => Ok(packet),
            };
        }
        let &[next, units, high, low, ref rest @ ..] = packet.payload else {
            return Err(Reject::Malformed);
        };
        let at = packet.bytes.len() - packet.payload.len();
        let protocol = packet.protocol;
        packet.protocol = next.into();
        if protocol == IpProtocol::Ipv6Frag {
            let &[a, b, c, d, ref payload @ ..] = rest else {
                return Err(Reject::Malformed);
            };
            packet.payload = payload;
            let part = u16::from_be_bytes([high, low]);
            let (offset, more) = (part & !7, part & 1 != 0);
            // One alone is a whole packet (RFC 6946).
            if offset > 0 || more {
                packet.form = Form::Part {
                    ident: u32::from_be_bytes([a, b, c, d]),
                    offset,
                    more,
                };
                return Ok(packet);
            }
        } else {
            let length = 8 + usize::from(units) * 8;
            let Some((header, payload)) = packet.payload.split_at_checked(length) else {
                return Err(Reject::Malformed);
            };
            let trouble = match protocol {
                // The fourth byte says how many hosts the packet is still to visit.
                IpProtocol::Ipv6Route => (low != 0).then_some(Trouble::Tell(FIELD, 2)),
                _ => options(header, packet.to_all),
            };
            match trouble {
                None => {}
                Some(Trouble::Silent) => return Err(Reject::Malformed),
                Some(Trouble::Tell(code, offset)) => {
                    let pointer = (at + offset) as u16;
                    packet.form = Form::Problem { code, pointer };
                    return Ok(packet);
                }
            }
            packet.payload = payload;
        }
        packet.form = Form::Extended;
    }
    Err(Reject::Malformed)
}

/// Why a header is no good.
enum Trouble {
    /// The packet is dropped.
    Silent,
    /// Its sender is told: the code, and where in the header the trouble is.
    Tell(u8, usize),
}

/// Looks at the options of a header (RFC 8200 section 4.2). None of them changes anything here; of
/// those that are not known the two highest bits say what is to be done.
fn options(header: &[u8], to_all: bool) -> Option<Trouble> {
    const PAD_1: u8 = 0;
    const PAD: u8 = 1;
    const ROUTER_ALERT: u8 = 5;
    let mut at = 2;
    while let Some(&kind) = header.get(at) {
        if kind == PAD_1 {
            at += 1;
            continue;
        }
        let Some(&length) = header.get(at + 1) else {
            return Some(Trouble::Silent);
        };
        match (kind, kind >> 6) {
            (PAD | ROUTER_ALERT, _) | (_, 0) => {}
            (_, 2) => return Some(Trouble::Tell(OPTION, at)),
            (_, 3) if !to_all => return Some(Trouble::Tell(OPTION, at)),
            _ => return Some(Trouble::Silent),
        }
        at += 2 + usize::from(length);
    }
    (at > header.len()).then_some(Trouble::Silent)
}

/// Makes a packet of one header and a payload, for what does not go from header to header. In
/// `bytes` its first header lies at the start, and the payload, which has so many bytes, from `at`
/// on.
pub fn flatten<'a>(
    packet: Packet<'static>,
    bytes: &'a mut [u8],
    at: usize,
    length: usize,
) -> Packet<'a> {
    bytes.copy_within(at..at + length, HEADER6);
    let bytes = &mut bytes[..HEADER6 + length];
    // It is not longer than what came.
    bytes[4..6].copy_from_slice(&(length as u16).to_be_bytes());
    bytes[6] = packet.protocol.into();
    let bytes = &*bytes;
    Packet {
        bytes,
        payload: &bytes[HEADER6..],
        form: Form::Whole,
        ..packet
    }
}
