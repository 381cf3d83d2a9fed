//! Problems of the room.

use crate::ground::Problem;

/// Nothing of a record may be kept.
pub fn nothing_to_keep(past_end: bool) -> Problem {
    if past_end {
        Problem::new("SR-COLLECT-011", 422, "everything in this record is past the end of its retention")
            .help(
                "the policy would have it erased already; for old test data see `shift_dates` in the mapping",
            )
    } else {
        Problem::new("SR-COLLECT-012", 422, "no purpose in force keeps anything of this record").help(
            "the reasons name the fields; a field that needs consent comes in with the choice that grants it",
        )
    }
}

/// The record belongs to another subject.
pub fn belongs_to_another() -> Problem {
    Problem::new("SR-COLLECT-015", 409, "this record belongs to another subject").at("/subject")
}

/// The record has another version than the one asked for.
pub fn other_version() -> Problem {
    Problem::new("SR-COLLECT-016", 409, "the record has another version than `if_version`")
        .help("read it again, then write with the version that it has")
        .at("/if_version")
}

/// The subject has more records that this one belongs to than can be moved in one unit of work.
pub fn too_many_parents() -> Problem {
    Problem::new(
        "SR-COLLECT-018",
        409,
        "the subject has more than 64 records, or 8 MiB, of the kind that this one belongs to",
    )
    .help("a kind that others belong to is for few records a subject, such as a customer's account")
}

/// Where the subject lives is said by a code that no place has.
pub fn no_place() -> Problem {
    Problem::new("SR-COLLECT-026", 422, "no country or state has this code")
        .help("write a country as `cn` or `de`, a state of the United States or Canada as `us-ca`; leave it empty if nobody knows")
}

/// The policy changed while a request was prepared.
pub fn policy_changed() -> Problem {
    Problem::new("SR-COLLECT-017", 503, "the policy changed while this was prepared").retry_after(1)
}

/// There is no such field, or it holds no files.
pub fn no_file_field() -> Problem {
    Problem::new("SR-COLLECT-019", 422, "records of this kind have no such field of kind `file`").at("/field")
}

/// The field does not take such files.
pub fn other_media() -> Problem {
    Problem::new("SR-COLLECT-020", 415, "the field takes no files of this media type")
        .help("say it in `Content-Type`; the policy lists what the field takes under `media`")
}

/// Nothing says how long the file is.
pub fn no_length() -> Problem {
    Problem::new("SR-COLLECT-021", 411, "the length of the file is not said").help("send `Content-Length`")
}

/// A file without a byte.
pub fn empty_file() -> Problem {
    Problem::new("SR-COLLECT-022", 422, "the file is empty")
}

/// Fewer bytes came than were said, or more, or the connection broke.
pub fn file_not_whole() -> Problem {
    Problem::new("SR-COLLECT-023", 400, "the file did not arrive whole; nothing of it is kept")
}

/// It took too long.
pub fn file_too_slow() -> Problem {
    Problem::new("SR-COLLECT-024", 408, "the file did not arrive in time; nothing of it is kept")
        .help("its next bytes must arrive within 30 seconds, all of them within 10 minutes")
}

/// The problem of one act that says two things about one purpose.
pub fn said_twice() -> Problem {
    Problem::new("SR-COLLECT-025", 422, "one act says one thing about a purpose; this one stands here twice")
}
