//! Opens and closes one WebSocket. Comes in: where to. Goes out: a socket on which the sub-protocol is
//! agreed, or why there is none.

use crate::address::Address;
use crate::wire::{Secure, Wire};
use futures_util::{SinkExt, StreamExt};
use shared::wire::close::CloseCode;
use shared::wire::message::{self, CONTROL_BYTES_MAX};
use shared::wire::protocol::{SESSION_HEADER, SUBPROTOCOL};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use thiserror::Error;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::http::header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// For how long a connection may take from the first packet to the end of the handshake; then it has
/// failed.
const OPEN_WAIT: Duration = Duration::from_secs(10);
/// For how long the server's half of a closing handshake is awaited; then the socket is dropped.
const CLOSE_WAIT: Duration = Duration::from_secs(2);
/// Bytes that tungstenite reads at once. Its default of 128 KiB is taken per connection, at once.
const READ_BUFFER_BYTES: usize = 4096;
/// Bytes that tungstenite gathers before it writes by itself; a bot writes after every wake-up anyway.
const WRITE_GATHER_BYTES: usize = 1024;
/// Bytes that tungstenite may hold back for a server that takes nothing; past it the bot gives up.
const WRITE_BUFFER_BYTES_MAX: usize = 64 << 10;
/// The largest message that is taken, in bytes; past it the bot gives up.
const MESSAGE_BYTES_MAX: usize = CONTROL_BYTES_MAX;

/// A WebSocket to the server.
pub type Socket = WebSocketStream<Wire>;

/// A line on which nothing is said yet.
#[derive(Debug)]
pub struct Entrance {
    /// The line.
    pub line: Socket,
    /// The code of the session that it leads to, as the server tells it.
    pub session: Option<String>,
}

/// Why there is no connection.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The resolver knows no such host.
    #[error("no machine of that name is known ({0})")]
    UnknownHost(io::Error),
    /// The machine is there, and nothing listens on the port.
    #[error("nobody listens there; is the server running, and on that port?")]
    NobodyListens,
    /// Nothing at all came back in time.
    #[error("no answer within {} seconds", OPEN_WAIT.as_secs())]
    NoAnswer,
    /// The network said no in another way.
    #[error("the connection failed ({0})")]
    Network(io::Error),
    /// It is a web server, but opens no WebSocket of ours here.
    #[error("it answers with HTTP status {status}{said}")]
    Http {
        /// The status.
        status: u16,
        /// Empty, or a colon and the first line of the answer.
        said: String,
    },
    /// Whose certificates to believe cannot be told.
    #[error("TLS needs to know whom to believe ({0})")]
    Trust(io::Error),
    /// TLS came to nothing, mostly because the certificate is not believed.
    #[error("TLS came to nothing ({0}); --tls-ca names a file with the issuer's certificate")]
    Tls(io::Error),
    /// It took the connection and ended it without a word, as a server does that has too many already.
    #[error("it hung up during the handshake; it may have too many connections already")]
    HungUp,
    /// The session's door stays shut.
    #[error("no way into session {code}: {said}")]
    NoTicket {
        /// The session's code.
        code: String,
        /// What the server said.
        said: String,
    },
    /// It speaks something else.
    #[error("what listens there is no Gamekeeper server ({0})")]
    Stranger(tungstenite::Error),
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::NobodyListens,
            io::ErrorKind::TimedOut => Self::NoAnswer,
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Self::HungUp,
            _ => Self::Network(error),
        }
    }
}

impl From<tungstenite::Error> for OpenError {
    fn from(error: tungstenite::Error) -> Self {
        match error {
            tungstenite::Error::Io(error) => error.into(),
            tungstenite::Error::Protocol(ProtocolError::HandshakeIncomplete) => Self::HungUp,
            tungstenite::Error::Http(response) => {
                let body = response.body().as_deref().unwrap_or_default();
                let first = body.split(|&b| b == b'\n').next().unwrap_or_default();
                let said = message::clean_chat(&String::from_utf8_lossy(first));
                let said = said.map(|line| format!(": {line}")).unwrap_or_default();
                Self::Http { status: response.status().as_u16(), said }
            }
            other => Self::Stranger(other),
        }
    }
}

