// SPDX-License-Identifier: BSD-2-Clause

//! Both ends in memory: who is let in, and bytes that somebody on the way has changed.
//!
//! The certificates (of December 2026, for ten years) are openssl's: `server.pem` is signed by
//! `authority.pem`, `pretender.pem` by the server, which is no authority.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use embassy_futures::join::join;
use embedded_io_async::{Read, Write};
use tls::{Authorities, Identity, TlsError, TlsStream};

const AUTHORITY: &[u8] = include_bytes!("certificates/authority.pem");
const OTHER: &[u8] = include_bytes!("certificates/other.pem");
const SERVER: &[u8] = include_bytes!("certificates/server.pem");
const SERVER_KEY: &[u8] = include_bytes!("certificates/server.key");
const PRETENDER: &[u8] = include_bytes!("certificates/pretender.pem");
const PRETENDER_KEY: &[u8] = include_bytes!("certificates/pretender.key");

/// In the middle of 2030.
const NOW: Option<Duration> = Some(Duration::from_secs(1_909_000_000));

/// One direction.
#[derive(Default)]
struct Way {
    bytes: VecDeque<u8>,
    ended: bool,
    /// Bytes until one is changed.
    change: Option<usize>,
}

/// One end of a stream in memory: what it reads and what it writes.
struct End<'w>(&'w RefCell<Way>, &'w RefCell<Way>);

impl embedded_io_async::ErrorType for End<'_> {
    type Error = Infallible;
}

impl Read for End<'_> {
    async fn read(&mut self, buf: &mut [u8]) -> Result<usize, Infallible> {
        poll_fn(|_| {
            let mut way = self.0.borrow_mut();
            if way.bytes.is_empty() && !way.ended {
                return Poll::Pending;
            }
            let count = buf.len().min(way.bytes.len());
            for (place, byte) in buf.iter_mut().zip(way.bytes.drain(..count)) {
                *place = byte;
            }
            Poll::Ready(Ok(count))
        })
        .await
    }
}

impl Write for End<'_> {
    async fn write(&mut self, data: &[u8]) -> Result<usize, Infallible> {
        let mut way = self.1.borrow_mut();
        // In pieces, so that records do not come as a whole.
        let data = &data[..data.len().min(700)];
        for &byte in data {
            let changed = way.change == Some(0);
            way.bytes.push_back(byte ^ u8::from(changed));
            way.change = way.change.and_then(|left| left.checked_sub(1));
        }
        Ok(data.len())
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.1.borrow_mut().ended = true;
    }
}

/// Polls until it is done, or nothing happens any more.
fn run<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    (0..10_000).find_map(|_| match future.as_mut().poll(&mut context) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    })
}

type Outcome = Result<(), TlsError<Infallible>>;

/// A client asks a server for something and has it back: outcomes of client and server.
fn exchange(
    authority: &[u8],
    identity: &Identity,
    name: &str,
    time: Option<Duration>,
    change: Option<(bool, usize)>,
) -> Option<(Outcome, Outcome)> {
    let ways = [RefCell::<Way>::default(), RefCell::default()];
    if let Some((to_server, at)) = change {
        ways[usize::from(to_server)].borrow_mut().change = Some(at);
    }
    let (here, there) = (End(&ways[0], &ways[1]), End(&ways[1], &ways[0]));
    let authorities = Authorities::new(authority).unwrap();
    let client = async move {
        let mut stream = TlsStream::connect(here, name, &authorities, time).await?;
        let question: Vec<u8> = (0..100_000u32).map(|n| n as u8).collect();
        let mut answer = vec![0; question.len()];
        for part in 0..2 {
            let range = part * 50_000..(part + 1) * 50_000;
            stream.write_all(&question[range.clone()]).await?;
            let mut at = range.start;
            while at < range.end {
                match stream.read(&mut answer[at..range.end]).await? {
                    0 => return Err(TlsError::CutOff),
                    count => at += count,
                }
            }
        }
        assert!(question == answer);
        stream.close().await?;
        assert_eq!(stream.read(&mut [0; 8]).await?, 0);
        Ok(())
    };
    let server = async move {
        let mut stream = TlsStream::accept(there, identity).await?;
        let mut buf = [0; 3000];
        loop {
            match stream.read(&mut buf).await? {
                0 => return stream.close().await,
                count => stream.write_all(&buf[..count]).await?,
            }
        }
    };
    run(join(client, server))
}

fn server() -> Identity {
    Identity::new(SERVER, SERVER_KEY).unwrap()
}

fn connects(
    authority: &[u8],
    identity: &Identity,
    name: &str,
    time: Option<Duration>,
) -> Result<(), String> {
    let (client, _) = exchange(authority, identity, name, time, None).expect("it has an end");
    client.map_err(|error| format!("{error:?}"))
}

#[test]
fn bytes_go_both_ways() {
    for name in ["server.test", "192.0.2.7"] {
        let outcome = exchange(AUTHORITY, &server(), name, NOW, None);
        assert_eq!(outcome, Some((Ok(()), Ok(()))));
    }
}

#[test]
fn who_is_not_let_in() {
    let pretender = Identity::new(PRETENDER, PRETENDER_KEY).unwrap();
    let at = |seconds| Some(Duration::from_secs(seconds));
    for (authority, identity, name, time, why) in [
        (OTHER, &server(), "server.test", NOW, "UnknownIssuer"),
        (AUTHORITY, &server(), "other.test", NOW, "NotValidForName"),
        (AUTHORITY, &server(), "192.0.2.8", NOW, "NotValidForName"),
        (
            AUTHORITY,
            &server(),
            "server.test",
            at(2_200_000_000),
            "Expired",
        ),
        (
            AUTHORITY,
            &server(),
            "server.test",
            at(1_700_000_000),
            "NotValidYet",
        ),
        (
            AUTHORITY,
            &server(),
            "server.test",
            None,
            "FailedToGetCurrentTime",
        ),
        (AUTHORITY, &server(), "not a name", NOW, "BadName"),
        (
            AUTHORITY,
            &pretender,
            "server.test",
            NOW,
            "CaUsedAsEndEntity|UnknownIssuer|EndEntityUsedAsCa|InvalidCertificate",
        ),
    ] {
        let error = connects(authority, identity, name, time).expect_err(why);
        assert!(
            why.split('|').any(|why| error.contains(why)),
            "{error} is not {why}"
        );
    }
}

/// Most end the connection. Some mean nothing, such as the version in a record's header; then the
/// client has what it has sent, which `exchange` checks.
#[test]
fn a_changed_byte_changes_nothing_that_is_read() {
    let identity = server();
    let mut noticed = 0;
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        // The handshake is in the first bytes; the rest are many.
        let at = match random.bool() {
            true => random.usize(0..1_500),
            false => random.usize(0..100_000),
        };
        let changed = Some((random.bool(), at));
        let outcome = exchange(AUTHORITY, &identity, "server.test", NOW, changed);
        noticed += u32::from(outcome != Some((Ok(()), Ok(()))));
    }
    assert!(noticed > 150, "{noticed}");
}

#[test]
fn what_is_no_certificate_is_refused() {
    assert!(Authorities::new(b"nonsense").is_err());
    assert!(Authorities::new(SERVER_KEY).is_err());
    assert!(Identity::new(SERVER, b"nonsense").is_err());
    let wrong = Identity::new(SERVER, PRETENDER_KEY).unwrap();
    assert!(connects(AUTHORITY, &wrong, "server.test", NOW).is_err());
}
