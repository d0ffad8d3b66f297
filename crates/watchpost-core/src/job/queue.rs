//! Queueing work that may be queued already. Pure: stores call this inside their transaction.

use crate::value::id::KeyId;

/// What becomes of a request for work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueue {
    /// A new job, which belongs to the key that asks; to the worker without one.
    New,
    /// The job that is queued for the same, which belongs to this key from now on; to the worker without one.
    Join(Option<KeyId>),
}

/// Decides a request for work by a key, or by the worker itself. `queued` is the owner of the job that waits for the
/// same kind and subject, if one does.
///
/// A job that somebody else wants too belongs to the worker: it must run although the first key may be revoked.
pub fn decide_enqueue(queued: Option<Option<KeyId>>, asks: Option<KeyId>) -> Enqueue {
    match queued {
        None => Enqueue::New,
        Some(owner) => Enqueue::Join(owner.filter(|owner| Some(*owner) == asks)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_a_second_principal_joins_is_the_workers() {
        let (one, other) = (Some(KeyId::from_bytes([1; 16])), Some(KeyId::from_bytes([2; 16])));
        for (queued, asks, expected) in [
            (None, None, Enqueue::New),
            (None, one, Enqueue::New),
            (Some(one), one, Enqueue::Join(one)),
            (Some(one), other, Enqueue::Join(None)),
            (Some(one), None, Enqueue::Join(None)),
            (Some(None), one, Enqueue::Join(None)),
            (Some(None), None, Enqueue::Join(None)),
        ] {
            assert_eq!(decide_enqueue(queued, asks), expected, "{queued:?} {asks:?}");
        }
    }
}
