//! TLS for `ssl` endpoints, by rustls: who one is, whom one trusts.
//!
//! ```no_run
//! use tars_rpc::{Communicator, client::NetConnector, server::Adapter};
//! use tars_rpc::tls::{ClientTls, Identity, Roots, ServerTls, TlsError};
//!
//! # fn run() -> Result<(), TlsError> {
//! // A server that wants to know its clients,
//! let identity = Identity::from_pem_files("server.crt", "server.key")?;
//! let clients = Roots::from_pem_file("clients-ca.crt")?;
//! let adapter = Adapter::new("App.Server.ObjAdapter")
//!     .endpoint("ssl -h * -p 15443".parse().unwrap())
//!     .tls(ServerTls::with_client_auth(identity, clients)?);
//!
//! // and a client that can show who it is.
//! let me = Identity::from_pem_files("client.crt", "client.key")?;
//! let tls = ClientTls::with_identity(Roots::from_pem_file("ca.crt")?, me)?;
//! let communicator = Communicator::builder().connector(NetConnector::new().tls(tls)).build();
//! # Ok(()) }
//! ```

use std::{fs, io, path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    server::WebPkiClientVerifier,
};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use crate::{config::TlsConfig, net::Stream};

/// A certificate, with those that vouch for it, and its key.
#[derive(Debug)]
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    from: String,
}

/// Certificates that are trusted to vouch for others.
#[derive(Debug, Clone)]
pub struct Roots(Arc<RootCertStore>);

/// The server's side of TLS.
#[derive(Clone)]
pub struct ServerTls(TlsAcceptor);

/// The client's side of TLS.
#[derive(Clone)]
pub struct ClientTls {
    connector: TlsConnector,
    server_name: Option<ServerName<'static>>,
}

/// Why a certificate or a key is of no use.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// Why not.
        source: Arc<io::Error>,
    },
    /// A file is no PEM file with what is expected of it.
    #[error("{path}: {reason}")]
    Pem {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A certificate, or a key that belongs to another certificate.
    #[error("{path}: {source}")]
    Invalid {
        /// The file, or both of them.
        path: String,
        /// What is wrong.
        source: rustls::Error,
    },
    /// A key of a Tars config file without which the others are of no use.
    #[error("the key `{0}` is missing")]
    Missing(&'static str),
    /// A name that no certificate can have.
    #[error("`{0}` is neither a DNS name nor an IP address")]
    ServerName(String),
}

impl Identity {
    /// Reads a chain of certificates, the server's or client's own first, and the key of that one (PKCS #8, PKCS #1 or
    /// SEC1, not encrypted).
    ///
    /// # Errors
    /// A file cannot be read, or has not what it should; the error names it.
    pub fn from_pem_files(
        chain: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<Self, TlsError> {
        let (chain, key) = (chain.as_ref(), key.as_ref());
        let from = format!("{} and {}", chain.display(), key.display());
        let certificates = certificates(chain)?;
        let key = PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|error| TlsError::Pem {
            path: key.display().to_string(),
            reason: format!("has no private key in PEM form that is not encrypted ({error})"),
        })?;
        Ok(Self {
            chain: certificates,
            key,
            from,
        })
    }
}

impl Roots {
    /// Reads the certificates of those who are trusted.
    ///
    /// # Errors
    /// The file cannot be read, or has none; the error names it.
    pub fn from_pem_file(path: impl AsRef<Path>) -> Result<Self, TlsError> {
        let path = path.as_ref();
        let mut roots = RootCertStore::empty();
        for certificate in certificates(path)? {
            roots.add(certificate).map_err(|source| TlsError::Invalid {
                path: path.display().to_string(),
                source,
            })?;
        }
        Ok(Self(Arc::new(roots)))
    }
}

impl ServerTls {
    /// Shows who the server is; takes every client.
    ///
    /// # Errors
    /// [`TlsError::Invalid`]: certificate and key do not belong together.
    pub fn new(identity: Identity) -> Result<Self, TlsError> {
        let Identity { chain, key, from } = identity;
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|source| TlsError::Invalid { path: from, source })?;
        Ok(Arc::new(config).into())
    }

    /// As [`new`](Self::new), and takes only clients for whom one of `roots` vouches.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_client_auth(identity: Identity, clients: Roots) -> Result<Self, TlsError> {
        let Identity { chain, key, from } = identity;
        let invalid = |source| TlsError::Invalid {
            path: from.clone(),
            source,
        };
        let verifier = WebPkiClientVerifier::builder_with_provider(clients.0, provider())
            .build()
            .map_err(|error| invalid(rustls::Error::General(error.to_string())))?;
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .and_then(|config| {
                let config = config.with_client_cert_verifier(verifier);
                config.with_single_cert(chain, key)
            })
            .map_err(invalid)?;
        Ok(Arc::new(config).into())
    }

    pub(crate) async fn accept<S: Stream>(&self, stream: S) -> io::Result<server::TlsStream<S>> {
        self.0.accept(stream).await
    }
}

