//! Views as table, JSON and CSV.
