//! Real nginx and real Caddy in front of a server, with the files of `deploy/`: only host, ports, certificate and
//! waits are others.

use crate::harness::PATIENCE;
use crate::reach::{Authority, Folder};
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// For how long nginx lets a connection be silent in tests, in seconds; in `deploy/` it is a minute.
pub const SILENCE_S: u32 = 2;

/// Which program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// nginx.
    Nginx,
    /// Caddy.
    Caddy,
}

/// A running proxy; it ends when dropped.
pub struct Front {
    /// Where it speaks TLS.
    pub address: SocketAddr,
    /// Where it speaks HTTP alone, if it does.
    pub plain: Option<SocketAddr>,
    /// Whose certificate it shows.
    pub authority: Authority,
    process: Child,
    _folder: Folder,
}

impl Front {
    /// Starts it in front of the server at `upstream`, which has this base path. Panics with what to install
    /// when it cannot.
    pub fn start(program: Program, upstream: SocketAddr, base: &str) -> Self {
        Self::launch(program, |folder, address, plain| match program {
            Program::Nginx => nginx(folder, address, plain, &Upstream::One(upstream, base)),
            Program::Caddy => caddy(folder, address, upstream, base),
        })
    }

    /// Starts nginx in front of the servers A and B of a site.
    pub fn of_site(servers: [SocketAddr; 2]) -> Self {
        Self::launch(Program::Nginx, |folder, address, plain| {
            nginx(folder, address, plain, &Upstream::Site(servers))
        })
    }

    fn launch(
        program: Program,
        command: impl FnOnce(&Folder, SocketAddr, SocketAddr) -> Command,
    ) -> Self {
        let (folder, authority) = (Folder::new(), Authority::new());
        authority.certify(&folder);
        let (address, plain) = (free(), free());
        let mut command = command(&folder, address, plain);
        let log = fs::File::create(folder.at("log")).expect("a file");
        let process = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file"))
            .stderr(log)
            .spawn()
            .expect("it starts; on Debian: apt-get install nginx-light caddy");
        let plain = (program == Program::Nginx).then_some(plain);
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            let log = || fs::read_to_string(folder.at("log")).unwrap_or_default();
            assert!(began.elapsed() < PATIENCE, "{program:?} does not listen: {}", log());
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { address, plain, authority, process, _folder: folder }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        // Not killed, as nginx's workers would stay; it may have ended already.
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}

/// An address that was free a moment ago: neither program can be asked which port it took.
fn free() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("bound")
}

/// A file of `deploy/`.
pub fn deployed(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name);
    fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// Puts something else in the place of what the file says, which has to be there.
fn replace(text: &mut String, from: &str, to: &str) {
    assert!(text.contains(from), "there is no {from:?} any more in:\n{text}");
    *text = text.replace(from, to);
}

/// What nginx stands in front of.
enum Upstream<'a> {
    /// A server, with its base path.
    One(SocketAddr, &'a str),
    /// Those of a site.
    Site([SocketAddr; 2]),
}

fn nginx(
    folder: &Folder,
    address: SocketAddr,
    plain: SocketAddr,
    upstream: &Upstream<'_>,
) -> Command {
    let mut site = deployed("nginx.conf");
    let pem = |name| folder.at(name).display().to_string();
    for (from, to) in [
        ("listen 80;", format!("listen {plain};")),
        ("listen 443 ssl;", format!("listen {address} ssl;")),
        ("    listen [::]:80;\n", String::new()),
        ("    listen [::]:443 ssl;\n", String::new()),
        ("server_name game.example;", "server_name localhost;".into()),
        ("/etc/letsencrypt/live/game.example/fullchain.pem", pem("cert.pem")),
        ("/etc/letsencrypt/live/game.example/privkey.pem", pem("key.pem")),
        ("_timeout 60s;", format!("_timeout {SILENCE_S}s;")),
    ] {
        replace(&mut site, from, &to);
    }
    match upstream {
        Upstream::One(upstream, base) => {
            replace(&mut site, "server 127.0.0.1:8080;", &format!("server {upstream};"));
            replace(&mut site, "location / {", &format!("location {base}/ {{"));
        }
        Upstream::Site([a, b]) => {
            let mut servers = deployed("nginx-site.conf");
            replace(&mut servers, "server 10.0.0.1:8080;", &format!("server {a};"));
            replace(&mut servers, "server 10.0.0.2:8080;", &format!("server {b};"));
            // As the file says.
            let one = "upstream gamekeeper {\n    server 127.0.0.1:8080;\n}\n";
            replace(&mut site, one, &servers);
            replace(&mut site, "http://gamekeeper;", "http://$gamekeeper_server;");
        }
    }
    let site = folder.write("site.conf", &site);
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|what| format!("{what}_temp_path {}/{what};", folder.path().display()))
        .join(" ");
    let main = format!(
        "daemon off; pid {folder}/pid; error_log stderr warn; events {{ }}\n\
         http {{ access_log off; {temporary} include {site}; }}\n",
        folder = folder.path().display(),
        site = site.display()
    );
    let main = folder.write("nginx.conf", &main);
    let mut command = Command::new(found("nginx", "/usr/sbin/nginx"));
    command.arg("-p").arg(folder.path()).arg("-c").arg(main).args(["-e", "stderr"]);
    command
}

fn caddy(folder: &Folder, address: SocketAddr, upstream: SocketAddr, base: &str) -> Command {
    let mut site = deployed("Caddyfile");
    let (certificate, key) = (folder.at("cert.pem"), folder.at("key.pem"));
    let head = format!(
        "https://localhost:{} {{\n\tbind 127.0.0.1\n\ttls {} {}",
        address.port(),
        certificate.display(),
        key.display()
    );
    replace(&mut site, "\ngame.example {", &format!("\n{head}"));
    let to = if base.is_empty() { String::new() } else { format!("{base}/* ") };
    replace(
        &mut site,
        "\treverse_proxy 127.0.0.1:8080",
        &format!("\treverse_proxy {to}{upstream}"),
    );
    let options = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n";
    let file = folder.write("Caddyfile", &format!("{options}{site}"));
    let mut command = Command::new(found("caddy", "/usr/bin/caddy"));
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file);
    command.env("HOME", folder.path()).env("XDG_DATA_HOME", folder.path());
    command.env("XDG_CONFIG_HOME", folder.path());
    command
}

/// A program, also where only root has its folder in the path.
fn found(name: &str, usual: &str) -> PathBuf {
    if Path::new(usual).exists() { usual.into() } else { name.into() }
}
