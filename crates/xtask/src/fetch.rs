//! What fetching costs: the real binary pulls a System Log from the simulator over HTTP.
//!
//! Beside it, in the same run, stands the floor: the same pages asked for over as many connections and
//! thrown away. Two sizes tell whether memory grows with the log.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use af_model::UtcMillis;
use af_model::time::DAY_MILLIS;
use af_okta_sim::{Sim, SimOptions, Time, World};
use anyhow::{Context, Result, bail, ensure};
use clap::Args;

/// Where the kept result lies.
const RESULTS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../benches/fetch/results.md"
);

/// How many days of history the program fetches side by side.
const CONNECTIONS: usize = 4;

/// Raw events a day that a simulated person leaves, about.
const EVENTS_A_PERSON_AND_DAY: u32 = 5;

/// How much is fetched.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Arguments {
    /// Events of the larger log, about; the smaller one has a tenth.
    #[arg(long, default_value_t = 1_000_000)]
    events: u32,
    /// Another seed is another organization.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keep the result as benches/fetch/results.md.
    #[arg(long)]
    write: bool,
}

/// One size, measured.
struct Measured {
    events: u64,
    bytes: u64,
    floor: Duration,
    pull: Pull,
    run: Pull,
}

/// One run of the binary.
struct Pull {
    took: Duration,
    processor: Duration,
    peak_kib: u64,
}

/// Measures both sizes and says how it went.
pub(crate) fn run(arguments: Arguments) -> Result<String> {
    let binary = binary()?;
    let mut measured = Vec::new();
    for events in [arguments.events / 10, arguments.events] {
        // Nobody is left to tell when standard error is closed.
        let _ = writeln!(io::stderr(), "simulating about {events} events");
        measured.push(measure(&binary, events, arguments.seed)?);
    }
    let text = report(arguments, &measured);
    if arguments.write {
        fs_err::write(Path::new(RESULTS), &text).context("keep the result")?;
    }
    Ok(text.trim_end().to_owned())
}

/// The program, built beside this one.
fn binary() -> Result<PathBuf> {
    let own = std::env::current_exe().context("find this program")?;
    let binary = own.with_file_name("attack-factor");
    ensure!(
        binary.is_file(),
        "{} is not built; run `cargo build` in the same profile first",
        binary.display()
    );
    Ok(binary)
}

fn measure(binary: &Path, events: u32, seed: u64) -> Result<Measured> {
    // Thirty days, and as many people as it takes.
    let people = (events / 30 / EVENTS_A_PERSON_AND_DAY).max(50);
    let sim = Sim::start_blocking(SimOptions {
        world: World::Organization {
            people,
            days: 30,
            seed,
        },
        time: Time::Runs {
            from: None,
            speed: 1,
        },
        logs_per_minute: 1_000_000,
        ..SimOptions::default()
    })
    .context("start the simulator")?;
    // The first reading warms up what both read.
    read_all(&sim)?;
    let before = now();
    let (pages, bytes) = read_all(&sim)?;
    let floor = before.elapsed();
    let folder = tempfile::tempdir().context("make a folder")?;
    fs_err::write(
        folder.path().join("attack-factor.toml"),
        format!(
            "store = \"risk\"\n[[credential]]\nname = \"key\"\nauth = \"api_token\"\nfrom_env = \"OKTA_TOKEN\"\n\
             [[tenant]]\nname = \"acme\"\n[[tenant.okta]]\nurl = \"{}\"\ncredential = \"key\"\nrate_percent = 100\n",
            sim.url()
        ),
    )?;
    let served = sim.stats().events_served;
    let pull = watch(binary, folder.path(), &["okta", "pull", "--quiet"])?;
    let events = sim.stats().events_served - served;
    let run = watch(binary, folder.path(), &["run", "--offline", "--quiet"])?;
    ensure!(pages > 0, "the simulator has no page");
    Ok(Measured {
        events,
        bytes,
        floor,
        pull,
        run,
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "what takes how long is what is measured here"
)]
fn now() -> Instant {
    Instant::now()
}

/// Runs the binary and looks at what it takes until it ends.
fn watch(binary: &Path, folder: &Path, arguments: &[&str]) -> Result<Pull> {
    let before = now();
    let mut child = Command::new(binary)
        .args(arguments)
        .env("OKTA_TOKEN", SimOptions::TOKEN)
        .current_dir(folder)
        .stdout(Stdio::null())
        .spawn()
        .context("start the program")?;
    let proc = PathBuf::from(format!("/proc/{}", child.id()));
    let (mut peak_kib, mut processor) = (0, Duration::ZERO);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        peak_kib = memory(&proc).unwrap_or(peak_kib);
        processor = ticks(&proc).unwrap_or(processor);
        std::thread::sleep(Duration::from_millis(10));
    };
    ensure!(status.success(), "{arguments:?} failed: {status}");
    Ok(Pull {
        took: before.elapsed(),
        processor,
        peak_kib,
    })
}

