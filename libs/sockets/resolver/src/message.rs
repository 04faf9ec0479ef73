// SPDX-License-Identifier: BSD-2-Clause

//! Questions as messages, and what messages say about a question.

use domain::base::iana::{Class, Opcode, Rcode};
use domain::base::message_builder::PushError;
use domain::base::name::{FromStrError, ParsedName};
use domain::base::{Message, MessageBuilder, Name, ParsedRecord, Rtype, StreamTarget, Ttl};
use domain::dep::octseq::Array;
use domain::rdata::{A, Aaaa, Cname, Ptr, Soa};
use socket_client::Errno;

use crate::answer::Question;
use crate::{Answer, HostName, Kind, ResolveError};

/// The most aliases that are followed for one name.
pub const MAX_ALIASES: usize = 8;
/// Bytes of the longest answer that is taken, by TCP.
pub const MAX_ANSWER: usize = 4096;
/// Bytes of the longest answer by UDP (RFC 1035 section 2.3.4).
pub(crate) const MAX_DATAGRAM: usize = 512;

/// Bytes of a name in a message.
const NAME: usize = 255;
/// Bytes of the longest query: what stands before it in a stream, the header, the question.
const QUERY: usize = 2 + 12 + NAME + 4;

/// A name as records of `bytes` have it.
type InMessage<'a> = ParsedName<&'a [u8]>;

/// A query, with its length before it for a stream.
pub(crate) type Query = StreamTarget<Array<QUERY>>;

/// Returns a query.
///
/// # Errors
/// `EPROTO`, which does not occur: every [`HostName`] fits.
pub(crate) fn query(id: u16, question: &Question) -> Result<Query, Errno> {
    let name = |_: FromStrError| Errno::EPROTO;
    let name = Name::<Array<NAME>>::from_chars(question.name.chars()).map_err(name)?;
    let target = StreamTarget::new(Array::new()).map_err(|_| Errno::EPROTO)?;
    let mut message = MessageBuilder::from_target(target).map_err(|_| Errno::EPROTO)?;
    message.header_mut().set_id(id);
    message.header_mut().set_rd(true);
    let mut message = message.question();
    let pushed = message.push((&name, rtype(question.kind), Class::IN));
    pushed.map_err(|_: PushError| Errno::EPROTO)?;
    Ok(message.finish())
}

fn rtype(kind: Kind) -> Rtype {
    match kind {
        Kind::A => Rtype::A,
        Kind::Aaaa => Rtype::AAAA,
        Kind::Ptr => Rtype::PTR,
    }
}

/// What a message says about a question.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// An answer, or that there is none, and for how many seconds that holds.
    Outcome(Result<Answer, ResolveError>, u32),
    /// The name is an alias of another one, which is to be asked for, after so many aliases and for
    /// so many seconds.
    Alias(HostName, usize, u32),
    /// There is more than fits into a datagram.
    Truncated,
    /// Another server may know better: the response code, or 0.
    Failed(u8),
}

/// Returns what a message says about a question that had this id, or `None` if it is not meant for
/// it (RFC 5452 section 9.1).
pub(crate) fn read(bytes: &[u8], id: u16, question: &Question) -> Option<Reading> {
    let message = Message::from_octets(bytes).ok()?;
    let header = message.header();
    let asked = message.sole_question().ok()?;
    let is_ours = header.id() == id
        && header.qr()
        && header.opcode() == Opcode::QUERY
        && asked.qclass() == Class::IN
        && asked.qtype() == rtype(question.kind)
        && HostName::read(asked.qname()).is_some_and(|name| name == question.name);
    if !is_ours {
        return None;
    }
    let rcode = header.rcode();
    if rcode != Rcode::NOERROR && rcode != Rcode::NXDOMAIN {
        return Some(Reading::Failed(rcode.to_int()));
    }
    if header.tc() {
        return Some(Reading::Truncated);
    }
    Some(follow(&message, question).unwrap_or(Reading::Failed(0)))
}

/// Follows the aliases in a message to what was asked for. `None` if it is malformed.
fn follow(message: &Message<&[u8]>, question: &Question) -> Option<Reading> {
    let mut name = question.name.clone();
    let mut ttl = u32::MAX;
    for aliases in 0..MAX_ALIASES {
        let found = records(message, &name, question.kind)?;
        if let Some(answer) = found.answer {
            return Some(Reading::Outcome(Ok(answer), ttl.min(found.ttl)));
        }
        let Some(alias) = found.alias else {
            return nothing(message, name, aliases, ttl);
        };
        ttl = ttl.min(found.ttl);
        name = alias;
    }
    Some(Reading::Outcome(Err(ResolveError::TooManyAliases), 0))
}

/// What the records of a name say.
struct Found {
    answer: Option<Answer>,
    alias: Option<HostName>,
    /// The least of the seconds for which they hold.
    ttl: u32,
}

fn records(message: &Message<&[u8]>, name: &HostName, kind: Kind) -> Option<Found> {
    let mut found = Found {
        answer: None,
        alias: None,
        ttl: u32::MAX,
    };
    for record in message.answer().ok()? {
        let record = record.ok()?;
        let is_own = HostName::read(&record.owner()).is_some_and(|owner| owner == *name);
        if record.class() != Class::IN || !is_own {
            continue;
        }
        let address = match kind {
            Kind::A => data::<A>(&record)?.map(|data| data.addr().into()),
            Kind::Aaaa => data::<Aaaa>(&record)?.map(|data| data.addr().into()),
            Kind::Ptr => None,
        };
        if let Some(address) = address {
            let answer = || Answer::new(name.clone(), []);
            found.answer.get_or_insert_with(answer).extend([address]);
        } else if let Some(alias) = data::<Cname<InMessage<'_>>>(&record)? {
            found.alias = Some(HostName::read(alias.cname())?);
        } else if kind == Kind::Ptr
            && found.answer.is_none()
            && let Some(pointer) = data::<Ptr<InMessage<'_>>>(&record)?
        {
            found.answer = Some(Answer::new(HostName::read(pointer.ptrdname())?, []));
        } else {
            continue;
        }
        found.ttl = found.ttl.min(seconds(record.ttl()));
    }
    Some(found)
}

