// SPDX-License-Identifier: BSD-2-Clause

//! What an end has: a client authorities that it trusts, a server its certificate and key.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::time::Duration;

use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::UnbufferedServerConnection;
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, Error, RootCertStore, ServerConfig};

/// The time as the connections know it: seconds since 1970, 0 if nobody does.
#[derive(Debug, Default)]
struct Now(AtomicU64);

impl TimeProvider for Now {
    fn current_time(&self) -> Option<UnixTime> {
        match self.0.load(Relaxed) {
            0 => None,
            seconds => Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds))),
        }
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let read = read.map_err(|_| Error::General("no certificate in PEM".into()))?;
    match read.is_empty() {
        true => Err(Error::NoCertificatesPresented),
        false => Ok(read),
    }
}

/// The authorities that a client trusts.
#[derive(Clone, Debug)]
pub struct Authorities {
    config: Arc<ClientConfig>,
    now: Arc<Now>,
}

impl Authorities {
    /// Takes their certificates as text (PEM, RFC 7468).
    ///
    /// # Errors
    /// The text is not that.
    pub fn new(pem: &[u8]) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(pem)? {
            roots.add(certificate)?;
        }
        let now = Arc::new(Now::default());
        let provider = Arc::new(rustls_rustcrypto::provider());
        let config = ClientConfig::builder_with_details(provider, now.clone())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let config = Arc::new(config);
        Ok(Authorities { config, now })
    }

    pub(crate) fn connection(
        &self,
        name: ServerName<'static>,
        time: Option<Duration>,
    ) -> Result<UnbufferedClientConnection, Error> {
        self.now
            .0
            .store(time.map_or(0, |time| time.as_secs()), Relaxed);
        UnbufferedClientConnection::new(self.config.clone(), name)
    }
}

/// A server's certificate and key.
#[derive(Clone, Debug)]
pub struct Identity(Arc<ServerConfig>);

impl Identity {
    /// Takes them as text (PEM): the server's certificate and those between it and the authority,
    /// and the key in the form of PKCS #8, PKCS #1 or SEC 1.
    ///
    /// # Errors
    /// The text is not that. A key of another certificate is noticed by the first client only.
    pub fn new(certificate: &[u8], key: &[u8]) -> Result<Self, Error> {
        let key = PrivateKeyDer::from_pem_slice(key);
        let key = key.map_err(|_| Error::General("no private key in PEM".into()))?;
        let provider = Arc::new(rustls_rustcrypto::provider());
        // A server without certificates of clients and without tickets needs no time.
        let mut config = ServerConfig::builder_with_details(provider, Arc::new(Now::default()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(certificates(certificate)?, key)?;
        config.send_tls13_tickets = 0;
        Ok(Identity(Arc::new(config)))
    }

    pub(crate) fn connection(&self) -> Result<UnbufferedServerConnection, Error> {
        UnbufferedServerConnection::new(self.0.clone())
    }
}
