// SPDX-License-Identifier: BSD-2-Clause

//! The grammar of request heads (RFC 9112 sections 2.2, 3 and 5), byte by byte, in front of
//! picoserve.
//!
//! picoserve is lenient: it splits the request line at any white space, trims field names, removes
//! NULs, and takes a line of white space for the end of the head. Where it finds another head than
//! an intermediary has found, a body is answered as a request (request smuggling). So what it gets
//! is checked before, and at the first byte that no head may have it gets a line that it refuses
//! with 400.

/// What a line without a colon is to picoserve: the reason for a 400.
const NO_FIELD: &[u8] = b"!\n";
/// The same within a line.
const END_AND_NO_FIELD: &[u8] = b"\n!\n";

const CONTENT_LENGTH: &[u8] = b"content-length";
/// The most digits of a `Content-Length`: below 1 GB, and far from where arithmetic would overflow.
pub(crate) const MAX_LENGTH_DIGITS: usize = 9;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In the request line's word 0, 1 or 2, of which there are bytes already or not.
    Word(u8, bool),
    /// At the start of a field line.
    LineStart,
    Name,
    Value,
    /// Behind the CR of a line.
    LineEnd,
    /// Behind the CR of the empty line.
    HeadEnd,
    /// So many bytes of body are to come.
    Body(usize),
    /// What picoserve is still to get of the line that it refuses.
    Refused(&'static [u8]),
}

/// Looks at what a client sends. One for each connection.
#[derive(Debug)]
pub(crate) struct Screen {
    state: State,
    /// Bytes of the present field's name, if it is the beginning of `Content-Length`.
    matching: Option<usize>,
    /// Digits of its value.
    digits: usize,
    /// The length of the body, as far as it is known.
    length: usize,
}

impl Screen {
    /// In front of the first request.
    pub const fn new() -> Self {
        Screen {
            state: State::Word(0, false),
            matching: None,
            digits: 0,
            length: 0,
        }
    }

    /// Looks at the `count` bytes that have arrived at the front of `buf`, and returns how many
    /// bytes of it picoserve is to get. After a malformed head it gets no more than what makes
    /// it refuse, and then none.
    pub fn pass(&mut self, buf: &mut [u8], count: usize) -> usize {
        let mut at = 0;
        while at < count {
            match self.state {
                State::Body(left) => {
                    let here = left.min(count - at);
                    at += here;
                    self.state = match left - here {
                        0 => State::Word(0, false),
                        left => State::Body(left),
                    };
                }
                State::Refused(_) => break,
                _ => match self.next(buf[at]) {
                    Some(state) => {
                        self.state = state;
                        at += 1 + self.run(&buf[at + 1..count]);
                    }
                    None => self.state = State::Refused(self.refusal()),
                },
            }
        }
        at + self.rest(buf.get_mut(at..).unwrap_or_default())
    }

    /// Whether nothing that arrives matters any more.
    pub fn has_refused(&self) -> bool {
        matches!(self.state, State::Refused(_))
    }

    /// Copies what is left of the refused line.
    fn rest(&mut self, into: &mut [u8]) -> usize {
        let State::Refused(line) = self.state else {
            return 0;
        };
        let (here, later) = line.split_at(line.len().min(into.len()));
        into[..here.len()].copy_from_slice(here);
        self.state = State::Refused(later);
        here.len()
    }

    /// How many of these bytes change nothing, so that [`Self::next`] need not look at each of
    /// them.
    fn run(&self, bytes: &[u8]) -> usize {
        let mut rest = bytes.iter();
        let end = match (self.state, self.matching) {
            (State::Word(0, true), _) | (State::Name, None) => {
                rest.position(|&byte| !is_token(byte))
            }
            (State::Word(1.., true), _) => rest.position(|byte| !byte.is_ascii_graphic()),
            (State::Value, None) => rest.position(|&byte| !is_in_value(byte)),
            _ => Some(0),
        };
        end.unwrap_or(bytes.len())
    }

