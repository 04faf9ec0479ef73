// SPDX-License-Identifier: BSD-2-Clause

//! States and messages.

use heapless::Vec;
use serde::{Deserialize, Serialize};

use crate::{Count, MAX_STREAMS};

/// Bytes of a cookie: 36 characters and a zero.
pub const COOKIE_LEN: usize = 37;
/// What a client says on each of its UDP ports, and the reply, as numbers in its own order of
/// bytes. The second pair is that of clients before 3.11.
pub const UDP_HELLOS: [(u32, u32); 2] = [(0x3637_3839, 0x3938_3736), (123_456_789, 987_654_321)];
/// Bytes of the longest parameters.
pub const MAX_PARAMETERS: usize = 2048;
/// Bytes of the longest results.
pub const MAX_RESULTS: usize = 256 + 256 * MAX_STREAMS;

/// A byte of the control connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
pub enum State {
    /// Server: the streams are there.
    TestStart = 1,
    /// Server: go.
    TestRunning = 2,
    /// Client: that was it.
    TestEnd = 4,
    /// Server: send your parameters.
    ParameterExchange = 9,
    /// Server: open the streams.
    CreateStreams = 10,
    /// Client: it gives up.
    ClientTerminate = 12,
    /// Server: send your results and take mine.
    ExchangeResults = 13,
    /// Server: show them.
    DisplayResults = 14,
    /// Client: all is done.
    Done = 16,
    /// Server: another test is running.
    AccessDenied = -1,
    /// Server: two numbers follow that say what is wrong.
    ServerError = -2,
}

impl State {
    /// Its byte.
    pub fn byte(self) -> u8 {
        self as i8 as u8
    }
}

/// Numbers of iperf3's errors, which its client has texts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum IperfError {
    /// "number of parallel streams too large"
    Streams = 6,
    /// "block size too large"
    BlockSize = 7,
    /// "an option you are trying to set is not implemented yet"
    NotImplemented = 13,
}

/// What a client wants. What is not here has no meaning for a server, or changes nothing for this
/// one (sizes of buffers, congestion control).
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct Parameters {
    /// Datagrams rather than TCP.
    pub udp: bool,
    /// Seconds at the beginning that do not count.
    pub omit: u32,
    /// Seconds after that; 0 if the client ends the test by another rule.
    pub time: u32,
    /// Streams; 0 is 1.
    pub parallel: u32,
    /// The server sends.
    pub reverse: bool,
    /// Both send, which this server does not do.
    pub bidirectional: bool,
    /// Bytes of a datagram.
    pub len: u32,
    /// Bits a second and stream; 0 is without limit.
    pub bandwidth: u64,
    /// Numbers of datagrams have 64 bits.
    pub udp_counters_64bit: u32,
}

/// Reads parameters.
///
/// # Errors
/// What cannot be done.
pub fn parameters(json: &[u8]) -> Result<Parameters, IperfError> {
    let parsed = serde_json_core::from_slice::<Parameters>(json);
    let (parameters, _) = parsed.map_err(|_| IperfError::NotImplemented)?;
    if parameters.bidirectional {
        return Err(IperfError::NotImplemented);
    }
    if parameters.parallel as usize > MAX_STREAMS {
        return Err(IperfError::Streams);
    }
    Ok(parameters)
}

#[derive(Serialize)]
struct Results {
    // A PD cannot know it.
    cpu_util_total: f32,
    cpu_util_user: f32,
    cpu_util_system: f32,
    sender_has_retransmits: i8,
    streams: Vec<StreamResults, MAX_STREAMS>,
}

#[derive(Serialize)]
struct StreamResults {
    id: u32,
    bytes: u64,
    retransmits: i8,
    jitter: f32,
    errors: u64,
    packets: u64,
    start_time: f32,
    end_time: f32,
}

/// Writes the results of all streams over so many seconds. Returns the number of bytes.
///
/// # Errors
/// If `into` is too short; [`MAX_RESULTS`] suffices.
pub fn results(counts: &[Count], seconds: f32, into: &mut [u8]) -> Result<usize, IperfError> {
    let stream = |(index, count): (usize, &Count)| StreamResults {
        // iperf3 numbers its streams 1, 3, 4, 5 and so on.
        id: if index == 0 { 1 } else { index as u32 + 2 },
        bytes: count.bytes,
        retransmits: -1,
        jitter: count.jitter,
        errors: count.lost,
        packets: count.packets,
        start_time: 0.0,
        end_time: seconds,
    };
    let results = Results {
        cpu_util_total: 0.0,
        cpu_util_user: 0.0,
        cpu_util_system: 0.0,
        sender_has_retransmits: 0,
        streams: counts.iter().enumerate().map(stream).collect(),
    };
    serde_json_core::to_slice(&results, into).map_err(|_| IperfError::BlockSize)
}

/// Returns the reply to what a client says on a UDP port, if it is a hello.
pub fn udp_welcome(hello: [u8; 4]) -> Option<[u8; 4]> {
    UDP_HELLOS.iter().find_map(|(ask, reply)| match hello {
        hello if hello == ask.to_le_bytes() => Some(reply.to_le_bytes()),
        hello if hello == ask.to_be_bytes() => Some(reply.to_be_bytes()),
        _ => None,
    })
}

/// What a datagram begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// When it was sent, in nanoseconds of the sender's clock.
    pub sent: u64,
    /// Its number among those of its stream, from 1 on.
    pub number: u64,
}

impl Header {
    /// Bytes that are sent, with a number of 64 bits or without.
    pub const LEN: usize = 16;

    /// Reads it. `None` if it is too short.
    pub fn parse(bytes: &[u8], wide: bool) -> Option<Self> {
        let word = |at: usize| {
            let bytes = bytes.get(at..at + 4)?.try_into().ok()?;
            Some(u64::from(u32::from_be_bytes(bytes)))
        };
        let number = match wide {
            true => word(8)? << 32 | word(12)?,
            false => word(8)?,
        };
        let sent = word(0)? * 1_000_000_000 + word(4)? * 1000;
        Some(Header { sent, number })
    }

    /// Writes it.
    pub fn encode(self, wide: bool) -> [u8; Self::LEN] {
        let seconds = (self.sent / 1_000_000_000) as u32;
        let microseconds = (self.sent / 1000 % 1_000_000) as u32;
        let mut bytes = [0; Self::LEN];
        bytes[..4].copy_from_slice(&seconds.to_be_bytes());
        bytes[4..8].copy_from_slice(&microseconds.to_be_bytes());
        match wide {
            true => bytes[8..].copy_from_slice(&self.number.to_be_bytes()),
            false => bytes[8..12].copy_from_slice(&(self.number as u32).to_be_bytes()),
        }
        bytes
    }
}
