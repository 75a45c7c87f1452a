//! Several servers that are one site.

use super::{ReachConfig, Secret, yes_or_no};
use crate::code::Letter;
use clap::{ArgAction, Args};
use hyper::http::uri::Authority;
use std::fmt;
use std::str::FromStr;

/// Several servers that are one site.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Several servers")]
pub struct SiteConfig {
    /// All servers that are one site to whoever comes, this one included: of each a letter or digit, =, and where the
    /// others reach it over plain HTTP, such as `A=http://10.0.0.1:8080`; several with commas, and the same list on all of
    /// them. Each passes on what is for a session of another one. Their addresses have to be among `trusted_proxies`.
    #[arg(long, env = "GAMEKEEPER_SITE", value_name = "LETTER=URL", value_delimiter = ',')]
    pub site: Vec<SiteServer>,

    /// Which of `site` this server is: the letter or digit that the codes of its sessions begin with.
    #[arg(long, env = "GAMEKEEPER_SITE_LETTER", value_name = "LETTER")]
    pub site_letter: Option<Letter>,

    /// What its servers show each other, at least 16 characters, the same on all of them. With it a server that is to stop
    /// hands its sessions over to the others, where their matches go on; without it they wait for its next start. Other
    /// users of this machine may see flags: better set it in the environment or in a file.
    #[arg(long, env = "GAMEKEEPER_SITE_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub site_secret: Option<Secret>,

    /// Whether a server that has more to do than it can lets go of a session where another one has room for it: its match
    /// goes on there. It needs `site_secret`, and a proxy that leads people to the server that they want.
    #[arg(long, env = "GAMEKEEPER_SITE_RELIEF", value_name = "yes|no", default_value = "yes",
          action = ArgAction::Set, value_parser = yes_or_no)]
    pub site_relief: bool,
}

impl Default for SiteConfig {
    fn default() -> Self {
        Self { site: Vec::new(), site_letter: None, site_secret: None, site_relief: true }
    }
}

impl SiteConfig {
    /// What does not go together, a sentence each.
    pub(super) fn contradictions(&self, reach: &ReachConfig) -> Vec<String> {
        let secret = self.site_secret.as_ref().map(|secret| secret.check("site_secret"));
        let mut wrong: Vec<_> = secret.into_iter().filter_map(Result::err).collect();
        let Some(own) = self.site_letter else {
            if !self.site.is_empty() {
                wrong.push("site needs site_letter, which says which one this server is.".into());
            }
            return wrong;
        };
        if !self.site.iter().any(|server| server.letter == own) {
            wrong.push(format!("site_letter is {own}, of which site has no server."));
        }
        for (at, server) in self.site.iter().enumerate() {
            if self.site[..at].iter().any(|before| before.letter == server.letter) {
                wrong.push(format!("site has two servers called {}.", server.letter));
            }
        }
        let others = self.site.iter().filter(|server| server.letter != own);
        if others.count() == 0 {
            return wrong;
        }
        for (is_so, sentence) in [
            (
                reach.trusted_proxies.is_empty(),
                "site: its servers pass requests on, so trusted_proxies has to name their addresses.",
            ),
            (
                reach.tls_cert.is_some(),
                "site: its servers reach each other over plain HTTP, which tls_cert switches off; let the proxy in \
                 front of them speak TLS.",
            ),
            (
                reach.proxy_protocol,
                "site: its servers do not speak the PROXY protocol to each other; let the proxy in front of them \
                 write proxy_header instead.",
            ),
        ] {
            if is_so {
                wrong.push(sentence.into());
            }
        }
        wrong
    }
}

/// One server of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteServer {
    /// What the codes of its sessions begin with.
    pub letter: Letter,
    /// Host and port.
    pub authority: Authority,
}

impl FromStr for SiteServer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            "a letter or digit, = and a URL are needed, such as A=http://10.0.0.1:8080".to_owned()
        };
        let (letter, url) = text.split_once('=').ok_or_else(wrong)?;
        let letter = letter.trim().parse()?;
        let host = url.trim().strip_prefix("http://").ok_or_else(wrong)?;
        let authority: Authority = host.trim_end_matches('/').parse().map_err(|_| wrong())?;
        if authority.host().is_empty() || authority.as_str().contains('@') {
            return Err(wrong());
        }
        Ok(Self { letter, authority })
    }
}

impl fmt::Display for SiteServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=http://{}", self.letter, self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::FromArgMatches;

    fn parse(flags: &[&str]) -> Result<SiteConfig, String> {
        let settings = SiteConfig::augment_args(clap::Command::new("gamekeeper"));
        let matches = settings.try_get_matches_from([&["gamekeeper"], flags].concat());
        let site = matches.and_then(|matches| SiteConfig::from_arg_matches(&matches));
        site.map_err(|why| why.to_string())
    }

    fn trusting() -> ReachConfig {
        ReachConfig {
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
            ..ReachConfig::default()
        }
    }

    #[test]
    fn servers_have_a_letter_and_a_place() {
        let site =
            parse(&["--site", "A=http://10.0.0.1:8080,b=http://[fd00::1]:80/,2=http://g.test"])
                .unwrap();
        let said: Vec<_> = site.site.iter().map(ToString::to_string).collect();
        assert_eq!(said, ["A=http://10.0.0.1:8080", "B=http://[fd00::1]:80", "2=http://g.test"]);
        for bad in [
            "A",
            "A=",
            "A=10.0.0.1:80",
            "A=https://a",
            "AB=http://a",
            "A=http://",
            "A=http://x@a",
            "A=http://a/b",
        ] {
            assert!(parse(&["--site", bad]).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_belongs_together_is_set_together() {
        let two = "--site=A=http://10.0.0.1:80,B=http://10.0.0.2:80";
        let wrong =
            |flags: &[&str], reach: &ReachConfig| parse(flags).unwrap().contradictions(reach);
        assert_eq!(wrong(&[], &ReachConfig::default()), [""; 0]);
        assert_eq!(wrong(&[two, "--site-letter=A"], &trusting()), [""; 0]);
        for (flags, reach, word) in [
            (&[two][..], trusting(), "site_letter"),
            (&[two, "--site-letter=C"], trusting(), "no server"),
            (&["--site-letter=C"], trusting(), "no server"),
            (&[two, "--site-letter=A"], ReachConfig::default(), "trusted_proxies"),
            (
                &[two, "--site-letter=A"],
                ReachConfig { tls_cert: Some("c".into()), ..trusting() },
                "tls_cert",
            ),
            (
                &[two, "--site-letter=A"],
                ReachConfig { proxy_protocol: true, ..trusting() },
                "PROXY",
            ),
            (&["--site=A=http://a,A=http://b", "--site-letter=A"], trusting(), "two servers"),
            (&[two, "--site-letter=A", "--site-secret=short"], trusting(), "too short"),
        ] {
            let wrong = wrong(flags, &reach);
            assert!(wrong.len() == 1 && wrong[0].contains(word), "{flags:?}: {wrong:?}");
        }
    }
}
