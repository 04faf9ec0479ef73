// SPDX-License-Identifier: BSD-2-Clause

//! What commands do.

use core::cell::RefCell;
use core::fmt::Write;
use core::time::Duration;

use heapless::String;
use socket_client::Instant;
use stats::{KeyValue, Writer};

use crate::reply::{Full, REPLY_LEN, Reply};
use crate::store::{OutOfMemory, Store};

/// Room that there is for the reply to a command which changes something: it never has to be done
/// twice. `OK`, a number or an error is shorter.
const SHORT: usize = 128;

/// The commands that there are, to tell a wrong number of words from a wrong name.
const NAMES: &[&[u8]] = &[
    b"CLIENT",
    b"COMMAND",
    b"CONFIG",
    b"DBSIZE",
    b"DECR",
    b"DECRBY",
    b"DEL",
    b"ECHO",
    b"EXISTS",
    b"EXPIRE",
    b"FLUSHALL",
    b"FLUSHDB",
    b"GET",
    b"INCR",
    b"INCRBY",
    b"INFO",
    b"KEYS",
    b"MGET",
    b"MSET",
    b"PERSIST",
    b"PEXPIRE",
    b"PING",
    b"PTTL",
    b"QUIT",
    b"SELECT",
    b"SET",
    b"STRLEN",
    b"TTL",
];
const LONGEST_NAME: usize = 16;

const SYNTAX: &str = "ERR syntax error";
const NOT_A_NUMBER: &str = "ERR value is not an integer or out of range";
const BAD_TIME: &str = "ERR invalid expire time";
const OVERFLOW: &str = "ERR increment or decrement would overflow";
const ARGUMENTS: &str = "ERR wrong number of arguments";
const UNKNOWN: &str = "ERR unknown command";
const NO_MEMORY: &str = "OOM command not allowed when used memory > 'maxmemory'.";
const TOO_LONG: &str = "ERR reply too long";

/// Why a command is not done.
enum Refusal {
    /// For these words it is an error.
    Error(&'static str),
    /// The reply does not fit.
    Full,
}

impl From<Full> for Refusal {
    fn from(_: Full) -> Self {
        Refusal::Full
    }
}

impl From<OutOfMemory> for Refusal {
    fn from(_: OutOfMemory) -> Self {
        Refusal::Error(NO_MEMORY)
    }
}

/// The store with its counters: what all connections share.
pub struct Service {
    pub(crate) store: RefCell<Store>,
    pub(crate) stats: Writer<KeyValue>,
}

impl Service {
    /// Serves this store.
    pub fn new(store: Store, stats: Writer<KeyValue>) -> Self {
        Service {
            store: RefCell::new(store),
            stats,
        }
    }

    /// Returns the counters.
    pub fn stats(&self) -> Writer<KeyValue> {
        self.stats
    }

    /// Does a command and adds its reply.
    ///
    /// # Errors
    /// [`Full`] if the reply does not fit beside those that wait: then nothing has been done. If it
    /// does not fit alone either, it is an error.
    pub fn answer(&self, words: &[&[u8]], now: Instant, reply: &mut Reply) -> Result<(), Full> {
        let Some((name, words)) = words.split_first() else {
            return Ok(());
        };
        if reply.room() < SHORT {
            return Err(Full);
        }
        let mark = reply.0.len();
        let error = match self.command(name, words, now, reply) {
            Ok(()) => None,
            Err(Refusal::Full) if mark > 0 => {
                reply.0.truncate(mark);
                return Err(Full);
            }
            Err(Refusal::Full) => Some(TOO_LONG),
            Err(Refusal::Error(text)) => Some(text),
        };
        self.stats.inc(KeyValue::Commands);
        if let Some(text) = error {
            self.stats.inc(match text {
                NO_MEMORY => KeyValue::OutOfMemory,
                _ => KeyValue::Errors,
            });
            reply.0.truncate(mark);
            reply.error(text)?;
        }
        let store = self.store.borrow();
        self.stats.set(KeyValue::Keys, store.len() as u64);
        self.stats.set(KeyValue::Memory, store.used() as u64);
        Ok(())
    }

