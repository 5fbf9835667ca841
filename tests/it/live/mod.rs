//! Against a simulated org over HTTP: the real binary fetches, is disturbed, killed, refused and lied
//! to, and what it has in the end is what it would have had otherwise.

mod credentials;
mod demo;
mod disturbed;
mod faults;
mod guard;
mod org;
mod runs;
mod zero;
