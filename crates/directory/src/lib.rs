//! People of an organization from CSV, NDJSON, Parquet and Okta answers.