    fn command(
        &self,
        name: &[u8],
        words: &[&[u8]],
        now: Instant,
        reply: &mut Reply,
    ) -> Result<(), Refusal> {
        let mut upper = [0; LONGEST_NAME];
        let upper = upper.get_mut(..name.len());
        let upper = upper.ok_or(Refusal::Error(UNKNOWN))?;
        upper.copy_from_slice(name);
        upper.make_ascii_uppercase();
        let store = &mut *self.store.borrow_mut();
        match (&*upper, words) {
            (b"GET", [key]) => get(store, key, now, reply)?,
            (b"SET", [key, value, options @ ..]) => {
                return set(store, key, value, options, now, reply);
            }
            (b"MGET", [_, ..]) => {
                reply.array(words.len())?;
                for key in words {
                    get(store, key, now, reply)?;
                }
            }
            (b"MSET", [_, ..]) => return set_many(store, words, now, reply),
            (b"DEL", [_, ..]) => count(words, reply, |key| store.remove(key, now))?,
            (b"EXISTS", [_, ..]) => count(words, reply, |key| store.get(key, now).is_some())?,
            (b"STRLEN", [key]) => {
                let length = store.get(key, now).map_or(0, |value| value.len());
                reply.integer(length as i64)?;
            }
            (b"INCR", [key]) => return increment(store, key, Some(1), now, reply),
            (b"DECR", [key]) => return increment(store, key, Some(-1), now, reply),
            (b"INCRBY", [key, by]) => return increment(store, key, Some(number(by)?), now, reply),
            (b"DECRBY", [key, by]) => {
                return increment(store, key, number(by)?.checked_neg(), now, reply);
            }
            (b"EXPIRE", [key, time]) => return expire(store, key, time, 1000, now, reply),
            (b"PEXPIRE", [key, time]) => return expire(store, key, time, 1, now, reply),
            (b"PERSIST", [key]) => {
                let expires = store.expires(key, now).is_some_and(|at| at != Instant::MAX);
                store.expire_at(key, Instant::MAX, now);
                reply.integer(expires.into())?;
            }
            (b"TTL", [key]) => time_left(store, key, 1000, now, reply)?,
            (b"PTTL", [key]) => time_left(store, key, 1, now, reply)?,
            (b"KEYS", [pattern]) => keys(store, pattern, now, reply)?,
            (b"DBSIZE", []) => {
                store.sweep(now);
                reply.integer(store.len() as i64)?;
            }
            (b"FLUSHALL" | b"FLUSHDB", _) => {
                store.clear();
                reply.status("OK")?;
            }
            (b"PING", []) => reply.status("PONG")?,
            (b"PING" | b"ECHO", [text]) => reply.string(text)?,
            // One database; nothing to know about a client.
            (b"SELECT", [b"0"]) | (b"CLIENT", [_, ..]) | (b"QUIT", []) => reply.status("OK")?,
            (b"SELECT", [_]) => return Err(Refusal::Error("ERR DB index is out of range")),
            // Without descriptions redis-cli completes nothing, and works.
            (b"COMMAND", _) => reply.array(0)?,
            (b"CONFIG", [verb, name]) if verb.eq_ignore_ascii_case(b"GET") => {
                config(store, name, reply)?;
            }
            (b"INFO", _) => self.info(store, reply)?,
            (name, _) if NAMES.contains(&name) => return Err(Refusal::Error(ARGUMENTS)),
            _ => return Err(Refusal::Error(UNKNOWN)),
        }
        Ok(())
    }

