// SPDX-License-Identifier: BSD-2-Clause

//! What can go wrong.

use core::fmt;

use embedded_io_async::ErrorKind;
use rustls::{CertificateError, Error};

/// Why a connection is not made, or ends.
#[derive(Clone, Debug, PartialEq)]
pub enum TlsError<E> {
    /// The stream beneath.
    Stream(E),
    /// TLS, for example a certificate that is refused.
    Tls(Error),
    /// The stream has ended without a word that it would: something may be missing.
    CutOff,
    /// The name of the server is neither a host's name nor an address.
    BadName,
}

impl<E> From<Error> for TlsError<E> {
    fn from(error: Error) -> Self {
        TlsError::Tls(error)
    }
}

impl<E> TlsError<E> {
    /// Says in a few words why TLS does not work; `None` if it is the stream beneath.
    pub fn reason(&self) -> Option<&'static str> {
        let certificate = match self {
            TlsError::Stream(_) => return None,
            TlsError::CutOff => return Some("the connection is cut off"),
            TlsError::BadName => return Some("no host's name"),
            TlsError::Tls(Error::InvalidCertificate(error)) => error,
            TlsError::Tls(Error::FailedToGetCurrentTime) => return Some("the time is not known"),
            TlsError::Tls(Error::AlertReceived(_)) => return Some("the peer has given up"),
            TlsError::Tls(_) => return Some("the peer does not speak TLS as it is spoken here"),
        };
        Some(match certificate {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "the certificate has expired"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "the certificate is not valid yet"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "the certificate is for another name"
            }
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                "nobody who is trusted has signed the certificate"
            }
            _ => "the certificate is refused",
        })
    }
}

impl<E: fmt::Debug> fmt::Display for TlsError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsError::Stream(error) => write!(f, "{error:?}"),
            TlsError::Tls(error) => error.fmt(f),
            TlsError::CutOff => f.write_str("the peer's end is cut off"),
            TlsError::BadName => f.write_str("no host's name"),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for TlsError<E> {}

impl<E: embedded_io_async::Error> embedded_io_async::Error for TlsError<E> {
    fn kind(&self) -> ErrorKind {
        match self {
            TlsError::Stream(error) => error.kind(),
            TlsError::Tls(_) => ErrorKind::InvalidData,
            TlsError::CutOff => ErrorKind::ConnectionAborted,
            TlsError::BadName => ErrorKind::InvalidInput,
        }
    }
}
