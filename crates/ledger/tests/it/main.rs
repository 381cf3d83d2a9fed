//! The ledger as a stranger sees it: other people's implementations, published numbers, archives and the program.

// `cfg(test)` is always true here; with it clippy knows helpers for the tests they are.
#[cfg(test)]
mod archive;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod oracles;
#[cfg(test)]
mod spec;
#[cfg(test)]
mod support;
#[cfg(test)]
mod vectors;
