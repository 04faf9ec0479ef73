// SPDX-License-Identifier: BSD-2-Clause

//! The server: one test at a time.

use core::array::from_fn;
use core::cell::Cell;
use core::convert::Infallible;
use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;

use embassy_futures::join::join_array;
use embassy_futures::select::{Either4, select4};
use heapless::Vec;
use socket_client::{Errno, Instant, Net, TcpListener, TcpStream, Transport, UdpSocket};
use stats::{Throughput as Counter, Writer};

use crate::protocol::{
    COOKIE_LEN, IperfError, MAX_PARAMETERS, MAX_RESULTS, Parameters, State, parameters, results,
};
use crate::{Count, tcp, udp};

/// Parallel streams of a test.
pub const MAX_STREAMS: usize = 16;
/// Connections that may wait.
const BACKLOG: usize = 2 * MAX_STREAMS;
/// How long a client may take for each of its steps, and longer than its parameters say.
const PATIENCE: Duration = Duration::from_secs(10);
/// Seconds of the longest test.
const LONGEST: u32 = 24 * 60 * 60;
/// How long to wait before the port is tried again.
const RETRY: Duration = Duration::from_millis(100);
/// Bytes of the window into which datagrams are received at once.
const RECEIVE_LEN: usize = 48 * 1024;

type Cookie = [u8; COOKIE_LEN];
type Counts = [Cell<Count>; MAX_STREAMS];

/// Why a test has not come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A socket failed, or a step took too long (`ETIMEDOUT`).
    Socket(Errno),
    /// The client wants what this server does not do.
    Refused(IperfError),
    /// The client has ended it.
    Ended,
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Self {
        Failure::Socket(errno)
    }
}

/// A limit in bytes a second, from a moment on.
pub struct Pace {
    rate: u64,
    start: Instant,
}

impl Pace {
    fn new(bits: u64, start: Instant) -> Self {
        let rate = bits / 8;
        Pace { rate, start }
    }

    /// Waits until more than `sent` bytes may have been sent. Returns how many more, or no limit.
    pub(crate) async fn wait<T: Transport>(
        &self,
        net: &Net<T>,
        sent: u64,
        piece: u64,
    ) -> Result<usize, Errno> {
        if self.rate == 0 {
            return Ok(usize::MAX);
        }
        let nanoseconds = u128::from(sent) * 1_000_000_000 / u128::from(self.rate);
        let nanoseconds = u64::try_from(nanoseconds).unwrap_or(u64::MAX);
        let due = self.start + Duration::from_nanos(nanoseconds);
        if due > net.now() {
            net.sleep_until(due).await?;
        }
        let elapsed = (net.now() - self.start).as_nanos();
        let allowed = elapsed * u128::from(self.rate) / 1_000_000_000;
        let left = allowed.saturating_sub(u128::from(sent));
        Ok(left.clamp(1, u128::from(piece)) as usize)
    }
}

/// The server of one port, TCP and UDP.
pub struct Throughput<'n, T: Transport> {
    net: &'n Net<T>,
    port: u16,
    stats: Writer<Counter>,
}

impl<'n, T: Transport> Throughput<'n, T> {
    /// On this port.
    pub fn new(net: &'n Net<T>, port: u16, stats: Writer<Counter>) -> Self {
        Throughput { net, port, stats }
    }

    /// Serves one test after the other, for good. `report` hears why one has not come to its end,
    /// and why there is no port.
    pub async fn run(&self, mut report: impl FnMut(Failure)) -> Infallible {
        loop {
            let Err(errno) = self.listen(&mut report).await;
            report(errno.into());
            if self.net.sleep(RETRY).await.is_err() {
                embassy_futures::yield_now().await;
            }
        }
    }

    async fn listen(&self, report: &mut impl FnMut(Failure)) -> Result<Infallible, Errno> {
        let listener = TcpListener::bind(self.net, self.address(), BACKLOG)?;
        loop {
            let (control, peer) = listener.accept().await?;
            self.stats.inc(Counter::Tests);
            let test = Test {
                server: self,
                control,
                peer,
                counts: from_fn(|_| Cell::default()),
            };
            match test.run(&listener).await {
                Ok(()) => self.stats.inc(Counter::TestsDone),
                // The listener is gone as well.
                Err(Failure::Socket(Errno::ECONNRESET)) if listener_failed(&listener) => {
                    return Err(Errno::ECONNRESET);
                }
                Err(failure) => report(failure),
            }
        }
    }

    fn address(&self) -> SocketAddr {
        (Ipv4Addr::UNSPECIFIED, self.port).into()
    }
}

