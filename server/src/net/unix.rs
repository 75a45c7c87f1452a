//! What only Unix has: sockets with a path, and sockets that systemd opened before the server started.

use super::listeners::Socket;
use crate::config::FileMode;
use anyhow::{Context, Result, anyhow};
use listenfd::ListenFd;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::{Path, PathBuf};
use tokio::net::{TcpListener, UnixListener};

/// A listening Unix socket.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) socket: UnixListener,
    /// The file that is ours to remove, with its device and number; systemd's is not.
    file: Option<(PathBuf, (u64, u64))>,
}

impl Listener {
    /// Listens at `path`. The socket of a server that ended without cleaning up is replaced, that of one that
    /// runs is not, and neither is anything else that is there.
    pub(super) fn bind(path: &Path, mode: FileMode) -> Result<Self> {
        match fs::symlink_metadata(path) {
            Ok(there) if !there.file_type().is_socket() => {
                return Err(anyhow!("something else is there that is no socket"));
            }
            Ok(_) => match StdUnixStream::connect(path) {
                Ok(_) => return Err(anyhow!("another program listens there")),
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                    fs::remove_file(path).context("the socket of an earlier server stays")?;
                }
                Err(error) => {
                    return Err(anyhow!(error).context("another program may listen there"));
                }
            },
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        let socket = UnixListener::bind(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(mode.0))?;
        let file = Some((path.into(), number(path)?));
        Ok(Self { socket, file })
    }
}

/// Device and number of what is at a path.
fn number(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|there| (there.dev(), there.ino()))
}

impl Drop for Listener {
    fn drop(&mut self) {
        // What is there by now may be another server's, which took over.
        if let Some((path, own)) = &self.file
            && number(path).is_ok_and(|there| there == *own)
            && let Err(error) = fs::remove_file(path)
            && error.kind() != ErrorKind::NotFound
        {
            tracing::warn!(path = %path.display(), %error, "the socket stays behind");
        }
    }
}

/// The sockets that systemd hands over.
pub(super) fn activated() -> Result<Vec<Socket>> {
    let mut handed = ListenFd::from_env();
    if handed.len() == 0 {
        return Err(anyhow!(
            "systemd handed over no socket; --bind systemd is for a service that a .socket unit starts"
        ));
    }
    (0..handed.len()).map(|place| take(&mut handed, place)).collect()
}

fn take(handed: &mut ListenFd, place: usize) -> Result<Socket> {
    let mut take = || -> io::Result<Option<Socket>> {
        if let Ok(Some(tcp)) = handed.take_tcp_listener(place) {
            tcp.set_nonblocking(true)?;
            return TcpListener::from_std(tcp).map(Socket::Tcp).map(Some);
        }
        let Some(socket) = handed.take_unix_listener(place)? else { return Ok(None) };
        socket.set_nonblocking(true)?;
        let socket = UnixListener::from_std(socket)?;
        Ok(Some(Socket::Unix(Listener { socket, file: None })))
    };
    let taken = take().with_context(|| {
        format!("Socket {place} that systemd hands over is none that a server can listen on")
    })?;
    taken.context("systemd handed over a socket twice")
}
