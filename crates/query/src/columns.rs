//! Typed columns of a collected frame as plain vectors.

use af_model::{UtcDay, UtcMillis};
use polars::prelude::{DataFrame, PolarsError, PolarsResult};

/// A column that may hold nulls, as text.
pub(crate) fn texts(frame: &DataFrame, name: &str) -> PolarsResult<Vec<Option<String>>> {
    let column = frame.column(name)?.str()?;
    Ok(column.iter().map(|cell| cell.map(str::to_owned)).collect())
}

/// A column without nulls, as text.
pub(crate) fn required_texts(frame: &DataFrame, name: &str) -> PolarsResult<Vec<String>> {
    required(name, texts(frame, name)?)
}

/// A column that may hold nulls, as integers.
pub(crate) fn ints(frame: &DataFrame, name: &str) -> PolarsResult<Vec<Option<i64>>> {
    Ok(frame.column(name)?.i64()?.iter().collect())
}

/// A column without nulls, as integers.
pub(crate) fn required_ints(frame: &DataFrame, name: &str) -> PolarsResult<Vec<i64>> {
    required(name, ints(frame, name)?)
}

/// A column that may hold nulls, as floats.
pub(crate) fn reals(frame: &DataFrame, name: &str) -> PolarsResult<Vec<Option<f64>>> {
    Ok(frame.column(name)?.f64()?.iter().collect())
}

/// A column of milliseconds as instants.
pub(crate) fn instants(frame: &DataFrame, name: &str) -> PolarsResult<Vec<Option<UtcMillis>>> {
    let millis = ints(frame, name)?;
    Ok(millis.into_iter().map(|cell| cell.map(UtcMillis)).collect())
}

/// A column of lists of text; a null list is an empty one.
pub(crate) fn text_lists(frame: &DataFrame, name: &str) -> PolarsResult<Vec<Vec<String>>> {
    let column = frame.column(name)?.list()?;
    (0..column.len())
        .map(|row| match column.get_as_series(row) {
            Some(list) => Ok(list.str()?.iter().flatten().map(str::to_owned).collect()),
            None => Ok(Vec::new()),
        })
        .collect()
}

fn required<T>(name: &str, cells: Vec<Option<T>>) -> PolarsResult<Vec<T>> {
    cells
        .into_iter()
        .collect::<Option<Vec<T>>>()
        .ok_or_else(|| {
            PolarsError::ComputeError(format!("column {name} holds nulls and is required").into())
        })
}

/// A column of days; a null day stays null.
pub(crate) fn days(frame: &DataFrame, name: &str) -> PolarsResult<Vec<Option<UtcDay>>> {
    let column = frame.column(name)?.date()?;
    Ok(column.phys.iter().map(|cell| cell.map(UtcDay)).collect())
}

/// A column of flags without nulls.
pub(crate) fn required_flags(frame: &DataFrame, name: &str) -> PolarsResult<Vec<bool>> {
    let column = frame.column(name)?.bool()?;
    required(name, column.iter().collect())
}

/// A column of days without nulls.
pub(crate) fn required_days(frame: &DataFrame, name: &str) -> PolarsResult<Vec<UtcDay>> {
    required(name, days(frame, name)?)
}