/// A server's address, looked up once for all bots.
#[derive(Clone, Debug)]
pub struct Target {
    address: Address,
    /// How to make TLS of it, where the address asks for that.
    secure: Option<Secure>,
    sockets: Vec<SocketAddr>,
}

impl Target {
    /// Looks the address up. With TLS the issuers in the file `issuers` are believed, or when it is absent those
    /// that this system believes.
    pub async fn find(address: &Address, issuers: Option<&Path>) -> Result<Self, OpenError> {
        let found = lookup_host((address.bare_host(), address.port)).await;
        let sockets: Vec<_> = found.map_err(OpenError::UnknownHost)?.collect();
        let secure = match address.tls {
            true => Some(Secure::new(address.bare_host(), issuers).map_err(OpenError::Trust)?),
            false => None,
        };
        Ok(Self { address: address.clone(), secure, sockets })
    }

    /// What was looked up.
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// Opens a WebSocket.
    pub async fn open(&self) -> Result<Entrance, OpenError> {
        self.open_at(&self.address.path).await
    }

    /// Opens a WebSocket at another path of the same server.
    pub(crate) async fn open_at(&self, path: &str) -> Result<Entrance, OpenError> {
        timeout(OPEN_WAIT, self.connect(path)).await.unwrap_or(Err(OpenError::NoAnswer))
    }

    /// A connection on which nothing is said yet.
    pub(crate) async fn wire(&self) -> Result<Wire, OpenError> {
        let stream = TcpStream::connect(&self.sockets[..]).await?;
        // An input is a packet of its own: waiting to fill one would cost a round trip.
        stream.set_nodelay(true)?;
        match &self.secure {
            Some(secure) => secure.over(stream).await.map_err(|error| match error.kind() {
                io::ErrorKind::InvalidData => OpenError::Tls(error),
                _ => error.into(),
            }),
            None => Ok(Wire::Plain(stream)),
        }
    }

    async fn connect(&self, path: &str) -> Result<Entrance, OpenError> {
        let wire = self.wire().await?;
        let address = Address { path: path.to_owned(), ..self.address.clone() };
        let mut request = address.to_string().into_client_request()?;
        let wanted = HeaderValue::from_static(SUBPROTOCOL);
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, wanted);
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(WRITE_GATHER_BYTES)
            .max_write_buffer_size(WRITE_BUFFER_BYTES_MAX)
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        // The handshake fails when the server does not agree to the sub-protocol.
        let (line, answer) = client_async_with_config(request, wire, Some(config)).await?;
        let session = answer.headers().get(SESSION_HEADER).and_then(|code| code.to_str().ok());
        Ok(Entrance { line, session: session.map(str::to_owned) })
    }
}

/// Says goodbye and waits for the server's half of the closing handshake.
pub(crate) async fn close(line: &mut Socket, code: CloseCode, reason: &'static str) {
    let frame = CloseFrame { code: code.code().into(), reason: reason.into() };
    let closing = timeout(CLOSE_WAIT, async {
        if line.send(Message::Close(Some(frame))).await.is_ok() {
            read_to_the_end(line).await;
        }
    });
    // Out of time or not, the socket is dropped next.
    let _ = closing.await;
}

/// Completes a closing handshake that the server began.
pub(crate) async fn answer_close(line: &mut Socket) {
    // Out of time or not, nothing more is said: whoever comes back keeps the socket until there is another.
    let _ = timeout(CLOSE_WAIT, read_to_the_end(line)).await;
    let _ = line.get_mut().shutdown().await;
}

/// Reads, and so flushes, until the server has closed or the stream is beyond reading.
async fn read_to_the_end(line: &mut Socket) {
    while let Some(Ok(_)) = line.next().await {}
}
