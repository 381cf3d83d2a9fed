//! The demonstration, run as a process.
