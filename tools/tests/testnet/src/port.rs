// SPDX-License-Identifier: BSD-2-Clause
//! What the switch's ends are plugged into.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tappers::Tap;

/// Bytes that wait at a port before frames are kept on the cable.
const FULL: usize = 256 * 1024;
/// Frames longer than this are no Ethernet frames: the peer is out of step.
const MAX_FRAME: usize = 65_550;
/// Frames that are read from a TAP before others have their turn.
const BATCH: usize = 64;
const LENGTH: usize = 4;

/// The far end of the cable.
pub enum Far {
    /// A guest: QEMU's `-netdev stream`.
    Guest(UnixStream),
    /// Another namespace's TAP.
    Tap(Tap),
}

/// Where QEMU connects to.
#[derive(Debug)]
pub struct Listener {
    listener: UnixListener,
    path: PathBuf,
}

impl Listener {
    /// Listens at a path that does not exist yet.
    ///
    /// # Errors
    /// As `bind(2)`.
    pub fn bind(path: PathBuf) -> Result<Self> {
        let listener = UnixListener::bind(&path)
            .with_context(|| format!("cannot listen at {}", path.display()))?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener, path })
    }

    /// For QEMU's command line.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for QEMU as long as it is alive.
    ///
    /// # Errors
    /// If it ended before it connected.
    pub fn accept(self, is_alive: impl Fn() -> bool) -> Result<Far> {
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => return Ok(Far::Guest(stream)),
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                Err(e) => return Err(e).context("cannot accept QEMU's connection"),
            }
            if !is_alive() {
                bail!("QEMU ended before it connected to its network");
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // It may be gone with its folder.
        let _ = fs::remove_file(&self.path);
    }
}

/// A port of the switch.
pub trait Port: Send {
    fn fd(&self) -> BorrowedFd<'_>;
    /// Reads what there is, up to a limit.
    fn read(&mut self, take: &mut dyn FnMut(&[u8])) -> io::Result<()>;
    /// Queues a frame; to be flushed.
    fn queue(&mut self, frame: Vec<u8>);
    fn flush(&mut self) -> io::Result<()>;
    /// Bytes that wait to be flushed.
    fn waiting(&self) -> usize;
    fn is_full(&self) -> bool {
        self.waiting() >= FULL
    }
}

pub fn far(end: Far) -> io::Result<Box<dyn Port>> {
    Ok(match end {
        Far::Guest(stream) => Box::new(StreamPort::new(stream)?),
        Far::Tap(tap) => Box::new(TapPort::new(tap)),
    })
}

pub struct TapPort {
    tap: Tap,
    out: VecDeque<Vec<u8>>,
    waiting: usize,
    buffer: Vec<u8>,
}

impl TapPort {
    pub fn new(tap: Tap) -> Self {
        Self {
            tap,
            out: VecDeque::new(),
            waiting: 0,
            buffer: vec![0; MAX_FRAME],
        }
    }
}

impl Port for TapPort {
    fn fd(&self) -> BorrowedFd<'_> {
        self.tap.as_fd()
    }

    fn read(&mut self, take: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        for _ in 0..BATCH {
            match self.tap.recv(&mut self.buffer) {
                Ok(n) => take(self.buffer.get(..n).unwrap_or_default()),
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    fn queue(&mut self, frame: Vec<u8>) {
        self.waiting += frame.len();
        self.out.push_back(frame);
    }

    fn flush(&mut self) -> io::Result<()> {
        while let Some(frame) = self.out.front() {
            match self.tap.send(frame) {
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                // A frame that Linux does not take (too short) is lost, as in a network card.
                Ok(_) | Err(_) => {
                    self.waiting -= frame.len();
                    self.out.pop_front();
                }
            }
        }
        Ok(())
    }

    fn waiting(&self) -> usize {
        self.waiting
    }
}

/// QEMU's framing: each frame behind its length, 4 bytes, highest first.
struct StreamPort {
    stream: UnixStream,
    input: Vec<u8>,
    output: VecDeque<u8>,
}

impl StreamPort {
    fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            input: Vec::new(),
            output: VecDeque::new(),
        })
    }

    /// Hands out all whole frames of the input.
    fn unpack(&mut self, take: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        let mut rest = &self.input[..];
        while let Some((length, behind)) = rest.split_first_chunk::<LENGTH>() {
            let length = u32::from_be_bytes(*length) as usize;
            if length > MAX_FRAME {
                return Err(io::Error::other("the far end is out of step"));
            }
            let Some((frame, behind)) = behind.split_at_checked(length) else {
                break;
            };
            take(frame);
            rest = behind;
        }
        let used = self.input.len() - rest.len();
        self.input.drain(..used);
        Ok(())
    }
}

impl Port for StreamPort {
    fn fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    fn read(&mut self, take: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        let old = self.input.len();
        self.input.resize(old + 2 * MAX_FRAME, 0);
        let result = self
            .stream
            .read(self.input.get_mut(old..).unwrap_or_default());
        self.input.truncate(old + *result.as_ref().unwrap_or(&0));
        match result {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(_) => self.unpack(take),
            Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(e) => Err(e),
        }
    }

    fn queue(&mut self, frame: Vec<u8>) {
        let length = u32::try_from(frame.len()).unwrap_or_default();
        self.output.extend(length.to_be_bytes());
        self.output.extend(frame);
    }

    fn flush(&mut self) -> io::Result<()> {
        while !self.output.is_empty() {
            let (piece, _) = self.output.as_slices();
            match self.stream.write(piece) {
                Ok(n) => drop(self.output.drain(..n)),
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    fn waiting(&self) -> usize {
        self.output.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_keep_their_limits_in_a_stream() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut port = StreamPort::new(ours).unwrap();
        theirs.write_all(&[0, 0, 0, 2, 1, 2, 0, 0, 0, 1]).unwrap();
        let mut frames = Vec::new();
        port.read(&mut |frame| frames.push(frame.to_vec())).unwrap();
        assert_eq!(frames, [vec![1, 2]]);
        theirs.write_all(&[3]).unwrap();
        port.read(&mut |frame| frames.push(frame.to_vec())).unwrap();
        assert_eq!(frames, [vec![1, 2], vec![3]]);
        port.queue(vec![9; 3]);
        port.flush().unwrap();
        let mut back = [0; 7];
        theirs.read_exact(&mut back).unwrap();
        assert_eq!(back, [0, 0, 0, 3, 9, 9, 9]);
    }

    #[test]
    fn a_length_that_cannot_be_ends_the_port() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut port = StreamPort::new(ours).unwrap();
        theirs.write_all(&[0xff; 8]).unwrap();
        assert!(port.read(&mut |_| {}).is_err());
    }

    #[test]
    fn a_port_that_nobody_reads_fills_and_keeps_everything() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut port = StreamPort::new(ours).unwrap();
        let mut frames = 0;
        while !port.is_full() {
            port.queue(vec![5; 1500]);
            port.flush().unwrap();
            frames += 1;
        }
        let mut received = 0;
        let mut piece = [0; 65536];
        while received < frames * 1504 {
            received += theirs.read(&mut piece).unwrap();
            port.flush().unwrap();
        }
        assert_eq!((received, port.waiting()), (frames * 1504, 0));
    }
}
