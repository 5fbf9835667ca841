//! `top`: the most attacked people of a snapshot.

use af_query::TopQuery;
use af_store::Snapshot;

use crate::args::Top;
use crate::console;
use crate::exit::Refusal;

pub(super) fn run(arguments: &Top) -> anyhow::Result<()> {
    let Some(place) = arguments.snapshot.as_ref().or(arguments.store.as_ref()) else {
        return Err(
            Refusal::usage("tell where to look", "give --store DIR or --snapshot DIR").into(),
        );
    };
    let snapshot = Snapshot::open(place)?;
    let query = TopQuery {
        tenant: arguments.tenant.clone(),
        population: arguments.population.into(),
        limit: arguments.limit as usize,
        min_level: arguments.min_level.map(Into::into),
        department: arguments.department.clone(),
        location: arguments.location.clone(),
        include_outside: arguments.all,
    };
    let view = af_query::top(snapshot.path(), &query)?;
    console::print_with(|out| {
        af_report::render_top(&view, arguments.format.format, console::width(), out)
    })?;
    Ok(())
}
