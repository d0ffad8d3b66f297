//! The decision on requests for work that may be queued already. Pure: stores call this inside their transaction.

use crate::value::id::KeyId;

/// The decision on a request for work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueue {
    /// Creates a job, which belongs to the requesting key, or to the worker if there is none.
    New,
    /// Uses the job that is queued for the same work. It now belongs to this key, or to the worker if there is
    /// none.
    Join(Option<KeyId>),
}

/// Decides a request for work by a key, or by the worker if `requester` is `None`. `queued` is the owner of the
/// job that is queued for the same kind and subject, if there is one.
///
/// A job with a second requester belongs to the worker: it must run even if the first key is revoked.
pub fn decide_enqueue(queued: Option<Option<KeyId>>, requester: Option<KeyId>) -> Enqueue {
    match queued {
        None => Enqueue::New,
        Some(owner) => Enqueue::Join(owner.filter(|owner| Some(*owner) == requester)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_with_a_second_requester_belongs_to_the_worker() {
        let (one, other) = (Some(KeyId::from_bytes([1; 16])), Some(KeyId::from_bytes([2; 16])));
        for (queued, requester, expected) in [
            (None, None, Enqueue::New),
            (None, one, Enqueue::New),
            (Some(one), one, Enqueue::Join(one)),
            (Some(one), other, Enqueue::Join(None)),
            (Some(one), None, Enqueue::Join(None)),
            (Some(None), one, Enqueue::Join(None)),
            (Some(None), None, Enqueue::Join(None)),
        ] {
            assert_eq!(
                decide_enqueue(queued, requester),
                expected,
                "{queued:?} {requester:?}"
            );
        }
    }
}