    fn refusal(&self) -> &'static [u8] {
        match self.state {
            // Here a line feed would be the end of the head.
            State::Word(0, false) | State::LineStart | State::HeadEnd => NO_FIELD,
            _ => END_AND_NO_FIELD,
        }
    }

    /// The state behind a byte of a head; `None` if it cannot stand there.
    fn next(&mut self, byte: u8) -> Option<State> {
        Some(match (self.state, byte) {
            (State::Word(0, _), _) if is_token(byte) => State::Word(0, true),
            (State::Word(word @ 1.., _), 0x21..=0x7e) => State::Word(word, true),
            (State::Word(word @ ..2, true), b' ') => State::Word(word + 1, false),
            (State::Word(2, true), b'\r') => State::LineEnd,
            (State::Word(2, true) | State::LineEnd, b'\n') => State::LineStart,
            (State::LineStart, b'\r') => State::HeadEnd,
            (State::LineStart | State::HeadEnd, b'\n') => self.body(),
            (State::LineStart, _) if is_token(byte) => {
                self.matching = Some(0);
                self.name(byte)
            }
            (State::Name, _) if is_token(byte) => self.name(byte),
            (State::Name, b':') => {
                if self.matching == Some(CONTENT_LENGTH.len()) {
                    (self.digits, self.length) = (0, 0);
                } else {
                    self.matching = None;
                }
                State::Value
            }
            (State::Value, b'\r') => State::LineEnd,
            (State::Value, b'\n') => State::LineStart,
            (State::Value, _) if is_in_value(byte) => {
                self.value(byte);
                State::Value
            }
            _ => return None,
        })
    }

    fn name(&mut self, byte: u8) -> State {
        self.matching = self.matching.filter(|&at| {
            let wanted = CONTENT_LENGTH.get(at);
            wanted.is_some_and(|wanted| wanted.eq_ignore_ascii_case(&byte))
        });
        self.matching = self.matching.map(|at| at + 1);
        State::Name
    }

    /// What is no number is refused by the gate, so that it does not matter here.
    fn value(&mut self, byte: u8) {
        if self.matching.is_some() && byte.is_ascii_digit() && self.digits < MAX_LENGTH_DIGITS {
            self.digits += 1;
            self.length = self.length * 10 + usize::from(byte - b'0');
        }
    }

    fn body(&mut self) -> State {
        match core::mem::take(&mut self.length) {
            0 => State::Word(0, false),
            length => State::Body(length),
        }
    }
}

/// RFC 9110 section 5.5: visible characters, white space, and bytes above ASCII.
fn is_in_value(b: u8) -> bool {
    b >= b' ' && b != 0x7f || b == b'\t'
}

