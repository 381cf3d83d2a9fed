//! Hostile requests get a code and a pointer, never a value.
