//! How people reach the server: where it listens, TLS, and what stands in front of it.

use super::yes_or_no;
use clap::{ArgAction, Args};
use ipnet::IpNet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

/// How people reach the server.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Reaching it")]
pub struct ReachConfig {
    /// Where to listen; several with commas. An address and port: 0.0.0.0 is every network of this machine,
    /// 127.0.0.1 this machine alone, `[::]:8080` IPv6 and IPv4; port 0 is any free one. `unix:/PATH` is a Unix
    /// socket for a proxy on this machine, `systemd` whatever sockets systemd hands over.
    #[arg(long, env = "GAMEKEEPER_BIND", value_name = "ADDR:PORT|unix:PATH|systemd", value_delimiter = ',',
          default_values_t = [Bind::DEFAULT])]
    pub bind: Vec<Bind>,

    /// Permissions of Unix sockets, as chmod writes them. Whoever may write to the socket may say who it speaks
    /// for, as a trusted proxy does.
    #[arg(long, env = "GAMEKEEPER_UNIX_MODE", value_name = "OCTAL", default_value_t = FileMode::DEFAULT)]
    pub unix_mode: FileMode,

    /// File with the certificate and those of its issuers, in PEM: with it every TCP port speaks TLS. The file
    /// is looked at every few seconds, and a new certificate is used without dropping anybody.
    #[arg(long, env = "GAMEKEEPER_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,

    /// File with the certificate's private key, in PEM.
    #[arg(long, env = "GAMEKEEPER_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,

    /// Address and port of a second listener without TLS, such as 0.0.0.0:80, which sends browsers to https and
    /// answers nothing else but /healthz.
    #[arg(long, env = "GAMEKEEPER_TLS_HTTP", value_name = "ADDR:PORT")]
    pub tls_http: Option<SocketAddr>,

    /// For how many seconds browsers shall insist on TLS once they came over it (the header
    /// Strict-Transport-Security); 0 for not at all. Set a year, 31536000, when TLS is there to stay: browsers
    /// cannot be told otherwise before it is over.
    #[arg(long, env = "GAMEKEEPER_HSTS_SECONDS", value_name = "SECONDS", default_value_t = 0)]
    pub hsts_seconds: u32,

    /// What people type to get here, where that does not follow from what the server sees: `https://game.example`,
    /// with the port if it is not 443. Redirects from http go there.
    #[arg(long, env = "GAMEKEEPER_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<PublicUrl>,

    /// Networks of proxies that say truly whose requests they pass on, such as 127.0.0.1 or 10.0.0.0/8; several
    /// with commas. Limits then count the client's own address. Name nobody else: who is believed can be anybody.
    #[arg(long, env = "GAMEKEEPER_TRUSTED_PROXIES", value_name = "NETWORK", value_delimiter = ',',
          value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,

    /// In which header trusted proxies say it. The other one is never read, as a proxy that does not write it
    /// may pass on what a client made up.
    #[arg(
        long,
        env = "GAMEKEEPER_PROXY_HEADER",
        value_name = "HEADER",
        default_value = "x-forwarded-for"
    )]
    pub proxy_header: ProxyHeader,

    /// Whether connections from trusted proxies begin with a header of the PROXY protocol, version 1 or 2, that
    /// says who connects, as load balancers of TCP send it.
    #[arg(long, env = "GAMEKEEPER_PROXY_PROTOCOL", value_name = "yes|no", default_value = "no",
          action = ArgAction::Set, value_parser = yes_or_no)]
    pub proxy_protocol: bool,

    /// Path below which everything is served, such as /arena, where a proxy serves other things beside it and
    /// passes the path on as it is.
    #[arg(long, env = "GAMEKEEPER_BASE_PATH", value_name = "/PATH", default_value_t = BasePath::default())]
    pub base_path: BasePath,
}

impl Default for ReachConfig {
    fn default() -> Self {
        Self {
            bind: vec![Bind::DEFAULT],
            unix_mode: FileMode::DEFAULT,
            tls_cert: None,
            tls_key: None,
            tls_http: None,
            hsts_seconds: 0,
            public_url: None,
            trusted_proxies: Vec::new(),
            proxy_header: ProxyHeader::XForwardedFor,
            proxy_protocol: false,
            base_path: BasePath::default(),
        }
    }
}