    fn info(&self, store: &Store, reply: &mut Reply) -> Result<(), Full> {
        let mut text = String::<512>::new();
        let get = |counter| self.stats.get(counter);
        write!(
            text,
            "# Server\r\nredis_mode:standalone\r\n\
             # Clients\r\nconnected_clients:{}\r\n\
             # Memory\r\nused_memory:{}\r\nmaxmemory:{}\r\nmaxmemory_policy:noeviction\r\n\
             # Stats\r\ntotal_connections_received:{}\r\ntotal_commands_processed:{}\r\n\
             # Keyspace\r\ndb0:keys={}\r\n",
            get(KeyValue::ConnectionsOpen),
            store.used(),
            store.capacity(),
            get(KeyValue::Connections),
            get(KeyValue::Commands),
            store.len(),
        )?;
        reply.string(text.as_bytes())
    }
}

fn get(store: &mut Store, key: &[u8], now: Instant, reply: &mut Reply) -> Result<(), Full> {
    match store.get(key, now) {
        Some(value) => reply.pieces(value.len(), value),
        None => reply.nothing(),
    }
}

/// Replies with the number of keys for which `f` says so.
fn count(keys: &[&[u8]], reply: &mut Reply, mut f: impl FnMut(&[u8]) -> bool) -> Result<(), Full> {
    reply.integer(keys.iter().filter(|key| f(key)).count() as i64)
}

fn set(
    store: &mut Store,
    key: &[u8],
    value: &[u8],
    mut options: &[&[u8]],
    now: Instant,
    reply: &mut Reply,
) -> Result<(), Refusal> {
    let (mut expires, mut wanted) = (None, None);
    loop {
        let is = |option: &[u8], name: &str| option.eq_ignore_ascii_case(name.as_bytes());
        options = match options {
            [] => break,
            [unit, time, rest @ ..] if expires.is_none() && (is(unit, "EX") || is(unit, "PX")) => {
                let unit = if is(unit, "EX") { 1000 } else { 1 };
                let time = number(time)?;
                expires = Some(after(time, unit, now).filter(|_| time > 0));
                rest
            }
            [option, rest @ ..] if wanted.is_none() && is(option, "NX") => {
                wanted = Some(false);
                rest
            }
            [option, rest @ ..] if wanted.is_none() && is(option, "XX") => {
                wanted = Some(true);
                rest
            }
            _ => return Err(Refusal::Error(SYNTAX)),
        };
    }
    let expires = match expires {
        Some(None) => return Err(Refusal::Error(BAD_TIME)),
        Some(at) => at,
        None => None,
    };
    if wanted.is_some_and(|wanted| store.get(key, now).is_some() != wanted) {
        return Ok(reply.nothing()?);
    }
    store.set(key, value, expires, now)?;
    Ok(reply.status("OK")?)
}

/// Sets all or none.
fn set_many(
    store: &mut Store,
    words: &[&[u8]],
    now: Instant,
    reply: &mut Reply,
) -> Result<(), Refusal> {
    let (pairs, []) = words.as_chunks::<2>() else {
        return Err(Refusal::Error(ARGUMENTS));
    };
    let blocks = |[key, value]: &[&[u8]; 2]| Store::blocks_of(key, value);
    store.make_room(pairs.iter().map(blocks).sum(), now)?;
    for [key, value] in pairs {
        store.set(key, value, None, now)?;
    }
    Ok(reply.status("OK")?)
}

fn increment(
    store: &mut Store,
    key: &[u8],
    by: Option<i64>,
    now: Instant,
    reply: &mut Reply,
) -> Result<(), Refusal> {
    let old = match store.get(key, now) {
        // The longest number has 20 bytes.
        Some(value) => number(&value.copy::<20>().ok_or(Refusal::Error(NOT_A_NUMBER))?)?,
        None => 0,
    };
    let new = by.and_then(|by| old.checked_add(by));
    let new = new.ok_or(Refusal::Error(OVERFLOW))?;
    let expires = store.expires(key, now);
    let mut text = String::<20>::new();
    write!(text, "{new}").map_err(|_| Full)?;
    store.set(key, text.as_bytes(), expires, now)?;
    Ok(reply.integer(new)?)
}

fn number(text: &[u8]) -> Result<i64, Refusal> {
    let text = core::str::from_utf8(text).ok();
    // Redis takes no sign in front of a positive number.
    let text = text.filter(|text| !text.starts_with('+'));
    let number = text.and_then(|text| text.parse().ok());
    number.ok_or(Refusal::Error(NOT_A_NUMBER))
}

/// The moment after so many units of `unit` milliseconds; `None` if it is too far.
fn after(time: i64, unit: u64, now: Instant) -> Option<Instant> {
    let nanoseconds = u64::try_from(time).ok()?.checked_mul(unit * 1_000_000)?;
    let at = now.as_nanos().checked_add(nanoseconds)?;
    Some(Instant::from_nanos(at)).filter(|at| *at != Instant::MAX)
}

fn expire(
    store: &mut Store,
    key: &[u8],
    time: &[u8],
    unit: u64,
    now: Instant,
    reply: &mut Reply,
) -> Result<(), Refusal> {
    let is_there = match number(time)? {
        ..=0 => store.remove(key, now),
        time => {
            let at = after(time, unit, now).ok_or(Refusal::Error(BAD_TIME))?;
            store.expire_at(key, at, now)
        }
    };
    Ok(reply.integer(is_there.into())?)
}

/// Replies with the time that a key has left in units of milliseconds, rounded to the nearest; -1
/// for a key that does not expire, -2 without the key.
fn time_left(
    store: &mut Store,
    key: &[u8],
    unit: u64,
    now: Instant,
    reply: &mut Reply,
) -> Result<(), Full> {
    reply.integer(match store.expires(key, now) {
        None => -2,
        Some(Instant::MAX) => -1,
        Some(at) => {
            let unit = Duration::from_millis(unit);
            ((at - now + unit / 2).as_nanos() / unit.as_nanos()) as i64
        }
    })
}

fn keys(store: &mut Store, pattern: &[u8], now: Instant, reply: &mut Reply) -> Result<(), Refusal> {
    store.sweep(now);
    let key = |key: crate::Value<'_>| key.copy::<REPLY_LEN>();
    let found = || {
        let keys = store.keys().filter_map(key);
        keys.filter(|key| matches(pattern, key))
    };
    reply.array(found().count())?;
    for key in found() {
        reply.string(&key)?;
    }
    Ok(())
}

/// Whether a text has the form of a pattern: `*` for any bytes, `?` for one.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    // Where to go on when the last star has to stand for a byte more.
    let (mut star, mut p, mut t) = (None, 0, 0);
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, t) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// `redis-benchmark` asks for the first two.
fn config(store: &Store, name: &[u8], reply: &mut Reply) -> Result<(), Full> {
    let mut memory = String::<20>::new();
    write!(memory, "{}", store.capacity())?;
    let settings = [("save", ""), ("appendonly", "no"), ("maxmemory", &memory)];
    let found = || {
        settings
            .iter()
            .filter(|(key, _)| matches(name, key.as_bytes()))
    };
    reply.array(2 * found().count())?;
    for (key, value) in found() {
        reply.string(key.as_bytes())?;
        reply.string(value.as_bytes())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text) in [
            ("*", ""),
            ("a*c", "abbc"),
            ("a*b*c", "aXbYbc"),
            ("?", "x"),
            ("k", "k"),
        ] {
            assert!(
                matches(pattern.as_bytes(), text.as_bytes()),
                "{pattern} {text}"
            );
        }
        for (pattern, text) in [
            ("?", ""),
            ("a*c", "abb"),
            ("", "x"),
            ("ab", "a"),
            ("a?", "a"),
        ] {
            assert!(
                !matches(pattern.as_bytes(), text.as_bytes()),
                "{pattern} {text}"
            );
        }
    }
}