fn listener_failed<T: Transport>(listener: &TcpListener<'_, T>) -> bool {
    use socket_client::PollBits;
    listener
        .poll_bits()
        .intersects(PollBits::ERR | PollBits::NVAL)
}

struct Test<'s, 'n, T: Transport> {
    server: &'s Throughput<'n, T>,
    control: TcpStream<'n, T>,
    peer: SocketAddr,
    counts: Counts,
}

/// The streams of a test.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one at a time, and no heap"
)]
enum Streams<'n, T: Transport> {
    Tcp(Vec<TcpStream<'n, T>, MAX_STREAMS>),
    Udp(UdpSocket<'n, T>, udp::Peers),
}

impl<'n, T: Transport> Test<'_, 'n, T> {
    async fn run(&self, listener: &TcpListener<'n, T>) -> Result<(), Failure> {
        let cookie = self.in_time(self.cookie(&self.control)).await?;
        self.say(State::ParameterExchange).await?;
        let mut buf = [0; MAX_PARAMETERS];
        let length = self.in_time(self.message(&mut buf)).await?;
        let wanted = parameters(&buf[..length]);
        let wanted = wanted.and_then(|wanted| match wanted.udp && wanted.reverse {
            true if wanted.len as usize > udp::MAX_SENT => Err(IperfError::BlockSize),
            _ => Ok(wanted),
        });
        let wanted = match wanted {
            Ok(wanted) => wanted,
            Err(error) => return self.refuse(error).await,
        };
        let streams = self.streams(&wanted, &cookie, listener).await?;
        self.say(State::TestStart).await?;
        self.say(State::TestRunning).await?;
        let seconds = self.measure(&wanted, &streams, listener).await?;
        // Closed in order, a stream would go on sending what it has.
        if let Streams::Tcp(streams) = streams {
            streams.into_iter().for_each(TcpStream::abort);
        }
        self.in_time(self.exchange(wanted, seconds)).await
    }

    /// Lets a step take no longer than [`PATIENCE`].
    async fn in_time<R>(
        &self,
        step: impl Future<Output = Result<R, Failure>>,
    ) -> Result<R, Failure> {
        self.server.net.timeout(PATIENCE, step).await?
    }

    async fn say(&self, state: State) -> Result<(), Failure> {
        let byte = [state.byte()];
        let said = self.control.write_all(&byte);
        Ok(self.server.net.timeout(PATIENCE, said).await??)
    }

    async fn refuse(&self, error: IperfError) -> Result<(), Failure> {
        let mut message = [0; 9];
        message[0] = State::ServerError.byte();
        message[1..5].copy_from_slice(&(error as u32).to_be_bytes());
        self.control.write_all(&message).await?;
        Err(Failure::Refused(error))
    }

    async fn cookie(&self, stream: &TcpStream<'n, T>) -> Result<Cookie, Failure> {
        let mut cookie = [0; COOKIE_LEN];
        fill(stream, &mut cookie).await?;
        Ok(cookie)
    }

    /// Reads a message: a length and JSON. Returns its length.
    async fn message(&self, into: &mut [u8]) -> Result<usize, Failure> {
        let mut length = [0; 4];
        fill(&self.control, &mut length).await?;
        let length = u32::from_be_bytes(length) as usize;
        let into = into.get_mut(..length).ok_or(Errno::EMSGSIZE)?;
        fill(&self.control, into).await?;
        Ok(length)
    }

    /// Waits for the streams.
    async fn streams(
        &self,
        wanted: &Parameters,
        cookie: &Cookie,
        listener: &TcpListener<'n, T>,
    ) -> Result<Streams<'n, T>, Failure> {
        let count = wanted.parallel.max(1) as usize;
        if wanted.udp {
            let server = self.server;
            let socket = UdpSocket::bind(server.net, server.address(), RECEIVE_LEN)?;
            self.say(State::CreateStreams).await?;
            let greet = udp::greet(&socket, self.peer, count);
            let peers = server.net.timeout(PATIENCE, greet).await??;
            return Ok(Streams::Udp(socket, peers));
        }
        self.say(State::CreateStreams).await?;
        let accept = async {
            let mut streams = Vec::new();
            while streams.len() < count {
                let (stream, _) = listener.accept().await?;
                if self.cookie(&stream).await? == *cookie {
                    // There is room: no more than that.
                    let _ = streams.push(stream);
                } else {
                    self.deny(&stream);
                }
            }
            Ok(Streams::Tcp(streams))
        };
        self.in_time(accept).await
    }

    /// Tells another client that this one has its test.
    fn deny(&self, stream: &TcpStream<'n, T>) {
        self.server.stats.inc(Counter::Denied);
        let byte = [State::AccessDenied.byte()];
        // A new connection takes a byte; what it does then does not matter.
        let _ = self.server.net.client().send(stream.socket(), &byte);
    }

    /// Sends or receives until the client says that the test has ended. Returns its seconds.
    async fn measure(
        &self,
        wanted: &Parameters,
        streams: &Streams<'n, T>,
        listener: &TcpListener<'n, T>,
    ) -> Result<f32, Failure> {
        let net = self.server.net;
        let start = Cell::new(net.now());
        let pace = Pace::new(wanted.bandwidth, net.now());
        let limit = match wanted.time {
            0 => LONGEST,
            time => time.saturating_add(wanted.omit).min(LONGEST),
        };
        let end = start.get() + Duration::from_secs(limit.into()) + PATIENCE;
        let transfer = async {
            let _ = self.transfer(wanted, streams, &pace).await;
            // The client says when it is over.
            core::future::pending::<Infallible>().await
        };
        let omit = async {
            if wanted.omit > 0 {
                let omitted = Duration::from_secs(wanted.omit.into());
                net.sleep(omitted).await?;
                for count in &self.counts {
                    let mut new = count.get();
                    new.omit();
                    count.set(new);
                }
                start.set(net.now());
            }
            net.sleep_until(end).await
        };
        let deny = async {
            while let Ok((stream, _)) = listener.accept().await {
                self.deny(&stream);
            }
            core::future::pending::<Infallible>().await
        };
        let mut byte = [0];
        let said = fill(&self.control, &mut byte);
        match select4(said, omit, transfer, deny).await {
            Either4::First(said) => said?,
            Either4::Second(waited) => {
                waited?;
                return Err(Errno::ETIMEDOUT.into());
            }
        }
        if byte[0] != State::TestEnd.byte() {
            return Err(Failure::Ended);
        }
        Ok((net.now() - start.get()).as_secs_f32())
    }

    async fn transfer(
        &self,
        wanted: &Parameters,
        streams: &Streams<'n, T>,
        pace: &Pace,
    ) -> Result<(), Errno> {
        match streams {
            Streams::Tcp(streams) => {
                let each = from_fn::<_, MAX_STREAMS, _>(|index| async move {
                    let Some(stream) = streams.get(index) else {
                        return Ok(());
                    };
                    match wanted.reverse {
                        true => tcp::send(stream, &self.counts[index], pace).await,
                        false => tcp::receive(stream, &self.counts[index]).await,
                    }
                });
                join_array(each).await.into_iter().collect()
            }
            Streams::Udp(socket, peers) => match wanted.reverse {
                true => udp::send(socket, peers, &self.counts, wanted, pace).await,
                false => udp::receive(socket, peers, &self.counts, wanted).await,
            },
        }
    }

    async fn exchange(&self, wanted: Parameters, seconds: f32) -> Result<(), Failure> {
        self.say(State::ExchangeResults).await?;
        self.skip_message().await?;
        let counts: Vec<Count, MAX_STREAMS> = self.counts.iter().map(Cell::get).collect();
        let counts = &counts[..wanted.parallel.max(1) as usize];
        for count in counts {
            let bytes = match wanted.reverse {
                true => Counter::BytesOut,
                false => Counter::BytesIn,
            };
            self.server.stats.add(bytes, count.bytes);
            self.server.stats.add(Counter::DatagramsLost, count.lost);
        }
        let mut buf = [0; 4 + MAX_RESULTS];
        let (length, json) = buf.split_at_mut(4);
        let written = results(counts, seconds, json).map_err(Failure::Refused)?;
        length.copy_from_slice(&(written as u32).to_be_bytes());
        self.control.write_all(&buf[..4 + written]).await?;
        self.say(State::DisplayResults).await?;
        let mut byte = [0];
        fill(&self.control, &mut byte).await?;
        match byte[0] == State::Done.byte() {
            true => Ok(()),
            false => Err(Failure::Ended),
        }
    }

    /// Reads the client's results, which only it shows.
    async fn skip_message(&self) -> Result<(), Failure> {
        let mut buf = [0; 256];
        fill(&self.control, &mut buf[..4]).await?;
        let [a, b, c, d, ..] = buf;
        let mut left = u32::from_be_bytes([a, b, c, d]) as usize;
        while left > 0 {
            let part = left.min(buf.len());
            fill(&self.control, &mut buf[..part]).await?;
            left -= part;
        }
        Ok(())
    }
}

/// Reads until `buf` is full.
async fn fill<T: Transport>(stream: &TcpStream<'_, T>, buf: &mut [u8]) -> Result<(), Failure> {
    match stream.read_full(buf).await? == buf.len() {
        true => Ok(()),
        false => Err(Failure::Ended),
    }
}
