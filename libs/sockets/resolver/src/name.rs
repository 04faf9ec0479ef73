// SPDX-License-Identifier: BSD-2-Clause

//! Names of hosts.

use core::fmt::{self, Display, Formatter, Write};
use core::net::IpAddr;
use core::ops::Deref;

use domain::base::name::ToLabelIter;
use heapless::String;

/// Characters of the longest name, written without the dot at its end (RFC 1035 section 2.3.4).
const MAX_NAME: usize = 253;
/// Characters of the longest label.
const MAX_LABEL: usize = 63;

/// A host's name: labels of letters, digits, hyphens and underscores (RFC 1123 section 2.1; the
/// underscore as Linux's resolver has it) with dots between them, in small letters and without a
/// dot at the end. Names in other scripts are to be given in their ASCII form (RFC 5890).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName(String<MAX_NAME>);

impl HostName {
    /// Returns `None` if the text is no name. A dot at its end is allowed.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.strip_suffix('.').unwrap_or(text);
        Self::from_labels(text.split('.').map(str::as_bytes))
    }

    /// Returns the name in a message, or `None` if no host can have it.
    pub(crate) fn read(name: &impl ToLabelIter) -> Option<Self> {
        let labels = name.iter_labels().filter(|label| !label.is_root());
        Self::from_labels(labels.map(|label| label.as_slice()))
    }

    fn from_labels<'a>(labels: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        let mut name = String::new();
        for label in labels {
            let is_allowed = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
            if label.is_empty() || label.len() > MAX_LABEL || !label.iter().all(is_allowed) {
                return None;
            }
            if !name.is_empty() {
                name.push('.').ok()?;
            }
            for &b in label {
                name.push(b.to_ascii_lowercase().into()).ok()?;
            }
        }
        (!name.is_empty()).then_some(HostName(name))
    }

    /// Returns this name with a domain behind it, or `None` if that is too long.
    pub(crate) fn within(&self, domain: &HostName) -> Option<Self> {
        let mut name = self.0.clone();
        name.push('.').ok()?;
        name.push_str(domain).ok()?;
        Some(HostName(name))
    }

    /// Returns the name under which the name of an address is found (RFC 1035 section 3.5,
    /// RFC 3596 section 2.5).
    pub(crate) fn reverse(address: IpAddr) -> Self {
        let mut name = String::new();
        // 72 characters at most.
        let written = match address {
            IpAddr::V4(address) => {
                let [a, b, c, d] = address.octets();
                write!(name, "{d}.{c}.{b}.{a}.in-addr.arpa")
            }
            IpAddr::V6(address) => {
                let mut octets = address.octets().into_iter().rev();
                octets
                    .try_for_each(|octet| write!(name, "{:x}.{:x}.", octet & 15, octet >> 4))
                    .and_then(|()| name.write_str("ip6.arpa"))
            }
        };
        debug_assert!(written.is_ok());
        HostName(name)
    }

    /// Whether it is this machine (RFC 6761 section 6.3).
    pub(crate) fn is_localhost(&self) -> bool {
        self.rsplit('.').next() == Some("localhost")
    }
}

impl Deref for HostName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Display for HostName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_name() {
        let name = |text: &str| HostName::new(text).map(|name| name.to_string());
        assert_eq!(name("WWW.Example.org."), Some("www.example.org".into()));
        assert_eq!(name("_a-1"), Some("_a-1".into()));
        let label = "x".repeat(63);
        assert!(name(&label).is_some() && name(&format!("{label}x")).is_none());
        let long = [&label[..], &label, &label, &label[2..]].join(".");
        assert_eq!(long.len(), 253);
        assert!(name(&long).is_some() && name(&format!("x{long}")).is_none());
        for wrong in ["", ".", "a..b", ".a", "a b", "a\0b", "ä", "a\\.b"] {
            assert_eq!(name(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn names_of_addresses() {
        let reverse = |text: &str| HostName::reverse(text.parse().unwrap()).to_string();
        assert_eq!(reverse("10.0.2.15"), "15.2.0.10.in-addr.arpa");
        assert_eq!(
            reverse("2001:db8::567:89ab"),
            "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
        );
    }
}
