//! `completions`: a script that completes verbs and flags in a shell.

use clap::CommandFactory;

use crate::args::Arguments;
use crate::console;

pub(super) fn run(shell: clap_complete::Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(
        shell,
        &mut Arguments::command(),
        "attack-factor",
        &mut script,
    );
    console::print_with(|out| out.write_all(&script))
}