/// The largest resident memory so far, in KiB.
fn memory(proc: &Path) -> Option<u64> {
    let text = fs_err::read_to_string(proc.join("status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

/// Processor time so far; Linux counts it in hundredths of a second.
fn ticks(proc: &Path) -> Option<Duration> {
    let text = fs_err::read_to_string(proc.join("stat")).ok()?;
    // The name in brackets may hold blanks.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let user: u64 = fields.get(11)?.parse().ok()?;
    let system: u64 = fields.get(12)?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 10))
}

/// Asks for all pages of the log, by as many connections as the program uses, and throws them away.
/// Pages and bytes.
fn read_all(sim: &Sim) -> Result<(u64, u64)> {
    let since = sim.now() - 90 * DAY_MILLIS;
    let next_day = AtomicI64::new(0);
    let read: Vec<Result<(u64, u64)>> = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..CONNECTIONS)
            .map(|_| scope.spawn(|| read_days(sim, since, &next_day)))
            .collect();
        let joined = readers.into_iter().map(std::thread::ScopedJoinHandle::join);
        joined
            .map(|read| read.unwrap_or_else(|_| bail!("a reader panicked")))
            .collect()
    });
    let mut all = (0, 0);
    for read in read {
        let (pages, bytes) = read?;
        all = (all.0 + pages, all.1 + bytes);
    }
    Ok(all)
}

/// The pages of days that nobody else reads, until none is left.
fn read_days(sim: &Sim, since: i64, next_day: &AtomicI64) -> Result<(u64, u64)> {
    let host = sim.url().trim_start_matches("http://");
    let mut stream = BufReader::new(TcpStream::connect(host)?);
    stream.get_ref().set_nodelay(true)?;
    let mut all = (0, 0);
    loop {
        let day = next_day.fetch_add(1, Ordering::Relaxed);
        if day >= 90 {
            return Ok(all);
        }
        let from = since + day * DAY_MILLIS;
        let to = (from + DAY_MILLIS).min(sim.now());
        let (pages, bytes) = read_pages(&mut stream, host, UtcMillis(from), UtcMillis(to))?;
        all = (all.0 + pages, all.1 + bytes);
    }
}

/// The pages of one part of the log, one after the other.
fn read_pages(
    stream: &mut BufReader<TcpStream>,
    host: &str,
    since: UtcMillis,
    until: UtcMillis,
) -> Result<(u64, u64)> {
    let mut next = Some(format!(
        "/api/v1/logs?limit=1000&since={since}&until={until}"
    ));
    let (mut pages, mut bytes) = (0, 0);
    while let Some(path) = next.take() {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: SSWS {}\r\nAccept-Encoding: gzip\r\n\r\n",
            SimOptions::TOKEN
        );
        // In one piece: the second of two small ones would wait for an acknowledgement.
        stream.get_mut().write_all(request.as_bytes())?;
        let (mut length, mut status) = (None, String::new());
        loop {
            let mut line = String::new();
            ensure!(stream.read_line(&mut line)? > 0, "the connection ended");
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if status.is_empty() {
                line.clone_into(&mut status);
            }
            let Some((name, value)) = line.split_once(':') else {
                continue;
            };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = Some(value.trim().parse::<u64>()?),
                "link" => next = next.or_else(|| link(value, host)),
                _ => {}
            }
        }
        if !status.contains(" 200 ") {
            bail!("the simulator answers {status}");
        }
        let length = length.context("an answer without its length")?;
        bytes += io::copy(&mut stream.by_ref().take(length), &mut io::sink())?;
        pages += 1;
    }
    Ok((pages, bytes))
}

/// The path of the next page.
fn link(header: &str, host: &str) -> Option<String> {
    let link = header
        .split(',')
        .find(|link| link.contains("rel=\"next\""))?;
    let url = link.split_once('<')?.1.split_once('>')?.0;
    Some(url.split_once(host)?.1.to_owned())
}

fn report(arguments: Arguments, measured: &[Measured]) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "# What fetching costs\n\n`cargo xtask fetch --events {} --seed {}`, {} profile, {} cores.\n",
        arguments.events,
        arguments.seed,
        if cfg!(debug_assertions) {
            "dev"
        } else {
            "release"
        },
        std::thread::available_parallelism().map_or(1, usize::from),
    );
    text.push_str(
        "| events | compressed | floor: pages thrown away | `okta pull` | of the floor | events a second | its processor \
         time | its peak memory | `run` takes them in | its peak memory |\n|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for one in measured {
        let seconds = |took: Duration| format!("{:.1} s", took.as_secs_f64());
        let mib = |kib: u64| format!("{} MiB", kib / 1024);
        let _ = writeln!(
            text,
            "| {} | {} MiB | {} | {} | {:.2} × | {:.0} | {} | {} | {} | {} |",
            one.events,
            one.bytes >> 20,
            seconds(one.floor),
            seconds(one.pull.took),
            one.pull.took.as_secs_f64() / one.floor.as_secs_f64(),
            f64::from(u32::try_from(one.events).unwrap_or(u32::MAX)) / one.pull.took.as_secs_f64(),
            seconds(one.pull.processor),
            mib(one.pull.peak_kib),
            seconds(one.run.took),
            mib(one.run.peak_kib),
        );
    }
    text.push_str(
        "\nThe simulator runs on the same cores: it cuts, compresses and sends every page in both columns.\n",
    );
    text
}
