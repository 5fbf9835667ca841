//! Standard output, standard error, progress and threads.

use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use af_engine::Progress;
use af_report::{Cell, Column, Format};
use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{clock, logging};

/// Sizes the pool of worker threads.
pub(crate) fn start_threads(threads: Option<u16>) -> anyhow::Result<()> {
    if let Some(threads) = threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(usize::from(threads))
            .build_global()
            .context("start worker threads")?;
    }
    Ok(())
}

/// Writes data to standard output.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    print_with(|out| out.write_all(text.as_bytes()))
}

/// Writes data to standard output through a buffer.
pub(crate) fn print_with(
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> anyhow::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    write(&mut out)?;
    out.flush()?;
    Ok(())
}

/// Tells a person something on standard error; in JSON logs it is one more line of them.
pub(crate) fn say(text: &str) {
    if logging::is_json() {
        let text = text.trim();
        if let Some(warning) = text.strip_prefix("warning: ") {
            tracing::warn!("{warning}");
        } else {
            tracing::info!("{text}");
        }
        return;
    }
    // A closed standard error is no reason to fail.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Says that the clock lies before what the store knows, and what was done about it.
pub(crate) fn say_if_clock_is_behind(instant: &af_engine::known::Instant, option: &str) {
    if let Some(known) = instant.clock_is_behind {
        say(&format!(
            "warning: the clock lies before {known}, which the store knows already; what is read \
             counts as known at {} (give {option} for another instant)",
            instant.at
        ));
    }
}

/// Prints rows of a list.
pub(crate) fn print_rows(
    columns: &[Column],
    rows: &[Vec<Cell>],
    format: Format,
) -> anyhow::Result<()> {
    print_with(|out| af_report::render_rows(columns, rows, format, width(), out))
}

/// Prints an account: what came in and where it went.
pub(crate) fn print_account(
    total: (&str, u64),
    parts: &[(&'static str, u64)],
    format: Format,
) -> anyhow::Result<()> {
    let all = || std::iter::once(total).chain(parts.iter().copied());
    let columns: Vec<Column> = all().map(|(name, _)| Column::new(name).right()).collect();
    let row: Vec<Cell> = all().map(|(_, count)| Cell::from(count)).collect();
    print_rows(&columns, &[row], format)
}

/// Width of the terminal on standard output; none when it is a file or a pipe.
pub(crate) fn width() -> Option<u16> {
    if !io::stdout().is_terminal() {
        return None;
    }
    terminal_size::terminal_size().map(|(width, _)| width.0)
}

/// Progress bars on standard error when it is a terminal.
pub(crate) struct Bars {
    shown: bool,
    current: Mutex<Option<ProgressBar>>,
}

impl Bars {
    /// Bars, unless the user wants quiet or nobody watches.
    pub(crate) fn new(quiet: bool) -> Self {
        Self {
            shown: !quiet && !logging::is_json() && io::stderr().is_terminal(),
            current: Mutex::new(None),
        }
    }

    fn with_current(&self, act: impl FnOnce(&mut Option<ProgressBar>)) {
        // A panic elsewhere may poison the lock; a bar is worth showing all the same.
        let mut current = self
            .current
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        act(&mut current);
    }
}

/// A bar of a stage whose total is known.
const SHARE: &str = "{msg:24} {bar:30} {percent:>3} %  {elapsed} (left {eta})";

/// A bar of any other stage.
const COUNT: &str = "{msg:24} {spinner} {human_pos}  {elapsed}";

fn bar_style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Progress for Bars {
    fn begin(&self, stage: &str, total: Option<u64>) {
        if !self.shown {
            return;
        }
        let style = if total.is_some() { SHARE } else { COUNT };
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr_with_hz(5))
            .with_style(bar_style(style))
            .with_message(stage.to_owned());
        // Drawn from the first tick on: short stages end before it.
        bar.enable_steady_tick(Duration::from_secs(2));
        self.with_current(|current| *current = Some(bar));
    }

    fn expect(&self, total: u64) {
        self.with_current(|current| {
            if let Some(bar) = current {
                bar.set_length(total);
                bar.set_style(bar_style(SHARE));
            }
        });
    }

    fn advance(&self, by: u64) {
        self.with_current(|current| {
            if let Some(bar) = current {
                bar.inc(by);
            }
        });
    }

    fn end(&self) {
        self.with_current(|current| {
            if let Some(bar) = current.take() {
                bar.finish_and_clear();
            }
        });
    }
}

/// Bars that also measure how long every stage took.
pub(crate) struct Stopwatch {
    bars: Bars,
    laps: Mutex<Laps>,
}

#[derive(Default)]
struct Laps {
    running: Option<(String, Instant)>,
    /// In the order in which stages first ended.
    done: Vec<(String, Duration)>,
}

impl Laps {
    fn add(&mut self, stage: &str, took: Duration) {
        match self.done.iter_mut().find(|(name, _)| name == stage) {
            Some((_, sum)) => *sum += took,
            None => self.done.push((stage.to_owned(), took)),
        }
    }
}

impl Stopwatch {
    /// A stopwatch around bars.
    pub(crate) fn new(bars: Bars) -> Self {
        Self {
            bars,
            laps: Mutex::default(),
        }
    }

    /// Does a stage that shows its own progress, and measures it.
    pub(crate) fn measure<T>(&self, stage: &str, act: impl FnOnce() -> T) -> T {
        let began = clock::moment();
        tracing::debug!(stage, "{stage} begins");
        let result = act();
        let took = began.elapsed();
        let seconds = took.as_secs_f64();
        tracing::debug!(stage, seconds, "{stage} took {seconds:.3} s");
        self.with_laps(|laps| laps.add(stage, took));
        result
    }

    /// How long every stage took, in the order of the stages.
    pub(crate) fn laps(&self) -> Vec<(String, Duration)> {
        self.with_laps(|laps| laps.done.clone())
    }

    fn with_laps<T>(&self, act: impl FnOnce(&mut Laps) -> T) -> T {
        let mut laps = self
            .laps
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        act(&mut laps)
    }
}

impl Progress for Stopwatch {
    fn begin(&self, stage: &str, total: Option<u64>) {
        self.with_laps(|laps| laps.running = Some((stage.to_owned(), clock::moment())));
        tracing::debug!(stage, "{stage} begins");
        self.bars.begin(stage, total);
    }

    fn expect(&self, total: u64) {
        self.bars.expect(total);
    }

    fn advance(&self, by: u64) {
        self.bars.advance(by);
    }

    fn end(&self) {
        self.bars.end();
        self.with_laps(|laps| {
            let Some((stage, since)) = laps.running.take() else {
                return;
            };
            let took = since.elapsed();
            let seconds = took.as_secs_f64();
            tracing::debug!(stage, seconds, "{stage} took {seconds:.3} s");
            laps.add(&stage, took);
        });
    }
}
