//! Who operates the server, and what they prove it with.

use clap::Args;
use core::convert::Infallible;
use core::fmt;
use core::str::FromStr;
use std::path::PathBuf;

/// Characters that a token or secret of the settings has at least; a shorter one is refused with a sentence.
pub const SECRET_CHARS_MIN: usize = 16;

/// Who operates the server.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Operating it")]
pub struct AdminConfig {
    /// What whoever operates the server shows to use the page at /admin, at least 16 characters. Without one there is
    /// no such page. Other users of this machine may see flags: better set it in the environment or in a file.
    #[arg(long, env = "GAMEKEEPER_ADMIN_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub admin_token: Option<Secret>,

    /// File whose first line is that token, read at the start and at each reload, for a secret that is handed over as a
    /// file. Set this or the token, not both.
    #[arg(long, env = "GAMEKEEPER_ADMIN_TOKEN_FILE", value_name = "FILE")]
    pub admin_token_file: Option<PathBuf>,
}

/// A token or secret of the settings, which nothing prints.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Itself, to be hashed or shown to whom it is for, and nothing else.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// A sentence about what is wrong with it, which stands in `whence`.
    pub(super) fn check(&self, whence: &str) -> Result<(), String> {
        if self.0.chars().count() < SECRET_CHARS_MIN {
            return Err(format!(
                "{whence} is too short to be safe: at least {SECRET_CHARS_MIN} characters are needed, as from: \
                 openssl rand -hex 16"
            ));
        }
        if !self.0.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!(
                "{whence} may have no spaces and nothing but ASCII: it travels in a header."
            ));
        }
        Ok(())
    }
}

impl FromStr for Secret {
    /// How long it is is checked by `Secret::check`: what a flag's parser refuses is printed.
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl AdminConfig {
    /// The token that is set, read from its file where it is in one; `None` where there is none. Errors with a
    /// sentence when it is too short or cannot be read.
    pub fn token(&self) -> Result<Option<Secret>, String> {
        let (token, whence) = match (&self.admin_token, &self.admin_token_file) {
            (Some(_), Some(_)) => {
                return Err("Set admin_token or admin_token_file, not both.".into());
            }
            (Some(token), None) => (token.0.clone(), "admin_token".to_owned()),
            (None, Some(file)) => {
                let whence = format!("the first line of {}", file.display());
                let text = std::fs::read_to_string(file).map_err(|why| {
                    format!("admin_token_file: cannot read {}: {why}.", file.display())
                })?;
                (text.lines().next().unwrap_or_default().to_owned(), whence)
            }
            (None, None) => return Ok(None),
        };
        let token = Secret(token.trim().to_owned());
        token.check(&whence)?;
        Ok(Some(token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(token: &str) -> AdminConfig {
        AdminConfig { admin_token: Some(token.parse().unwrap()), admin_token_file: None }
    }

    #[test]
    fn a_token_is_long_enough_and_printed_nowhere() {
        assert_eq!(AdminConfig::default().token(), Ok(None));
        let good = with("sixteen-letters!");
        assert_eq!(good.token().unwrap().unwrap().reveal(), "sixteen-letters!");
        assert!(!format!("{good:?}").contains("sixteen"));
        for bad in [
            "",
            "fifteen-letters",
            "               ",
            "with a space in the middle",
            "ünïcödé-ünïcödé-ünïcödé",
        ] {
            let sentence = with(bad).token().unwrap_err();
            assert!(
                sentence.contains("admin_token")
                    && (bad.is_empty() || !sentence.contains(bad.trim()) || bad.trim().is_empty()),
                "{sentence}"
            );
        }
    }

    #[test]
    fn a_file_has_it_in_its_first_line() {
        let file = std::env::temp_dir().join(format!("gamekeeper-token-{}", std::process::id()));
        let at = AdminConfig { admin_token: None, admin_token_file: Some(file.clone()) };
        assert!(at.token().unwrap_err().contains("cannot read"));
        std::fs::write(&file, "0123456789abcdef\r\nanother line\n").unwrap();
        assert_eq!(at.token().unwrap().unwrap().reveal(), "0123456789abcdef");
        let both = AdminConfig { admin_token: "0123456789abcdef".parse().ok(), ..at.clone() };
        assert!(both.token().unwrap_err().contains("not both"));
        std::fs::remove_file(&file).unwrap();
    }
}
