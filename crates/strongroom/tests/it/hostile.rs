//! Hostile requests get a code and a pointer, never a value, and the house goes on serving.

mod bodies;
mod paths;
mod random;
mod wire;
