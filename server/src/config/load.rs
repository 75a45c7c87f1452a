//! Where settings come from: flags before environment variables before the file before what suits the game before
//! defaults, all under the same names. clap's arguments are the only list of settings there is; the file's values become flags that stand
//! in front of the real ones.

use super::file::{self, FileErrors, FileSetting};
use super::{Config, RESTART};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// What every environment variable of ours begins with.
const PREFIX: &str = "GAMEKEEPER_";

/// Gamekeeper: a multiplayer game server that you host yourself. Run it and open the address it
/// prints; whoever opens the same address plays with you.
///
/// Every setting can stand in a TOML file as well (round_seconds = 120), and in the environment
/// (GAMEKEEPER_ROUND_SECONDS=120). A flag goes before the environment, and that before the file.
#[derive(Clone, Debug, Parser)]
#[command(name = "gamekeeper", version)]
pub struct Cli {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Todo>,

    /// File with settings, in TOML; SIGHUP reads it again.
    #[arg(long, env = "GAMEKEEPER_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// All settings.
    #[command(flatten)]
    pub settings: Config,
}

/// What to do instead of serving.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Todo {
    /// Says whether settings make sense, and in which lines of the file they do not; nothing is started.
    Check {
        /// The file; the one that the server would read when left out.
        file: Option<PathBuf>,
    },
    /// Asks the server that runs with these settings whether it is well: status 0, or a sentence. For containers.
    Health,
}

/// What suits a game better than our defaults: settings by name, as [`shared::game::Game::USUAL_SETTINGS`] has them.
pub type UsualSettings = &'static [(&'static str, &'static str)];

/// Settings, and where they came from.
#[derive(Clone)]
pub struct Loaded {
    /// What to do instead of serving.
    pub command: Option<Todo>,
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// The settings.
    pub config: Config,
    /// What is probably a mistake.
    pub warnings: Vec<String>,
    args: Vec<OsString>,
    usual: UsualSettings,
    /// Of each setting what it was given as, and what it was given as when the process started.
    given: BTreeMap<String, Vec<OsString>>,
    started: BTreeMap<String, Vec<OsString>>,
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Flags or environment variables; knows how to print itself, and help and version are among it.
    #[error(transparent)]
    Flags(#[from] clap::Error),
    /// The file.
    #[error(transparent)]
    File(#[from] FileErrors),
    /// Settings that do not go together.
    #[error("{}", .0.join("\n"))]
    Together(Vec<String>),
}

/// What a reload did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Settings that are others from now on.
    pub taken: Vec<String>,
    /// Settings that are others only after a restart.
    pub need_restart: Vec<String>,
}

/// Reads settings: `args` as a process gets them, the environment, the file that either names, and what is `usual` where
/// none of these says anything. Panics where a usual setting does not exist.
pub fn load(
    args: impl IntoIterator<Item = OsString>,
    usual: UsualSettings,
) -> Result<Loaded, LoadError> {
    let args: Vec<_> = args.into_iter().collect();
    let cli = || {
        usual.iter().fold(Cli::command(), |cli, &(name, value)| {
            if !cli.get_arguments().any(|arg| arg.get_id() == name) {
                panic!("USUAL_SETTINGS of the game: {}", file::unknown(name, &settings()));
            }
            cli.mut_arg(name, |arg| arg.default_value(value))
        })
    };
    let matches = cli().try_get_matches_from(&args)?;
    let command = Cli::from_arg_matches(&matches)?.command;
    let named = match &command {
        Some(Todo::Check { file: Some(file) }) => Some(file.clone()),
        _ => matches.get_one::<PathBuf>("config").cloned(),
    };
    let settings = settings();
    let in_file = match &named {
        Some(path) => file::read(path, &settings)?,
        None => Vec::new(),
    };
    let matches = cli().try_get_matches_from(with_file(&args, &matches, &in_file))?;
    let config = Config::from_arg_matches(&matches)?;
    config.validate().map_err(LoadError::Together)?;
    let ids = settings.get_arguments().map(|arg| arg.get_id().as_str());
    let given = ids.map(|id| {
        let raw = matches.get_raw(id).into_iter().flatten();
        (id.to_owned(), raw.map(ToOwned::to_owned).collect())
    });
    let given: BTreeMap<_, _> = given.collect();
    let (started, warnings) = (given.clone(), strange_variables());
    Ok(Loaded { command, file: named, config, warnings, args, usual, given, started })
}

/// The arguments with what the file says in front, but for what flags or the environment say too.
fn with_file(args: &[OsString], matches: &ArgMatches, in_file: &[FileSetting]) -> Vec<OsString> {
    let stronger = |key: &str| {
        let source = matches.value_source(key);
        matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable))
    };
    let weaker = in_file.iter().filter(|setting| !stronger(&setting.key));
    let flags = weaker.map(|s| format!("--{}={}", s.key.replace('_', "-"), s.text).into());
    let (program, rest) = args.split_at(1.min(args.len()));
    program.iter().cloned().chain(flags).chain(rest.iter().cloned()).collect()
}

/// Environment variables with our prefix that mean nothing. They are no errors: where a service is called
/// gamekeeper, Kubernetes sets some of its own.
fn strange_variables() -> Vec<String> {
    let cli = Cli::command();
    let names: Vec<_> = cli.get_arguments().filter_map(clap::Arg::get_env).collect();
    let all = std::env::vars_os().map(|(name, _)| name);
    let ours = all.filter(|name| name.to_string_lossy().starts_with(PREFIX));
    let strange = ours.filter(|name| !names.contains(&name.as_os_str()));
    let told = strange.map(|name| {
        let key = name.to_string_lossy()[PREFIX.len()..].to_lowercase();
        format!("environment variable {}: {}", name.to_string_lossy(), file::unknown(&key, &cli))
    });
    told.collect()
}

