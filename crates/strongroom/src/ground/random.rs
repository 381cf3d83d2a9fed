//! The one place that asks the system for randomness.

use seal::{Error, Random};

/// Bytes of the operating system, fetched a block at a time: one call serves a whole request.
///
/// A block is fetched for one unit of work and thrown away with it, so two processes that were copied from one
/// machine's memory never hand out the same bytes for long.
#[derive(Debug)]
pub struct SystemRandom {
    block: zeroize::Zeroizing<[u8; BLOCK]>,
    used: usize,
}

/// What a new record takes: a message id, a key and its name.
const BLOCK: usize = 96;

impl SystemRandom {
    /// Nothing is fetched before it is asked for.
    pub fn new() -> SystemRandom {
        SystemRandom { block: zeroize::Zeroizing::new([0; BLOCK]), used: BLOCK }
    }
}

impl Default for SystemRandom {
    fn default() -> SystemRandom {
        SystemRandom::new()
    }
}

impl Random for SystemRandom {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), Error> {
        if buffer.len() > BLOCK {
            return getrandom::fill(buffer).map_err(|_| Error::NoRandomness);
        }
        if BLOCK - self.used < buffer.len() {
            getrandom::fill(self.block.as_mut()).map_err(|_| Error::NoRandomness)?;
            self.used = 0;
        }
        let end = self.used + buffer.len();
        let fresh = self.block.get_mut(self.used..end).ok_or(Error::NoRandomness)?;
        buffer.copy_from_slice(fresh);
        fresh.fill(0); // handed out once
        self.used = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_bytes_are_handed_out_twice() {
        let mut random = SystemRandom::new();
        let mut seen = std::collections::HashSet::new();
        for _ in 0..200 {
            let mut bytes = [0; 16];
            random.fill(&mut bytes).unwrap();
            assert!(seen.insert(bytes));
        }
        let mut large = [0; 1_000];
        random.fill(&mut large).unwrap();
        assert!(large.iter().any(|byte| *byte != 0));
    }
}
