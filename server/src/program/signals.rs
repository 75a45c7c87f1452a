//! What the system tells the process: to stop, to stop at once, to read its settings again.

use anyhow::Result;
#[cfg(unix)]
use tokio::signal::unix::{self, SignalKind};
#[cfg(windows)]
use tokio::signal::windows;

/// What a signal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// Ctrl-C or SIGTERM: the first time to stop well, the second time to stop now.
    Stop,
    /// SIGHUP: settings are to be read again.
    #[cfg_attr(windows, expect(dead_code, reason = "Windows has no such signal"))]
    Reload,
}

/// From the call of [`Signals::listen`] on no signal of these kills the process.
pub(super) struct Signals {
    #[cfg(unix)]
    interrupt: unix::Signal,
    #[cfg(unix)]
    terminate: unix::Signal,
    #[cfg(unix)]
    hang_up: unix::Signal,
    #[cfg(windows)]
    interrupt: windows::CtrlC,
}

#[cfg(unix)]
impl Signals {
    pub(super) fn listen() -> Result<Self> {
        Ok(Self {
            interrupt: unix::signal(SignalKind::interrupt())?,
            terminate: unix::signal(SignalKind::terminate())?,
            hang_up: unix::signal(SignalKind::hangup())?,
        })
    }

    /// The next one.
    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Stop,
            _ = self.terminate.recv() => Signal::Stop,
            _ = self.hang_up.recv() => Signal::Reload,
        }
    }
}

#[cfg(windows)]
impl Signals {
    pub(super) fn listen() -> Result<Self> {
        Ok(Self { interrupt: windows::ctrl_c()? })
    }

    /// The next one.
    pub(super) async fn next(&mut self) -> Signal {
        self.interrupt.recv().await;
        Signal::Stop
    }
}
