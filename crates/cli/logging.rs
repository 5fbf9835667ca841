//! Logs on standard error: a line of text for people, or one JSON object per line for machines.

use std::fmt;
use std::io;
use std::sync::OnceLock;

use clap::ValueEnum;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// How logs are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object per line: timestamp, level, stage, tenant, message and fields.
    Json,
}

static FORMAT: OnceLock<LogFormat> = OnceLock::new();

/// Whether standard error carries JSON and nothing else.
pub(crate) fn is_json() -> bool {
    FORMAT.get() == Some(&LogFormat::Json)
}

/// Starts logging: warnings by default, more with `-v`, errors only with `-q`. JSON also says what
/// every stage did, because nobody watches.
pub(crate) fn start(format: LogFormat, verbose: u8, quiet: bool) {
    // A second start is a test's business; the first one holds.
    let _ = FORMAT.set(format);
    let level = match (quiet, verbose + u8::from(format == LogFormat::Json)) {
        (true, _) => "error",
        (_, 0) => "warn",
        (_, 1) => "info",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_env("ATTACK_FACTOR_LOG").unwrap_or_else(|_| {
        // Other people's crates warn; they say more when asked for by name.
        let others = if quiet { "error" } else { "warn" };
        EnvFilter::new(format!(
            "{others},attack_factor={level},af_engine={level},af_okta_client={level}"
        ))
    });
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_target(false);
    match format {
        LogFormat::Text => logs.event_format(Text).init(),
        LogFormat::Json => logs.json().flatten_event(true).init(),
    }
}

/// `warning: acme: people.csv is gone`
struct Text;

impl<S, N> FormatEvent<S, N> for Text
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut found = Found::default();
        event.record(&mut found);
        let level = match *event.metadata().level() {
            Level::ERROR => "error",
            Level::WARN => "warning",
            Level::INFO => "info",
            Level::DEBUG => "debug",
            Level::TRACE => "trace",
        };
        write!(writer, "{level}: ")?;
        match (found.tenant, found.integration) {
            (Some(tenant), Some(integration)) => write!(writer, "{tenant}/{integration}: ")?,
            (Some(tenant), None) => write!(writer, "{tenant}: ")?,
            (None, _) => {}
        }
        writeln!(writer, "{}", found.message)
    }
}

/// What a line of text needs of an event.
#[derive(Default)]
struct Found {
    message: String,
    tenant: Option<String>,
    integration: Option<String>,
}

impl Visit for Found {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "tenant" => self.tenant = Some(value.to_owned()),
            "integration" => self.integration = Some(value.to_owned()),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        }
    }
}
