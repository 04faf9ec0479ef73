// SPDX-License-Identifier: BSD-2-Clause

//! Commands as clients send them: arrays of bulk strings, and lines of words ("inline commands").

use heapless::Vec;

/// Bytes of the longest command.
pub const REQUEST_LEN: usize = 8 * 1024;
/// Words of a command at most, its name included.
pub const MAX_ARGUMENTS: usize = 64;

/// The words of a command. None: there is nothing to do and nothing to reply.
pub type Command<'a> = Vec<&'a [u8], MAX_ARGUMENTS>;

/// What is sent is no command, and where the next one would begin is unknown: the reply is an
/// error, and the connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// A length is no number, or negative.
    Length,
    /// A string is announced by another byte than `$`, or does not end with CR LF.
    String,
    /// More than [`REQUEST_LEN`] bytes or [`MAX_ARGUMENTS`] words.
    TooLong,
}

impl ProtocolError {
    /// Returns the text of the reply.
    pub fn message(self) -> &'static str {
        match self {
            ProtocolError::Length => "ERR Protocol error: invalid length",
            ProtocolError::String => "ERR Protocol error: expected a bulk string",
            ProtocolError::TooLong => "ERR Protocol error: command too long",
        }
    }
}

/// Finds the first command. Returns it with the number of bytes that it takes, or `None` if more of
/// it has to come.
///
/// # Errors
/// See [`ProtocolError`].
pub fn parse(bytes: &[u8]) -> Result<Option<(Command<'_>, usize)>, ProtocolError> {
    let mut reader = Reader { bytes, at: 0 };
    let command = match bytes.first() {
        None => return Ok(None),
        Some(b'*') => reader.array()?,
        Some(_) => reader.words()?,
    };
    match command {
        Some(command) => Ok(Some((command, reader.at))),
        None if bytes.len() >= REQUEST_LEN => Err(ProtocolError::TooLong),
        None => Ok(None),
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Takes a line, without its end.
    fn line(&mut self) -> Option<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|byte| *byte == b'\n')?;
        self.at += length + 1;
        let line = &rest[..length];
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }

    fn words(&mut self) -> Result<Option<Command<'a>>, ProtocolError> {
        let Some(line) = self.line() else {
            return Ok(None);
        };
        let mut command = Command::new();
        let words = line.split(u8::is_ascii_whitespace);
        for word in words.filter(|word| !word.is_empty()) {
            command.push(word).map_err(|_| ProtocolError::TooLong)?;
        }
        Ok(Some(command))
    }

    fn array(&mut self) -> Result<Option<Command<'a>>, ProtocolError> {
        let mut command = Command::new();
        let Some(count) = self.length(b'*')? else {
            return Ok(None);
        };
        if count > MAX_ARGUMENTS {
            return Err(ProtocolError::TooLong);
        }
        for _ in 0..count {
            let Some(length) = self.length(b'$')? else {
                return Ok(None);
            };
            if self.at + length + 2 > REQUEST_LEN {
                return Err(ProtocolError::TooLong);
            }
            let Some(string) = self.bytes.get(self.at..self.at + length + 2) else {
                return Ok(None);
            };
            let string = string.strip_suffix(b"\r\n").ok_or(ProtocolError::String)?;
            command.push(string).map_err(|_| ProtocolError::TooLong)?;
            self.at += length + 2;
        }
        Ok(Some(command))
    }

    /// Takes a line with a kind and a length.
    fn length(&mut self, kind: u8) -> Result<Option<usize>, ProtocolError> {
        if self.bytes.get(self.at).is_some_and(|byte| *byte != kind) {
            return Err(ProtocolError::String);
        }
        let Some(line) = self.line() else {
            return Ok(None);
        };
        let digits = core::str::from_utf8(&line[1..]).unwrap_or_default();
        let length = digits.parse::<u32>().map_err(|_| ProtocolError::Length)?;
        Ok(Some(length as usize))
    }
}