impl core::fmt::Debug for Loaded {
    /// Flags and settings as they were given may have a secret among them.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Loaded").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Loaded {
    /// Reads everything again from where it came from, and says what is different. On an error nothing changes.
    pub fn reload(&mut self) -> Result<Changes, LoadError> {
        let fresh = load(self.args.clone(), self.usual)?;
        let mut changes = Changes::default();
        for (key, given) in &fresh.given {
            if RESTART.contains(&key.as_str()) {
                // Not since the last time: what was changed and changed back is what runs.
                if self.started.get(key) != Some(given) {
                    changes.need_restart.push(key.clone());
                }
            } else if self.given.get(key) != Some(given) {
                changes.taken.push(key.clone());
            }
        }
        let started = core::mem::take(&mut self.started);
        *self = Self { started, ..fresh };
        Ok(changes)
    }
}

/// Every setting, as arguments of one command.
pub fn settings() -> clap::Command {
    Config::augment_args(clap::Command::new("gamekeeper"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load_with(file: &str, flags: &[&str]) -> Result<Loaded, LoadError> {
        let folder = std::env::temp_dir().join(format!("gamekeeper-{:x}", rand::random::<u64>()));
        std::fs::create_dir(&folder).unwrap();
        let path = folder.join("x.toml");
        std::fs::write(&path, file).unwrap();
        let args = ["gamekeeper", "--config", path.to_str().unwrap()];
        let loaded = load(args.iter().chain(flags).map(OsString::from), &[]);
        std::fs::remove_dir_all(&folder).unwrap();
        loaded
    }

    #[test]
    fn flags_go_before_the_file_and_that_before_defaults() {
        let loaded = load_with("tick_rate = 20\npilots = 7\n", &["--pilots", "9"]).unwrap();
        let Config { tick_rate, pilots, round_seconds, .. } = loaded.config;
        assert_eq!((tick_rate, pilots, round_seconds), (20, 9, Config::ROUND_SECONDS));
    }

    #[test]
    fn what_suits_a_game_goes_before_defaults_and_nothing_else() {
        let folder = std::env::temp_dir().join(format!("gamekeeper-{:x}", rand::random::<u64>()));
        std::fs::create_dir(&folder).unwrap();
        let path = folder.join("x.toml");
        std::fs::write(&path, "pilots = 7\n").unwrap();
        let args = ["gamekeeper", "--config", path.to_str().unwrap(), "--max-players", "9"];
        let usual = &[("pilots", "1"), ("max_players", "2"), ("tick_rate", "20")];
        let mut loaded = load(args.iter().map(OsString::from), usual).unwrap();
        std::fs::write(&path, "round_seconds = 60\n").unwrap();
        let values = |config: &Config| (config.pilots, config.max_players, config.tick_rate);
        assert_eq!(values(&loaded.config), (7, 9, 20));
        let changes = loaded.reload().unwrap();
        assert_eq!(changes.taken, ["pilots", "round_seconds"]);
        assert_eq!(values(&loaded.config), (1, 9, 20));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    #[should_panic(expected = "tickrate")]
    fn what_suits_a_game_is_among_what_there_is() {
        drop(load(["gamekeeper".into()], &[("tickrate", "20")]));
    }

    #[test]
    fn a_setting_of_the_file_may_not_be_one_that_only_flags_have() {
        for key in ["config", "help", "version"] {
            let why = load_with(&format!("{key} = \"x\"\n"), &[]).unwrap_err().to_string();
            assert!(why.contains(&format!("x.toml:1: there is no setting {key}")), "{why}");
        }
    }

    #[test]
    fn a_reload_says_what_changed_and_what_has_to_wait() {
        let path =
            std::env::temp_dir().join(format!("gamekeeper-{:x}.toml", rand::random::<u64>()));
        std::fs::write(&path, "tick_rate = 20\n").unwrap();
        let args = ["gamekeeper", "--config", path.to_str().unwrap()];
        let mut loaded = load(args.iter().map(OsString::from), &[]).unwrap();
        assert_eq!(loaded.reload().unwrap(), Changes::default());
        std::fs::write(&path, "tick_rate = 25\ndata = \"x\"\n").unwrap();
        let changes = loaded.reload().unwrap();
        assert_eq!(
            (changes.taken, changes.need_restart),
            (vec!["tick_rate".into()], vec!["data".into()])
        );
        // A restart is still due, and is not once the old value is back: that is what runs.
        assert_eq!(loaded.reload().unwrap().need_restart, ["data"]);
        std::fs::write(&path, "tick_rate = 25\n").unwrap();
        assert_eq!(loaded.reload().unwrap().need_restart, Vec::<String>::new());
        std::fs::write(&path, "tick_rate = 1\n").unwrap();
        assert!(loaded.reload().is_err());
        assert_eq!(loaded.config.tick_rate, 25);
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn every_setting_has_the_same_name_everywhere() {
        for arg in settings().get_arguments() {
            let (id, long) = (arg.get_id().as_str(), arg.get_long().expect("a flag"));
            assert_eq!(long, id.replace('_', "-"));
            let variable = arg.get_env().expect("a variable").to_str().unwrap();
            assert_eq!(variable, format!("{PREFIX}{}", id.to_uppercase()));
            assert!(arg.get_help().is_some_and(|help| help.to_string().len() > 20), "{id}");
        }
    }

    #[test]
    fn what_a_restart_is_needed_for_are_settings() {
        let settings = settings();
        let known = |id: &str| settings.get_arguments().any(|arg| arg.get_id() == id);
        RESTART.iter().for_each(|id| assert!(known(id), "{id}"));
    }
}
