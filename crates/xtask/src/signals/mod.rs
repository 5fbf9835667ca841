//! Attack signals in any number, for the comparison with other engines (`benches/peers`).
//!
//! Every row is a function of the seed and its number alone, so the same rows can be written in any
//! order with bounded memory: `sorted` as the engine keeps them, a file a day; `foreign` shuffled
//! over all days and tenants, as somebody else's export.
//!
//! In every hundred rows: forty belong to incidents of two to six signals, one is a later copy of
//! another (one copy in ten was changed since). Tenants are Zipf-sized, one person in a hundred draws
//! four signals in ten, one attack step in fifty hits nobody known, one address in five is shouted or
//! padded.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};

mod chance;
mod directory;
mod foreign;
mod plan;
mod population;
mod sorted;
#[cfg(test)]
mod tests;
mod text;

use plan::Plan;

/// How many signals, about whom, and where they go.
#[derive(Args, Clone, Debug)]
pub(crate) struct Arguments {
    /// Signals.
    #[arg(long, default_value_t = 200_000)]
    rows: u64,
    /// People of all organizations; a hundredth of the rows if not given.
    #[arg(long)]
    people: Option<u64>,
    /// Organizations, the second half as large as the first, the third a third, and so on.
    #[arg(long, default_value_t = 1000)]
    tenants: u32,
    /// Another seed is another world.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder that receives people.parquet and a folder named by the layout.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// In which files and in which order the rows lie.
    #[arg(long, value_enum, default_value_t = Layout::Sorted)]
    layout: Layout,
    /// How the foreign files are compressed.
    #[arg(long, value_enum, default_value_t = Compression::Zstd)]
    compression: Compression,
}

/// In which files and in which order the rows lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Layout {
    /// `sorted/day=…/b3-….parquet`, as the engine keeps them.
    Sorted,
    /// `foreign/part-….parquet`: eight files of another writer, in no order.
    Foreign,
}

/// How the foreign files are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Compression {
    Zstd,
    Snappy,
}

/// Writes the people and the signals, and says what.
pub(crate) fn run(arguments: &Arguments) -> Result<String> {
    let people = arguments.people.unwrap_or(arguments.rows / 100).max(1);
    ensure!(
        (1..=9999).contains(&arguments.tenants),
        "tenants are numbered with four digits"
    );
    ensure!(
        people <= population::MOST_PEOPLE,
        "people are numbered with seven digits"
    );
    let plan = Plan::new(arguments.seed, arguments.rows, people, arguments.tenants);
    let people_path = arguments.out.join("people.parquet");
    make_folder(&arguments.out)?;
    if !people_path.exists() {
        directory::write(&people_path, plan.population())?;
    }
    let folder = match arguments.layout {
        Layout::Sorted => {
            let folder = arguments.out.join("sorted");
            sorted::write(&folder, &plan)?;
            folder
        }
        Layout::Foreign => {
            let folder = arguments.out.join("foreign");
            foreign::write(&folder, &plan, arguments.compression)?;
            folder
        }
    };
    Ok(format!(
        "{} signals about {people} people in {}",
        arguments.rows,
        folder.display()
    ))
}

fn make_folder(folder: &Path) -> Result<()> {
    fs_err::create_dir_all(folder).context("make the folder of the signals")
}
