//! What correlations find: by hand, against a literal reading of their definition, and against rsigma.

mod by_hand;
mod case;
mod literal;
mod loading;
mod reference;
