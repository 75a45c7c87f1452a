//! What tests of ways to the server share: a folder of one's own, real certificates, TLS, and one request over
//! any stream.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, crypto::ring};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::harness::PATIENCE;

/// A folder that is gone with this.
pub struct Folder(PathBuf);

impl Folder {
    /// A new, empty one.
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let (process, number) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(format!("gamekeeper-test-{process}-{number}"));
        fs::create_dir_all(&path).expect("a place for files");
        Self(path)
    }

    /// Where something is in it.
    pub fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file, and says where.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        fs::write(self.at(name), text).expect("room for a file");
        self.at(name)
    }
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Whoever still writes into it is about to end too.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Somebody whose word on certificates counts.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// A new one.
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("chance");
        Self(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }

    /// Its own certificate, in PEM.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Writes a new certificate for localhost and 127.0.0.1, and its key, into `cert.pem` and `key.pem`.
    pub fn certify(&self, folder: &Folder) {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let params = CertificateParams::new(names).expect("names");
        let key = KeyPair::generate().expect("chance");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        folder.write("cert.pem", &certificate.pem());
        folder.write("key.pem", &key.serialize_pem());
    }

    /// What believes this one alone, with these versions of TLS and these protocols in it.
    pub fn believers(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        alpn: &[&str],
    ) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        let own = CertificateDer::from_pem_slice(self.pem().as_bytes()).expect("PEM");
        roots.add(own).expect("a certificate");
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config).into()
    }

    /// A connection to a server that this one certified.
    pub async fn connect(&self, address: SocketAddr) -> TlsStream<TcpStream> {
        let connector = self.believers(rustls::ALL_VERSIONS, &["http/1.1"]);
        let tcp = TcpStream::connect(address).await.expect("the server accepts");
        connector.connect(name(), tcp).await.expect("a certificate to believe")
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

/// Whom certificates are for.
pub fn name() -> ServerName<'static> {
    "localhost".try_into().expect("a name")
}

/// Head and body of the answer to one request that ends with an empty line; the connection is read to its end.
pub async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.expect("the server reads");
    let mut answer = Vec::new();
    // Who was turned down may see the end of the line as an error.
    let read = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    drop(read.expect("the server closes"));
    String::from_utf8_lossy(&answer).into_owned()
}

/// A request for this path that asks for the connection's end, with more header lines, each ended by CR LF.
pub fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n")
}