/// Returns the data of a record if it is of this type. `None` if the data is malformed.
fn data<'a, D>(record: &ParsedRecord<'a, &'a [u8]>) -> Option<Option<D>>
where
    D: domain::base::rdata::ParseRecordData<'a, &'a [u8]>,
{
    let record = record.to_record::<D>().ok()?;
    Some(record.map(|record| record.into_data()))
}

/// What it means that a message has no records for a name, which is the end of so many aliases.
fn nothing(message: &Message<&[u8]>, name: HostName, aliases: usize, ttl: u32) -> Option<Reading> {
    let header = message.header();
    // Where a name server says for how long there is nothing (RFC 2308 section 5).
    let mut authority = None;
    for record in message.authority().ok()? {
        let record = record.ok()?;
        if let Some(soa) = data::<Soa<InMessage<'_>>>(&record)? {
            authority = Some(seconds(record.ttl()).min(seconds(soa.minimum())));
        }
    }
    // The response code is about the last name of a chain (RFC 6604 section 3).
    let error = match header.rcode() {
        Rcode::NXDOMAIN => ResolveError::NotFound,
        _ if authority.is_none() && aliases > 0 => {
            return Some(Reading::Alias(name, aliases, ttl));
        }
        // A server that knows nothing, and asks nobody.
        _ if authority.is_none() && !header.aa() && !header.ra() => return None,
        _ => ResolveError::NoData,
    };
    let ttl = authority.map_or(0, |authority| authority.min(ttl));
    Some(Reading::Outcome(Err(error), ttl))
}

/// A time with its first bit set is 0 (RFC 2181 section 8).
fn seconds(ttl: Ttl) -> u32 {
    i32::try_from(ttl.as_secs()).map_or(0, |seconds| seconds.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn question(kind: Kind) -> Question {
        let name = HostName::new("www.example.org").unwrap();
        Question { name, kind }
    }

    /// An answer with an alias, three addresses and what stands in the authority section.
    fn sample() -> Vec<u8> {
        let mut bytes = query(7, &question(Kind::A))
            .unwrap()
            .as_dgram_slice()
            .to_vec();
        bytes[2..4].copy_from_slice(&[0x81, 0x80]);
        bytes[7] = 4;
        bytes[9] = 1;
        let record = |bytes: &mut Vec<u8>, rtype: u8, data: &[u8]| {
            // To the name at 12, which is the question's.
            bytes.extend([0xc0, 12, 0, rtype, 0, 1, 0, 0, 1, 0, 0, data.len() as u8]);
            bytes.extend(data);
        };
        record(&mut bytes, 5, &[0xc0, 12]);
        for last in 0..3 {
            record(&mut bytes, 1, &[192, 0, 2, last]);
        }
        let mut soa = vec![0xc0, 12, 0xc0, 12];
        soa.extend([0; 20]);
        record(&mut bytes, 6, &soa);
        bytes
    }

    #[test]
    fn a_query_is_as_rfc_1035_has_it() {
        let query = query(0x1234, &question(Kind::Aaaa)).unwrap();
        let expected = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03www\x07example\x03org\0\0\x1c\0\x01";
        assert_eq!(query.as_dgram_slice(), expected);
        assert_eq!(query.as_stream_slice()[..2], [0, 33]);
        let longest = [
            "x".repeat(63),
            "x".repeat(63),
            "x".repeat(63),
            "x".repeat(61),
        ]
        .join(".");
        let name = HostName::new(&longest).unwrap();
        let kind = Kind::Ptr;
        assert!(super::query(0, &Question { name, kind }).is_ok());
    }

    #[test]
    fn addresses_count_more_than_an_alias_of_the_same_name() {
        let Some(Reading::Outcome(Ok(answer), 256)) = read(&sample(), 7, &question(Kind::A)) else {
            panic!("an answer");
        };
        assert_eq!(answer.addresses().len(), 3);
        assert_eq!(read(&sample(), 8, &question(Kind::A)), None);
        assert_eq!(read(&sample(), 7, &question(Kind::Aaaa)), None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..600),
            // Many of them pointers.
            changes in proptest::collection::vec(
                (any::<usize>(), prop_oneof![any::<u8>(), Just(0xc0), Just(12)]),
                0..20,
            ),
            length in 33usize..800,
            kind in prop_oneof![Just(Kind::A), Just(Kind::Aaaa), Just(Kind::Ptr)],
        ) {
            read(&bytes, 7, &question(kind));
            // Changed behind the question, as nothing is read if that is not the one.
            let mut message = sample();
            message[30] = rtype(kind).to_int() as u8;
            message.extend(&bytes);
            let behind = message.len() - 33;
            for (at, value) in changes {
                message[33 + at % behind] = value;
            }
            message.truncate(length);
            let reading = read(&message, 7, &question(kind));
            prop_assert!(reading.is_some());
            if let Some(Reading::Outcome(Ok(answer), _)) = reading {
                prop_assert!(answer.addresses().len() <= crate::MAX_ADDRESSES);
            }
        }
    }
}