impl ReachConfig {
    /// What does not go together, a sentence each.
    pub(super) fn contradictions(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        if self.tls_cert.is_some() != self.tls_key.is_some() {
            wrong.push("tls_cert and tls_key belong together: set both, or neither.".to_owned());
        }
        if self.tls_http.is_some() && self.tls_cert.is_none() {
            wrong.push(
                "tls_http sends browsers to TLS, which needs tls_cert and tls_key.".to_owned(),
            );
        }
        let may_have_proxies = |bind: &Bind| matches!(bind, Bind::Unix(_) | Bind::Systemd);
        if self.proxy_protocol
            && self.trusted_proxies.is_empty()
            && !self.bind.iter().any(may_have_proxies)
        {
            let sentence = "proxy_protocol is read from trusted_proxies alone: name some.";
            wrong.push(sentence.to_owned());
        }
        wrong
    }

    /// Takes over what stays as it was at the start, however it is set now.
    pub(crate) fn keep(&mut self, started: &Self) {
        self.base_path.clone_from(&started.base_path);
    }

    /// Whether what connects from this address is a proxy that is believed.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted_proxies.iter().any(|network| network.contains(&address))
    }
}

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bind {
    /// On an address and port.
    Tcp(SocketAddr),
    /// On a Unix socket at this path.
    Unix(PathBuf),
    /// On what systemd hands over.
    Systemd,
}

impl Bind {
    /// Where a server listens unless told otherwise.
    pub const DEFAULT: Self =
        Self::Tcp(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), Self::PORT));
    /// The port of the same.
    pub const PORT: u16 = 8080;
}

impl FromStr for Bind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "systemd" {
            return Ok(Self::Systemd);
        }
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.is_empty() {
                Err("a path is needed behind unix:".into())
            } else if cfg!(unix) {
                Ok(Self::Unix(path.into()))
            } else {
                Err("this system has no Unix sockets".into())
            };
        }
        text.parse().map(Self::Tcp).map_err(|_| {
            "an address and port is needed, such as 0.0.0.0:8080 or [::]:8080, or unix:/PATH, or systemd"
                .into()
        })
    }
}

impl fmt::Display for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Systemd => f.write_str("systemd"),
        }
    }
}

/// Permissions of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileMode(pub u32);

impl FileMode {
    /// The owner and the group.
    pub const DEFAULT: Self = Self(0o660);
}

impl FromStr for FileMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // As TOML writes a number of that kind.
        let digits = text.strip_prefix("0o").unwrap_or(text);
        match u32::from_str_radix(digits, 8) {
            Ok(mode) if mode <= 0o777 => Ok(Self(mode)),
            _ => Err("permissions are three octal digits, such as 660".into()),
        }
    }
}

impl fmt::Display for FileMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:o}", self.0)
    }
}

/// The header in which proxies say whose request it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyHeader {
    /// What nearly all write.
    XForwardedFor,
    /// RFC 7239.
    Forwarded,
}

impl FromStr for ProxyHeader {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "x-forwarded-for" => Ok(Self::XForwardedFor),
            "forwarded" => Ok(Self::Forwarded),
            _ => Err("x-forwarded-for or forwarded is needed".into()),
        }
    }
}

/// Scheme, host and perhaps port, as the server is known outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// Without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
        match host {
            Some(host) if !host.is_empty() && host.bytes().all(plain) => Ok(Self(text.into())),
            _ => Err("https:// or http://, a host, and perhaps a port are needed; the path is --base-path".into()),
        }
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What stands before every path: nothing, or a slash and names without one at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BasePath(String);

impl BasePath {
    /// Empty, or starting with a slash and not ending with one.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BasePath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = text.trim_end_matches('/');
        // It stands in the page and in headers as it is.
        let plain = |name: &str| {
            let letter = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
            !name.is_empty() && name.bytes().all(letter) && name != "." && name != ".."
        };
        let names = path.strip_prefix('/').unwrap_or("?");
        if path.is_empty() || names.split('/').all(plain) {
            return Ok(Self(path.into()));
        }
        Err("a path is / alone, or / and names of letters, digits and - . _ ~ with a / between"
            .into())
    }
}

