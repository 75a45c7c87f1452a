//! Asks a running server whether it is well, for containers, which have no other program that could. Comes in: the
//! settings that the server runs with. Goes out: nothing, or a sentence.

use crate::config::{Bind, ReachConfig};
use anyhow::{Context, Result, bail};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// For how long an answer is awaited.
const PATIENCE: Duration = Duration::from_secs(3);
/// What a proxy that speaks the PROXY protocol says of a connection of its own.
const OF_ITS_OWN: &[u8] = b"PROXY UNKNOWN\r\n";
/// A request for the page that says it. A server that speaks TLS refuses it, in a way that shows that it is well too.
const REQUEST: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// Asks the server that listens where `reach` says.
pub(super) fn ask(reach: &ReachConfig) -> Result<()> {
    let bind = reach.tls_http.map(Bind::Tcp).or_else(|| reach.bind.first().cloned());
    let status = match bind {
        Some(Bind::Tcp(address)) => {
            let address = reachable(address);
            let stream = TcpStream::connect_timeout(&address, PATIENCE)
                .with_context(|| format!("nobody listens on {address}"))?;
            stream.set_read_timeout(Some(PATIENCE))?;
            let is_proxy = reach.trusts(stream.local_addr()?.ip());
            status(stream, reach.proxy_protocol && is_proxy)?
        }
        #[cfg(unix)]
        Some(Bind::Unix(path)) => {
            let stream = UnixStream::connect(&path)
                .with_context(|| format!("nobody listens on {}", path.display()))?;
            stream.set_read_timeout(Some(PATIENCE))?;
            status(stream, reach.proxy_protocol)?
        }
        _ => bail!("where the server listens is not in these settings"),
    };
    match (status, reach.tls_cert.is_some() && reach.tls_http.is_none()) {
        (200, _) | (400, true) => Ok(()),
        (status, _) => bail!("it answers with status {status}"),
    }
}

/// An address at which this machine reaches what listens on `bound`.
fn reachable(bound: SocketAddr) -> SocketAddr {
    let ip = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, bound.port())
}

/// The status that the server answers with; it may take us for a proxy, as it would one that connects from here.
fn status(mut stream: impl Read + Write, as_proxy: bool) -> Result<u16> {
    let header = if as_proxy { OF_ITS_OWN } else { b"" };
    stream.write_all(&[header, REQUEST].concat()).context("it takes no request")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).context("it does not answer")?;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.context("what it answers is no HTTP")
}
