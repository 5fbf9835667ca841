//! Sigma rules over the columns of identity events.
