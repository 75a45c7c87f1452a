//! Who operates the server and who reads its metrics, and what they prove it with.

use clap::Args;
use core::convert::Infallible;
use core::fmt;
use core::str::FromStr;
use std::path::{Path, PathBuf};

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

    /// What whoever collects the metrics shows to read /metrics from anywhere, at least 16 characters; it opens nothing
    /// else, so that a monitoring system need not know the token that operates the server.
    #[arg(long, env = "GAMEKEEPER_METRICS_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub metrics_token: Option<Secret>,

    /// File whose first line is that token, read at the start and at each reload. Set this or the token, not both.
    #[arg(long, env = "GAMEKEEPER_METRICS_TOKEN_FILE", value_name = "FILE")]
    pub metrics_token_file: Option<PathBuf>,
}

/// The tokens that are set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// The operator's, which opens everything.
    pub operator: Option<Secret>,
    /// That of whoever reads the metrics, which opens nothing else.
    pub metrics: Option<Secret>,
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
    /// The tokens that are set, read from their files where they are in some. Errors with a sentence when one is too
    /// short or cannot be read, or when both are the same.
    pub fn tokens(&self) -> Result<Tokens, String> {
        let operator =
            token("admin_token", self.admin_token.as_ref(), self.admin_token_file.as_deref())?;
        let metrics = token(
            "metrics_token",
            self.metrics_token.as_ref(),
            self.metrics_token_file.as_deref(),
        )?;
        if operator.is_some() && operator == metrics {
            return Err("metrics_token and admin_token are the same: whoever reads the metrics would operate the \
                        server. Leave metrics_token out, or set another one."
                .into());
        }
        Ok(Tokens { operator, metrics })
    }
}

/// The token that the setting `name` has, or the file that `name` with `_file` names.
fn token(
    name: &str,
    token: Option<&Secret>,
    file: Option<&Path>,
) -> Result<Option<Secret>, String> {
    let (token, whence) = match (token, file) {
        (Some(_), Some(_)) => return Err(format!("Set {name} or {name}_file, not both.")),
        (Some(token), None) => (token.0.clone(), name.to_owned()),
        (None, Some(file)) => {
            let whence = format!("the first line of {}", file.display());
            let text = std::fs::read_to_string(file)
                .map_err(|why| format!("{name}_file: cannot read {}: {why}.", file.display()))?;
            (text.lines().next().unwrap_or_default().to_owned(), whence)
        }
        (None, None) => return Ok(None),
    };
    let token = Secret(token.trim().to_owned());
    token.check(&whence)?;
    Ok(Some(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(token: &str) -> AdminConfig {
        AdminConfig { admin_token: Some(token.parse().unwrap()), ..AdminConfig::default() }
    }

    #[test]
    fn a_token_is_long_enough_and_printed_nowhere() {
        assert_eq!(AdminConfig::default().tokens(), Ok(Tokens::default()));
        let good = with("sixteen-letters!");
        assert_eq!(good.tokens().unwrap().operator.unwrap().reveal(), "sixteen-letters!");
        assert!(!format!("{good:?}").contains("sixteen"));
        for bad in [
            "",
            "fifteen-letters",
            "               ",
            "with a space in the middle",
            "ünïcödé-ünïcödé-ünïcödé",
        ] {
            let sentence = with(bad).tokens().unwrap_err();
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
        let at = AdminConfig { admin_token_file: Some(file.clone()), ..AdminConfig::default() };
        assert!(at.tokens().unwrap_err().contains("cannot read"));
        std::fs::write(&file, "0123456789abcdef\r\nanother line\n").unwrap();
        assert_eq!(at.tokens().unwrap().operator.unwrap().reveal(), "0123456789abcdef");
        let both = AdminConfig { admin_token: "0123456789abcdef".parse().ok(), ..at.clone() };
        assert!(both.tokens().unwrap_err().contains("not both"));
        std::fs::remove_file(&file).unwrap();
    }
    #[test]
    fn the_token_for_metrics_is_another_one() {
        let both = |metrics: &str| {
            let metrics_token = metrics.parse().ok();
            AdminConfig { metrics_token, ..with("sixteen-letters!") }.tokens()
        };
        let sentence = both("sixteen-letters!").unwrap_err();
        assert!(sentence.contains("the same") && !sentence.contains("letters"), "{sentence}");
        assert!(both("short").unwrap_err().starts_with("metrics_token is too short"));
        assert_eq!(both("sixteen-letters?").unwrap().metrics, "sixteen-letters?".parse().ok());
    }
}