/// As a Tars config file says: `cert` and `key` are the server's own; with `verifyclient=1`, `ca` vouches for clients.
impl TryFrom<&TlsConfig> for ServerTls {
    type Error = TlsError;

    fn try_from(config: &TlsConfig) -> Result<Self, TlsError> {
        let identity = Identity::from_pem_files(
            config.cert.as_ref().ok_or(TlsError::Missing("cert"))?,
            config.key.as_ref().ok_or(TlsError::Missing("key"))?,
        )?;
        if !config.verify_client {
            return Self::new(identity);
        }
        let clients = config.ca.as_ref().ok_or(TlsError::Missing("ca"))?;
        Self::with_client_auth(identity, Roots::from_pem_file(clients)?)
    }
}

/// For everything that rustls can do.
impl From<Arc<ServerConfig>> for ServerTls {
    fn from(config: Arc<ServerConfig>) -> Self {
        Self(config.into())
    }
}

impl ClientTls {
    /// Trusts servers for whom one of `roots` vouches; does not say who the client is.
    ///
    /// # Errors
    /// None that is known; the library below may have some.
    pub fn new(roots: Roots) -> Result<Self, TlsError> {
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|source| TlsError::Invalid {
                path: "TLS".to_owned(),
                source,
            })?
            .with_root_certificates(roots.0)
            .with_no_client_auth();
        Ok(Arc::new(config).into())
    }

    /// As [`new`](Self::new), and tells servers that ask who the client is.
    ///
    /// # Errors
    /// [`TlsError::Invalid`]: certificate and key do not belong together.
    pub fn with_identity(roots: Roots, identity: Identity) -> Result<Self, TlsError> {
        let Identity { chain, key, from } = identity;
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .and_then(|config| {
                let config = config.with_root_certificates(roots.0);
                config.with_client_auth_cert(chain, key)
            })
            .map_err(|source| TlsError::Invalid { path: from, source })?;
        Ok(Arc::new(config).into())
    }

    /// Asks for the server of this name instead of the `-h` of the endpoint, which often is an address that no
    /// certificate has.
    ///
    /// # Errors
    /// [`TlsError::ServerName`].
    pub fn server_name(mut self, name: &str) -> Result<Self, TlsError> {
        self.server_name = Some(parse_name(name)?);
        Ok(self)
    }

    pub(crate) async fn connect<S: Stream>(
        &self,
        host: &str,
        stream: S,
    ) -> io::Result<client::TlsStream<S>> {
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => parse_name(host)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?,
        };
        self.connector.connect(name, stream).await
    }
}

/// As a Tars config file says: `ca` vouches for servers; `cert` and `key`, if they are there, are the client's own.
impl TryFrom<&TlsConfig> for ClientTls {
    type Error = TlsError;

    fn try_from(config: &TlsConfig) -> Result<Self, TlsError> {
        let roots = Roots::from_pem_file(config.ca.as_ref().ok_or(TlsError::Missing("ca"))?)?;
        match (&config.cert, &config.key) {
            (None, None) => Self::new(roots),
            (Some(cert), Some(key)) => {
                Self::with_identity(roots, Identity::from_pem_files(cert, key)?)
            }
            (None, Some(_)) => Err(TlsError::Missing("cert")),
            (Some(_), None) => Err(TlsError::Missing("key")),
        }
    }
}

/// For everything that rustls can do.
impl From<Arc<ClientConfig>> for ClientTls {
    fn from(config: Arc<ClientConfig>) -> Self {
        Self {
            connector: config.into(),
            server_name: None,
        }
    }
}

impl std::fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerTls").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientTls")
            .field("server_name", &self.server_name)
            .finish_non_exhaustive()
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn parse_name(name: &str) -> Result<ServerName<'static>, TlsError> {
    ServerName::try_from(name.to_owned()).map_err(|_| TlsError::ServerName(name.to_owned()))
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Read {
        path: path.display().to_string(),
        source: Arc::new(source),
    })
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |reason: String| TlsError::Pem {
        path: path.display().to_string(),
        reason,
    };
    let all: Vec<_> = CertificateDer::pem_slice_iter(&read(path)?)
        .collect::<Result<_, _>>()
        .map_err(|error| wrong(format!("is no PEM file ({error})")))?;
    if all.is_empty() {
        return Err(wrong("has no certificate in PEM form".to_owned()));
    }
    Ok(all)
}
