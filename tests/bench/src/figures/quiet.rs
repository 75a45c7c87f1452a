//! Connections that say nothing more: requests that were answered and are kept alive, WebSockets before their hello.
//! Comes in: a server. Goes out: sockets, closed when dropped.

use super::stand::Stand;
use anyhow::{Context, Result, ensure};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::ring};
use shared::wire::protocol::SUBPROTOCOL;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

/// For how long an answer may take.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// Bytes that are read at once.
const READ_BYTES: usize = 4096;

/// What a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// HTTP/1.1 that had its answer and stays open.
    KeptAlive,
    /// A WebSocket on which nothing was said yet. The server ends it after five seconds.
    Unjoined,
}

/// What carries it.
trait Wire: Read + Write {}
impl<T: Read + Write> Wire for T {}

/// Open connections.
pub(crate) struct Quiet(Vec<Box<dyn Wire>>);

impl Quiet {
    /// Opens `count` of them, one after the other.
    pub(crate) fn open(stand: &Stand, kind: Kind, count: u32) -> Result<Self> {
        let secure = stand.certificate.as_ref().map(|made| -> Result<_> {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_file(&made.file)?)?;
            let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_root_certificates(roots)
                .with_no_client_auth();
            Ok(Arc::new(config))
        });
        let secure = secure.transpose()?;
        let one = |_| one(stand, kind, secure.as_ref());
        (0..count).map(one).collect::<Result<_>>().map(Self)
    }

    /// How many are open still: none has been told anything since.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }
}

fn one(stand: &Stand, kind: Kind, secure: Option<&Arc<ClientConfig>>) -> Result<Box<dyn Wire>> {
    let tcp = TcpStream::connect(stand.address)?;
    tcp.set_nodelay(true)?;
    tcp.set_read_timeout(Some(ANSWER_WAIT))?;
    let mut wire: Box<dyn Wire> = match secure {
        None => Box::new(tcp),
        Some(config) => {
            let name = ServerName::try_from("127.0.0.1")?;
            Box::new(StreamOwned::new(ClientConnection::new(Arc::clone(config), name)?, tcp))
        }
    };
    let (path, more, status) = match kind {
        Kind::KeptAlive => ("/healthz", String::new(), "HTTP/1.1 200"),
        Kind::Unjoined => (
            "/play",
            format!(
                "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                 Sec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\nSec-WebSocket-Protocol: {SUBPROTOCOL}\r\n"
            ),
            "HTTP/1.1 101",
        ),
    };
    write!(wire, "GET {path} HTTP/1.1\r\nHost: {}\r\n{more}\r\n", stand.address)?;
    wire.flush()?;
    let answer = read_head(&mut *wire)?;
    ensure!(answer.starts_with(status), "{path}: {answer}");
    Ok(wire)
}

fn read_head(wire: &mut dyn Wire) -> Result<String> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; READ_BYTES]);
    loop {
        let count = wire.read(&mut buffer).context("no answer")?;
        ensure!(count > 0, "it hung up");
        bytes.extend_from_slice(&buffer[..count]);
        if bytes.windows(4).any(|four| four == b"\r\n\r\n") {
            return Ok(String::from_utf8_lossy(&bytes).into_owned());
        }
    }
}
