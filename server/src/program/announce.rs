//! Says at the start which addresses to open.

use super::say;
use crate::config::{Bind, ReachConfig};
use crate::net::listeners::Listeners;
use std::net::{IpAddr, SocketAddr, UdpSocket};

/// Prints which addresses to open.
pub(super) fn announce(listeners: &Listeners, reach: &ReachConfig) {
    say("Gamekeeper is running. Open this in a browser, and share it with whoever shall play:");
    let path = reach.base_path.as_str();
    if let Some(url) = &reach.public_url {
        say(format_args!("  {url}{path}"));
    }
    for (bound, is_tls) in listeners.addresses() {
        let (scheme, port) = (if is_tls { "https" } else { "http" }, bound.port());
        if bound.ip().is_loopback() {
            say(format_args!("  {scheme}://localhost:{port}{path}   (this machine only)"));
        } else if !bound.ip().is_unspecified() {
            say(format_args!("  {scheme}://{bound}{path}"));
        } else {
            say(format_args!("  {scheme}://localhost:{port}{path}   (this machine)"));
            if let Some(own) = own_address() {
                say(format_args!(
                    "  {scheme}://{}{path}   (this network)",
                    SocketAddr::new(own, port)
                ));
            }
        }
    }
    for bind in &reach.bind {
        if let Bind::Unix(_) = bind {
            say(format_args!("  {bind}   (for a proxy on this machine)"));
        }
    }
    say("Ctrl-C stops it.");
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