impl fmt::Display for BasePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "/" } else { &self.0 })
    }
}

/// A network, or one address.
fn network(text: &str) -> Result<IpNet, String> {
    let address = text.parse::<IpAddr>().map(IpNet::from);
    address.or_else(|_| text.parse()).map_err(|_| {
        "an address or a network is needed, such as 127.0.0.1, 10.0.0.0/8 or fd00::/8".to_string()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::FromArgMatches;

    fn parse(flags: &[&str]) -> Result<ReachConfig, String> {
        let settings = ReachConfig::augment_args(clap::Command::new("gamekeeper"));
        let matches = settings.try_get_matches_from([&["gamekeeper"], flags].concat());
        let reach = matches.and_then(|matches| ReachConfig::from_arg_matches(&matches));
        reach.map_err(|why| why.to_string())
    }

    #[test]
    fn one_may_listen_in_several_places() {
        let reach = parse(&["--bind", "[::]:80,unix:/run/g.sock,systemd"]).unwrap();
        let said: Vec<_> = reach.bind.iter().map(ToString::to_string).collect();
        assert_eq!(said, ["[::]:80", "unix:/run/g.sock", "systemd"]);
        for bad in ["", "8080", "localhost:8080", "unix:", "1.2.3.4", "1.2.3.4:99999"] {
            let said = parse(&["--bind", bad]).unwrap_err();
            assert!(said.contains("--bind"), "{bad}: {said}");
        }
    }

    #[test]
    fn what_belongs_together_is_set_together() {
        for alone in ["--tls-cert=c", "--tls-key=k", "--tls-http=[::]:80", "--proxy-protocol=yes"] {
            let wrong = parse(&[alone]).unwrap().contradictions();
            assert_eq!(wrong.len(), 1, "{alone}: {wrong:?}");
        }
        for together in [
            &["--tls-cert=c", "--tls-key=k", "--tls-http=0.0.0.0:80"][..],
            &["--proxy-protocol=yes", "--trusted-proxies=10.0.0.0/8"],
            &["--proxy-protocol=yes", "--bind=unix:/run/g.sock"],
        ] {
            assert!(parse(together).unwrap().contradictions().is_empty(), "{together:?}");
        }
    }

    #[test]
    fn proxies_are_networks() {
        let reach = parse(&["--trusted-proxies", "127.0.0.1,10.0.0.0/8,fd00::/8"]).unwrap();
        for (address, trusted) in [
            ("127.0.0.1", true),
            ("::ffff:127.0.0.1", true),
            ("127.0.0.2", false),
            ("10.200.0.1", true),
            ("fd12::1", true),
            ("2001:db8::1", false),
        ] {
            assert_eq!(reach.trusts(address.parse().unwrap()), trusted, "{address}");
        }
        assert!(parse(&["--trusted-proxies", "nginx"]).unwrap_err().contains("10.0.0.0/8"));
    }

    #[test]
    fn a_base_path_is_plain() {
        for (said, meant) in [("/", ""), ("/arena", "/arena"), ("/a/b-1/", "/a/b-1"), ("", "")] {
            assert_eq!(said.parse::<BasePath>().unwrap().as_str(), meant);
        }
        for bad in ["arena", "/a//b", "/..", "/a b", "/\"", "/a?b"] {
            assert!(bad.parse::<BasePath>().is_err(), "{bad}");
        }
    }

    #[test]
    fn modes_and_urls_are_checked() {
        assert_eq!("600".parse::<FileMode>().unwrap(), FileMode(0o600));
        assert!("rw".parse::<FileMode>().is_err() && "1777".parse::<FileMode>().is_err());
        assert!("https://game.example:8443".parse::<PublicUrl>().is_ok());
        for bad in ["game.example", "https://", "https://a/b", "https://a\"b"] {
            assert!(bad.parse::<PublicUrl>().is_err(), "{bad}");
        }
    }
}
