//! The examples import what they say.