/// Whether a byte is a `tchar` (RFC 9110 section 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What picoserve gets of `sent`, which arrives in pieces of `at_once` bytes into a buffer of
    /// `room` bytes.
    fn passed(sent: &[u8], at_once: usize, room: usize) -> (Vec<u8>, Screen) {
        let mut screen = Screen::new();
        let mut got = Vec::new();
        for piece in sent.chunks(at_once.min(room)) {
            let mut buf = vec![0; room];
            buf[..piece.len()].copy_from_slice(piece);
            let count = screen.pass(&mut buf, piece.len());
            got.extend(&buf[..count]);
        }
        loop {
            let mut buf = vec![0; room];
            match screen.pass(&mut buf, 0) {
                0 => break,
                count => got.extend(&buf[..count]),
            }
        }
        (got, screen)
    }

    #[test]
    fn well_formed_requests_pass_as_they_are() {
        let requests = b"GET / HTTP/1.1\r\nHost: x\r\nA:\r\nB: \xe4 \t c \r\n\r\n\
            POST /a?b HTTP/1.0\nContent-LENGTH:\t12 \r\n\r\n \0\r\n\r\n : \r\n\xff\
            HEAD /bytes/1 HTTP/1.1\r\nContent-Length: 0\r\nContent-Lengths: 7\r\nContent: 7\r\n\r\n\
            NO-SUCH+METHOD ftp://x whatever\r\n\r\n";
        for at_once in [1, 2, 3, 7, 1000] {
            let (got, screen) = passed(requests, at_once, 1000);
            assert_eq!(got, requests, "{at_once} at once");
            assert_eq!(screen.state, State::Word(0, false));
        }
    }

    #[test]
    fn malformed_lines_end_in_one_that_is_refused() {
        for (sent, expected) in [
            // A line that continues the one before it, and white space in front of the first.
            (
                &b"GET / HTTP/1.1\r\nA: b\r\n c: d\r\n"[..],
                &b"GET / HTTP/1.1\r\nA: b\r\n!\n"[..],
            ),
            (b"GET / HTTP/1.1\r\n\tA: b\r\n", b"GET / HTTP/1.1\r\n!\n"),
            (b"GET / HTTP/1.1\r\n \r\n", b"GET / HTTP/1.1\r\n!\n"),
            (b"GET / HTTP/1.1\r\nA : b\r\n", b"GET / HTTP/1.1\r\nA\n!\n"),
            (b"GET / HTTP/1.1\r\nA\0: b\r\n", b"GET / HTTP/1.1\r\nA\n!\n"),
            (b"GET / HTTP/1.1\r\n: b\r\n", b"GET / HTTP/1.1\r\n!\n"),
            (b"GET / HTTP/1.1\r\nA\r\n", b"GET / HTTP/1.1\r\nA\n!\n"),
            (
                b"GET / HTTP/1.1\r\nA: \0\r\n",
                b"GET / HTTP/1.1\r\nA: \n!\n",
            ),
            (
                b"GET / HTTP/1.1\r\nA: \x7f\r\n",
                b"GET / HTTP/1.1\r\nA: \n!\n",
            ),
            (
                b"GET / HTTP/1.1\r\nA: b\rc\r\n",
                b"GET / HTTP/1.1\r\nA: b\r\n!\n",
            ),
            (b"GET / HTTP/1.1\r\n\rA: b\r\n", b"GET / HTTP/1.1\r\n\r!\n"),
            (b"GET  / HTTP/1.1\r\n", b"GET \n!\n"),
            (b"GET\t/ HTTP/1.1\r\n", b"GET\n!\n"),
            (b" GET / HTTP/1.1\r\n", b"!\n"),
            (b"\r\nGET / HTTP/1.1\r\n", b"!\n"),
            (b"GET / HTTP/1.1 \r\n", b"GET / HTTP/1.1\n!\n"),
            (b"GET /\r\n", b"GET /\n!\n"),
            (b"GET /\xe4 HTTP/1.1\r\n", b"GET /\n!\n"),
            (b"G(T / HTTP/1.1\r\n", b"G\n!\n"),
        ] {
            for (at_once, room) in [(1, 1), (1, 100), (5, 7), (100, 100)] {
                let (got, screen) = passed(sent, at_once, room);
                let name = String::from_utf8_lossy(sent);
                assert_eq!(got, expected, "{name:?}, {at_once} at once, room {room}");
                assert!(screen.has_refused());
            }
        }
    }

    proptest! {
        /// What passes of anything is a beginning of it, and then a line without a colon.
        #[test]
        fn nothing_malformed_passes(
            sent in prop::collection::vec(prop::sample::select(b"GT /:\r\n\t\0A1\x7f\xff".as_slice()), 0..80),
            at_once in 1usize..80,
        ) {
            let (got, screen) = passed(&sent, at_once, 80);
            prop_assert_eq!(&got, &passed(&sent, 1, 80).0);
            if screen.has_refused() {
                let line = got.strip_suffix(NO_FIELD).unwrap();
                let line = line.strip_suffix(b"\n").filter(|line| !sent.starts_with(&got[..line.len() + 1])).unwrap_or(line);
                prop_assert!(sent.starts_with(line));
            } else {
                prop_assert_eq!(got, sent);
            }
        }
    }
}
