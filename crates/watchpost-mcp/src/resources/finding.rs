//! `watchpost://findings/{id}`: a finding as `get_finding` answers it.

use super::{ReadError, to_json};
use crate::{finding_details::FindingDetails, tool::Caller};
use watchpost_core::{audit::AuditTarget, value::id::FindingId};

pub(super) async fn read(caller: Caller<'_>, id: FindingId) -> Result<(String, AuditTarget), ReadError> {
    let watchpost = caller.watchpost;
    let answer = caller.open(watchpost.explain_finding(caller.scope, id).await)?;
    let text = to_json(&FindingDetails::new(&answer, watchpost.clock().now()))?;
    Ok((text, AuditTarget::new("finding", &id)))
}
