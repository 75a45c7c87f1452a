//! TLS: a certificate and its key out of two files, looked at again while the server runs. Comes in: the
//! files. Goes out: what new connections are encrypted with; those that are open keep what they have.

use anyhow::{Context, Result, anyhow};
use arc_swap::ArcSwap;
use parking_lot::Mutex;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::time::{Duration, sleep};
use tokio_rustls::TlsAcceptor;

/// A certificate and its key, as they are now.
#[derive(Debug)]
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    current: Arc<Current>,
    config: Arc<ServerConfig>,
    /// What was in the files when they were last looked at, whatever became of it.
    seen: Mutex<Files>,
}

/// What is in the two files.
#[derive(PartialEq, Eq)]
struct Files {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl fmt::Debug for Files {
    // A key is for no log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Files")
    }
}

/// What new connections are given.
#[derive(Debug)]
struct Current(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl Tls {
    /// Reads the two files. Errors name the file and what is wrong with it.
    pub fn open(certificate: &Path, key: &Path) -> Result<Self> {
        let files = read(certificate, key)?;
        let pair = parse(&files, certificate, key)?;
        let current = Arc::new(Current(ArcSwap::from_pointee(pair)));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .context("this build has no TLS")?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            certificate: certificate.into(),
            key: key.into(),
            current,
            config: Arc::new(config),
            seen: Mutex::new(files),
        })
    }

    /// Reads the files again: whether there was anything new, which is used from now on. On an error what was
    /// used before still is.
    pub fn reload(&self) -> Result<bool> {
        let files = read(&self.certificate, &self.key)?;
        let pair = parse(&files, &self.certificate, &self.key);
        let mut seen = self.seen.lock();
        *seen = files;
        let pair = pair?;
        let is_new = self.current.0.load().cert != pair.cert;
        if is_new {
            self.current.0.store(Arc::new(pair));
        }
        Ok(is_new)
    }

    /// Looks at the files now and then, until dropped: what is new is taken, what is broken is told once.
    pub(super) async fn watch(self: Arc<Self>, every: Duration) {
        // A file that cannot be read is told once as well.
        let mut told = String::new();
        loop {
            sleep(every).await;
            let this = Arc::clone(&self);
            // A panic in there would be one of the system's; the next look tries again.
            let Ok(looked) = tokio::task::spawn_blocking(move || this.look()).await else {
                continue;
            };
            match looked {
                Ok(is_new) => {
                    // The same mistake is told again when it is made again.
                    told.clear();
                    if !is_new {
                        continue;
                    }
                    tracing::info!(file = %self.certificate.display(), "the new certificate is used from now on");
                }
                Err(why) => {
                    let why = format!("{why:#}");
                    if why != told {
                        tracing::warn!(
                            "the new certificate is not used, the old one still is: {why}"
                        );
                        told = why;
                    }
                }
            }
        }
    }

    /// As [`Self::reload`], but only when something in the files changed.
    fn look(&self) -> Result<bool> {
        let files = read(&self.certificate, &self.key)?;
        if *self.seen.lock() == files {
            return Ok(false);
        }
        self.reload()
    }

    /// What makes TLS of a connection.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        Arc::clone(&self.config).into()
    }
}

fn read(certificate: &Path, key: &Path) -> Result<Files> {
    let read = |what, path: &Path| {
        fs::read(path).with_context(|| format!("Cannot read the {what} {}", path.display()))
    };
    Ok(Files { certificate: read("certificate", certificate)?, key: read("key", key)? })
}

fn parse(files: &Files, certificate: &Path, key: &Path) -> Result<CertifiedKey> {
    let chain = CertificateDer::pem_slice_iter(&files.certificate).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|why| anyhow!("{} is no PEM: {why}", certificate.display()))?;
    if chain.is_empty() {
        return Err(anyhow!("{} has no certificate in it", certificate.display()));
    }
    let secret = PrivateKeyDer::from_pem_slice(&files.key).map_err(|why| match why {
        pem::Error::NoItemsFound => anyhow!("{} has no private key in it", key.display()),
        why => anyhow!("{} is no PEM: {why}", key.display()),
    })?;
    CertifiedKey::from_der(chain, secret, &ring::default_provider()).map_err(|why| match why {
        rustls::Error::InconsistentKeys(_) => {
            anyhow!("{} is not the key of {}", key.display(), certificate.display())
        }
        why => anyhow!("{} and {} cannot be used: {why}", certificate.display(), key.display()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder =
            std::env::temp_dir().join(format!("gamekeeper-tls-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn pair() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    #[test]
    fn a_new_pair_is_taken_and_a_broken_one_is_not() {
        let folder = folder("pairs");
        let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        let write = |pair: &(String, String)| {
            fs::write(&certificate, &pair.0).unwrap();
            fs::write(&key, &pair.1).unwrap();
        };
        let (first, second) = (pair(), pair());
        write(&first);
        let tls = Tls::open(&certificate, &key).unwrap();
        let used = || tls.current.0.load().cert[0].to_vec();
        let before = used();
        assert!(!tls.look().unwrap() && !tls.reload().unwrap());

        fs::write(&certificate, &second.0).unwrap();
        let said = format!("{:#}", tls.look().unwrap_err());
        assert!(said.contains("key.pem is not the key of"), "{said}");
        assert!(!tls.look().unwrap(), "the same is not told again");
        assert_eq!(used(), before);
        assert!(tls.reload().is_err(), "who asks is told again");

        fs::write(&key, &second.1).unwrap();
        assert!(tls.look().unwrap());
        assert_ne!(used(), before);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_wrong_is_told_with_the_file() {
        let folder = folder("wrong");
        let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        let (good_certificate, good_key) = pair();
        let broken = "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n";
        let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (c, k, part) in [
            ("", &good_key[..], "cert.pem has no certificate"),
            (&good_key, &good_key, "cert.pem has no certificate"),
            (broken, &good_key, "cert.pem is no PEM"),
            (no_certificate, &good_key, "cannot be used"),
            (&good_certificate, "", "key.pem has no private key"),
            (&good_certificate, &good_certificate, "key.pem has no private key"),
        ] {
            fs::write(&certificate, c).unwrap();
            fs::write(&key, k).unwrap();
            let said = format!("{:#}", Tls::open(&certificate, &key).unwrap_err());
            assert!(said.contains(part), "{said}");
        }
        fs::remove_file(&key).unwrap();
        let said = format!("{:#}", Tls::open(&certificate, &key).unwrap_err());
        assert!(said.contains("Cannot read the key") && said.contains("key.pem"), "{said}");
        fs::remove_dir_all(folder).unwrap();
    }
}
