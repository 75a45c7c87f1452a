//! What the operator sees of the server: logs, metrics.

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

/// How lines of the log are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people: a line of text, coloured on a terminal.
    #[default]
    Text,
    /// For programs: a line of JSON.
    Json,
}

/// Who may read the metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum MetricsFor {
    /// Nobody.
    Off,
    /// Programs on this machine that connect directly, and whoever shows a token that is set for it.
    #[default]
    Local,
    /// Everybody who reaches the server.
    Everyone,
}

/// What the operator sees of the server.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Seeing inside")]
pub struct SeeingConfig {
    /// What goes into the log: error, warn, info, debug, trace, or a filter such as
    /// `info,server::net=debug`. More helps to find what is wrong, and fills disks.
    #[arg(long, env = "GAMEKEEPER_LOG", value_name = "FILTER", default_value = Self::LOG,
          value_parser = log_filter)]
    pub log: String,

    /// How lines of the log are written: text for people, json for programs that collect logs.
    #[arg(
        long,
        env = "GAMEKEEPER_LOG_FORMAT",
        value_name = "text|json",
        value_enum,
        default_value = "text"
    )]
    pub log_format: LogFormat,

    /// Who may read /metrics: programs on this machine that connect directly (no proxy before them), everyone,
    /// or nobody. Nothing in the metrics is about a person, but they tell how busy the server is. Unless it is
    /// off, whoever shows metrics_token, or without one the operator's token, may read them too.
    #[arg(
        long,
        env = "GAMEKEEPER_METRICS",
        value_name = "off|local|everyone",
        value_enum,
        default_value = "local"
    )]
    pub metrics: MetricsFor,

    /// Where spans of connections and sessions are sent as OpenTelemetry traces (OTLP over HTTP), such as
    /// `http://127.0.0.1:4318/v1/traces`; nowhere when absent. Needs a binary built with `--features otel`;
    /// another one says that it has no such thing.
    #[arg(long, env = "GAMEKEEPER_OTEL_ENDPOINT", value_name = "URL")]
    pub otel_endpoint: Option<String>,
}

impl SeeingConfig {
    /// What people want to know, without what only developers do.
    pub const LOG: &str = "info";
}

fn log_filter(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text).map_err(|why| format!("it is no filter: {why}"))?;
    Ok(text.to_owned())
}

impl Default for SeeingConfig {
    fn default() -> Self {
        Self {
            log: Self::LOG.into(),
            log_format: LogFormat::default(),
            metrics: MetricsFor::default(),
            otel_endpoint: None,
        }
    }
}
