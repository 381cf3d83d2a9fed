//! Problems of the room.

use crate::ground::Problem;

/// A subject or record that is not there, or not this shop's: the two look the same.
pub fn not_found() -> Problem {
    Problem::new("SR-KEEP-001", 404, "there is nothing of this id")
}

/// A subject that has been erased.
pub fn erased() -> Problem {
    Problem::new(ERASED, 410, "this subject has been erased")
}

/// The code of [`erased`].
pub const ERASED: &str = "SR-KEEP-002";

/// A value that may stand once only stands already.
pub fn taken(pointer: String) -> Problem {
    Problem::new("SR-KEEP-003", 409, "another record has this value, and the policy says it is unique")
        .help("write to that record instead, or drop `unique` from the field")
        .at(pointer)
}

/// Everything moved on while a request was prepared, again and again.
pub fn too_busy() -> Problem {
    Problem::new("SR-KEEP-005", 503, "this subject is being changed by others").retry_after(1)
}

/// A key that was destroyed came back.
pub fn revenant() -> Problem {
    Problem::new("SR-KEEP-007", 500, "a destroyed key was about to be written again")
        .help("this data folder was put together from different backups; restore one of them")
}

/// More records of one kind for one subject than there are numbers.
pub fn too_many_records() -> Problem {
    Problem::new("SR-KEEP-008", 422, "this subject has as many records of this kind as it can have")
}

/// Something moved between planning and writing. Never reaches a caller: the work is planned again.
pub fn moved() -> Problem {
    Problem::new(MOVED, 503, "something moved while this was prepared").retry_after(1)
}

/// The code of [`moved`].
pub const MOVED: &str = "SR-KEEP-009";

/// There is no such subject.
pub fn no_such_subject() -> Problem {
    Problem::new(NO_SUCH_SUBJECT, 404, "there is no such subject")
        .help("write the subject's main record first")
        .at("/subject")
}

/// What never was an id is answered as an id that nobody has.
pub fn or_no_such_subject(problem: Problem) -> Problem {
    if problem.code == not_found().code { no_such_subject() } else { problem }
}

/// The code of [`no_such_subject`].
pub const NO_SUCH_SUBJECT: &str = "SR-KEEP-018";

/// Several subjects share a value.
pub fn several_subjects() -> Problem {
    Problem::new("SR-KEEP-019", 409, "several subjects share this value; it never merges them")
        .help("name the subject by id or by external id, or name the record")
        .at("/subject/match")
}

/// A subject has more records that would belong to a new one than can be looked at in one unit of work.
pub fn too_many_children() -> Problem {
    Problem::new("SR-KEEP-020", 409, "the subject has more than 4096 records that would belong to this one")
        .help("write the record that others belong to before so many of them are there")
}

/// A file was given up while it came in, or its number was taken.
pub fn file_given_up() -> Problem {
    Problem::new("SR-KEEP-021", 409, "this file was given up before it was whole").help("send it again")
}
