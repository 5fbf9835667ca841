//! Why an organization cannot be scored.

use af_model::UtcDay;
use af_model::params::InvalidParams;

/// A refusal to score, with the bucket it is about.
///
/// Bucket counts may come from a file somebody else wrote, so nothing about them is taken for
/// granted: what would make the formula meaningless or overflow is refused, never clamped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{kind}", place(*.bucket))]
pub struct Error {
    bucket: Option<usize>,
    kind: ErrorKind,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A parameter is outside its range; correct the configuration.
    #[error("{0}")]
    Parameter(InvalidParams),
    /// More people than 32-bit indices can name; the bounds of the arithmetic end there.
    #[error("the organization has {members} people, more than {}", u32::MAX)]
    TooManyMembers {
        /// People handed over.
        members: usize,
    },
    /// Component names are not strictly ascending; sort them and drop repetitions.
    #[error("component {name} does not come after the one before it")]
    ComponentOrder {
        /// The first name out of place.
        name: String,
    },
    /// A bucket or a group names a person who does not exist.
    #[error("member {member} is out of range, there are {members}")]
    MemberRange {
        /// The index found.
        member: u32,
        /// People there are.
        members: usize,
    },
    /// A bucket names a component that does not exist.
    #[error("component {component} is out of range, there are {components}")]
    ComponentRange {
        /// The index found.
        component: u32,
        /// Components there are.
        components: usize,
    },
    /// Buckets are not strictly ascending by member, component, family and day.
    #[error("out of order or repeated; the order is member, component, family, day")]
    BucketOrder,
    /// Given loads are not strictly ascending by member and component, or name somebody or something
    /// that does not exist, or somebody who has buckets too.
    #[error("given load {index}: {problem}")]
    GivenLoad {
        /// The first at fault.
        index: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A bucket lies in the future of `as_of`; the caller admits signals, the formula does not.
    #[error("day {day} is after {as_of}, the day scored")]
    DayAfterAsOf {
        /// The bucket's day.
        day: UtcDay,
        /// The day scored.
        as_of: UtcDay,
    },
    /// A bucket is older than 89 days; the caller admits signals, the formula does not.
    #[error("day {day} is {age} days before the day scored; the oldest that counts is 89")]
    DayTooOld {
        /// The bucket's day.
        day: UtcDay,
        /// Its age in days.
        age: i64,
    },
    /// All counts together do not fit a 64-bit integer, so a count cannot be true.
    #[error("the counts add up to more than {}", i64::MAX)]
    TooManySignals,
    /// The load of one person, or what it makes of the odds, does not fit a 64-bit integer. With the
    /// default parameters that takes more than a billion saturated buckets of one person.
    #[error("the load of member {member} does not fit a 64-bit integer in micro-points or odds")]
    LoadTooLarge {
        /// The person.
        member: usize,
    },
}

impl Error {
    pub(crate) const fn new(kind: ErrorKind) -> Self {
        Self { bucket: None, kind }
    }

    pub(crate) const fn at(bucket: usize, kind: ErrorKind) -> Self {
        Self {
            bucket: Some(bucket),
            kind,
        }
    }

    /// What is wrong.
    pub const fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// Index of the bucket the error is about, where it is about one.
    pub const fn bucket(&self) -> Option<usize> {
        self.bucket
    }

    /// True when the configuration, not the data, has to change.
    pub const fn is_parameter(&self) -> bool {
        matches!(self.kind, ErrorKind::Parameter(_))
    }
}

impl From<InvalidParams> for Error {
    fn from(invalid: InvalidParams) -> Self {
        Self::new(ErrorKind::Parameter(invalid))
    }
}

fn place(bucket: Option<usize>) -> String {
    bucket.map_or_else(String::new, |index| format!("bucket {index}: "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_names_the_bucket_and_the_value() {
        let error = Error::at(
            17,
            ErrorKind::MemberRange {
                member: 5,
                members: 5,
            },
        );
        assert_eq!(
            error.to_string(),
            "bucket 17: member 5 is out of range, there are 5"
        );
        assert_eq!(error.bucket(), Some(17));
    }
}
