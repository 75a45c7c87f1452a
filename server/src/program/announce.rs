//! Says at the start which addresses to open.

use super::say_aside;
use crate::config::{Bind, ReachConfig};
use crate::net::listeners::Listeners;
use std::net::{IpAddr, SocketAddr, UdpSocket};

/// Prints which addresses to open.
pub(super) fn announce(listeners: &Listeners, reach: &ReachConfig) {
    let mut lines = vec![
        "Gamekeeper is running. Open this in a browser, and share it with whoever shall play:"
            .into(),
    ];
    let path = reach.base_path.as_str();
    if let Some(url) = &reach.public_url {
        lines.push(format!("  {url}{path}"));
    }
    for (bound, is_tls) in listeners.addresses() {
        let (scheme, port) = (if is_tls { "https" } else { "http" }, bound.port());
        if bound.ip().is_loopback() {
            lines.push(format!("  {scheme}://localhost:{port}{path}   (this machine only)"));
        } else if !bound.ip().is_unspecified() {
            lines.push(format!("  {scheme}://{bound}{path}"));
        } else {
            lines.push(format!("  {scheme}://localhost:{port}{path}   (this machine)"));
            if let Some(own) = own_address() {
                let own = SocketAddr::new(own, port);
                lines.push(format!("  {scheme}://{own}{path}   (this network)"));
            }
        }
    }
    for bind in &reach.bind {
        if let Bind::Unix(_) = bind {
            lines.push(format!("  {bind}   (for a proxy on this machine)"));
        }
    }
    lines.push("Ctrl-C stops it.".into());
    say_aside(lines.join("\n"));
}

/// The address under which others in the network reach this machine, if it is in one: the one that a
/// packet to the outside would come from. Connecting a UDP socket sends none.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // 192.0.2.0/24 is set aside for documentation (RFC 5737): it is always outside, and never there.
    socket.connect("192.0.2.1:9").ok()?;
    let own = socket.local_addr().ok()?.ip();
    (!own.is_loopback() && !own.is_unspecified()).then_some(own)
}
