//! What the server does when it has more to do than it can.

use super::yes_or_no;
use crate::overload::Shares;
use clap::{ArgAction, Args};

/// What the server does when it has more to do than it can.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Overload")]
pub struct OverloadConfig {
    /// Whether detail is given up, and in the end nobody new is let in, before ticks would be dropped.
    #[arg(long, env = "GAMEKEEPER_OVERLOAD", value_name = "yes|no", default_value = "yes",
          action = ArgAction::Set, value_parser = yes_or_no)]
    pub overload: bool,

    /// Per cent of a tick that a session's work may take, of its time that a thread's sessions may, and of the machine's
    /// cores that all of it may, before detail is given up.
    #[arg(long, env = "GAMEKEEPER_OVERLOAD_BEGINS", value_name = "10..=90", default_value_t = Self::BEGINS,
          value_parser = clap::value_parser!(u8).range(10..=90))]
    pub overload_begins: u8,

    /// The same before nobody new is let in, once no detail is left to give up.
    #[arg(long, env = "GAMEKEEPER_OVERLOAD_CLOSES", value_name = "20..=100", default_value_t = Self::CLOSES,
          value_parser = clap::value_parser!(u8).range(20..=100))]
    pub overload_closes: u8,
}

impl OverloadConfig {
    /// A tick that takes more than this has little left for one in which everybody meets.
    pub const BEGINS: u8 = 60;
    /// Above this the next busy moment drops ticks.
    pub const CLOSES: u8 = 85;

    /// Both shares; `None` where nothing is to be given up.
    pub fn shares(&self) -> Option<Shares> {
        let (begins, closes) = (self.begins(), f64::from(self.overload_closes) / 100.0);
        self.overload.then_some(Shares { begins, closes })
    }

    /// Where detail begins to go.
    pub(crate) fn begins(&self) -> f64 {
        f64::from(self.overload_begins) / 100.0
    }

    /// What is wrong with both together.
    pub(super) fn contradiction(&self) -> Result<(), String> {
        let (begins, closes) = (self.overload_begins, self.overload_closes);
        if begins < closes {
            return Ok(());
        }
        Err(format!(
            "overload_closes: {closes} % has to be above the {begins} % of overload_begins"
        ))
    }
}

impl Default for OverloadConfig {
    fn default() -> Self {
        Self { overload: true, overload_begins: Self::BEGINS, overload_closes: Self::CLOSES }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admission_does_not_close_before_detail_goes() {
        let with = |overload_begins, overload_closes| OverloadConfig {
            overload_begins,
            overload_closes,
            ..OverloadConfig::default()
        };
        assert!(with(60, 85).contradiction().is_ok());
        assert!(with(60, 60).contradiction().is_err() && with(90, 20).contradiction().is_err());
        assert_eq!(OverloadConfig { overload: false, ..with(60, 85) }.shares(), None);
        assert_eq!(with(60, 85).shares(), Some(Shares { begins: 0.6, closes: 0.85 }));
    }
}
