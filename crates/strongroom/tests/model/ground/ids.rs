//! Ids, as far as a hint has one.

pub trait Id: Copy {
    fn from_number(number: u64) -> Self;
    fn number(self) -> u64;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubjectId(u64);

impl Id for SubjectId {
    fn from_number(number: u64) -> SubjectId {
        SubjectId(number)
    }

    fn number(self) -> u64 {
        self.0
    }
}
