//! Generators, a naive oracle and fixtures for tests.
