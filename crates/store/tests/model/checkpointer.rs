//! A server moves its own WAL, and so does the model's database: nobody calls these.

#![cfg(test)]

#[derive(Debug)]
pub(crate) struct Checkpoints;

#[expect(clippy::unused_self, reason = "the writer calls what the store has")]
impl Checkpoints {
    pub(crate) fn committed(&self) -> u64 {
        0
    }

    pub(crate) fn cut(&self) {}

    pub(crate) fn key_died(&self) {}
}
