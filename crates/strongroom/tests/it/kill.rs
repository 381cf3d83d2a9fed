//! Killed under load, nothing acknowledged is lost.
