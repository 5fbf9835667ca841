//! Okta's System Log and directory as identity events and people.
