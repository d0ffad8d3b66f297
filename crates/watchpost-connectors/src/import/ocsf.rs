//! OCSF findings of Prowler, of our own export, and of other tools.

use super::{
    batches::Batches,
    lenient::{self, Fields, OneOrMany, OrDefault, Scalar},
    sanitize,
};
use crate::text::import as reasons;
use serde::Deserialize;
use watchpost_core::{
    check::{CheckResult, FrameworkId, Service, SkipReason},
    import::{
        ExceptionKind, ImportBatchHeader, ImportError, ImportFormat, ImportTool, ImportedEntity,
        ImportedException, ImportedRow, check_of, fingerprint,
    },
    value::{text::ForeignText, time::Timestamp, word::Severity},
};

/// The maximum number of framework ids kept per row.
const FRAMEWORKS_MAX: usize = 100;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Finding {
    class_uid: Scalar,
    category_uid: Scalar,
    message: Scalar,
    metadata: OrDefault<Metadata>,
    severity: Scalar,
    severity_id: Scalar,
    status_id: Scalar,
    status_code: Scalar,
    status_detail: Scalar,
    comment: Scalar,
    unmapped: OrDefault<Unmapped>,
    finding_info: OrDefault<Info>,
    resources: OneOrMany<OrDefault<Resource>>,
    cloud: OrDefault<Cloud>,
    compliance: OrDefault<Compliance>,
    time: Scalar,
    time_dt: Scalar,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    event_code: Scalar,
    product: OrDefault<Product>,
    tenant_uid: Scalar,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Product {
    name: Scalar,
    version: Scalar,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Unmapped {
    compliance: OrDefault<Fields<OneOrMany<Scalar>>>,
    provider: Scalar,
    provider_uid: Scalar,
    skip_reason: Scalar,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Info {
    title: Scalar,
    analytic: OrDefault<Analytic>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Analytic {
    uid: Scalar,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Resource {
    uid: Scalar,
    name: Scalar,
    #[serde(rename = "type")]
    kind: Scalar,
    group: OrDefault<Group>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Group {
    name: Scalar,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cloud {
    account: OrDefault<Account>,
    provider: Scalar,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Account {
    uid: Scalar,
    name: Scalar,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Compliance {
    standards: OneOrMany<Scalar>,
    requirements: OneOrMany<Scalar>,
    control: Scalar,
    status: Scalar,
    status_id: Scalar,
    status_detail: Scalar,
}

/// Reads one finding.
pub(super) fn read(row: &[u8], index: u64, batches: &mut Batches<'_>) -> Result<(), ImportError> {
    let finding = match lenient::row::<Finding>(row) {
        Ok(finding) => finding,
        Err(reason) => return batches.bad_row(None, index, reason),
    };
    if let Err(reason) = finding.check_class() {
        return batches.bad_row(None, index, reason.to_owned());
    }
    let Some(control) = finding.control() else {
        return batches.bad_row(None, index, reasons::NO_CONTROL.to_owned());
    };
    let batch = batches.batch(finding.header())?;
    let row = finding.row(control, batches);
    batches.row(batch, row)
}

impl Finding {
    const fn info(&self) -> &Info {
        &self.finding_info.0
    }

    /// Checks that the object is a finding of a supported class.
    fn check_class(&self) -> Result<(), &'static str> {
        if self.category_uid.number() != Some(2) {
            return Err(reasons::NOT_A_FINDING);
        }
        match self.class_uid.number() {
            Some(2002 | 2003 | 2004 | 2007) => Ok(()),
            _ => Err(reasons::UNKNOWN_CLASS),
        }
    }

    fn is_compliance(&self) -> bool {
        self.class_uid.number() == Some(2003)
    }

    fn tool(&self) -> ImportTool {
        let name = self.metadata.0.product.0.name.text();
        if name.eq_ignore_ascii_case("prowler") {
            ImportTool::Prowler
        } else if name.eq_ignore_ascii_case("watchpost") {
            ImportTool::Watchpost
        } else {
            ImportTool::Ocsf
        }
    }

    fn control(&self) -> Option<&str> {
        [
            &self.metadata.0.event_code,
            &self.info().analytic.0.uid,
            &self.compliance.0.control,
            &self.info().title,
        ]
        .into_iter()
        .find_map(Scalar::some)
    }

    fn tenant(&self) -> &str {
        [&self.cloud.0.account.0.uid, &self.metadata.0.tenant_uid]
            .into_iter()
            .find_map(Scalar::some)
            .unwrap_or_default()
    }

    fn header(&self) -> ImportBatchHeader {
        let product = &self.metadata.0.product.0;
        let is_tenant =
            |resource: &&OrDefault<Resource>| resource.0.kind.text().eq_ignore_ascii_case("tenant");
        let name = self
            .cloud
            .0
            .account
            .0
            .name
            .some()
            .or(self.unmapped.0.provider_uid.some())
            .or_else(|| self.resources.0.iter().find(is_tenant)?.0.name.some());
        ImportBatchHeader {
            format: ImportFormat::Ocsf,
            tool: self.tool(),
            tool_version: sanitize::name(product.version.text()),
            tenant_key: sanitize::id(self.tenant(), 200),
            tenant_name: sanitize::name(name.unwrap_or_default()),
            ran_at: self.ran_at(),
        }
    }

    fn ran_at(&self) -> Option<Timestamp> {
        self.time
            .number()
            .and_then(sanitize::epoch)
            .or_else(|| sanitize::time(self.time_dt.text()))
    }

    fn row(&self, control: &str, batches: &Batches<'_>) -> ImportedRow {
        let tool = self.tool();
        let check = check_of(tool, control, batches.checks);
        let own = batches.checks.iter().find(|one| Some(one.id.as_str()) == check);
        let (result, skip) = self.result();
        let details = [
            &self.status_detail,
            &self.compliance.0.status_detail,
            &self.message,
        ]
        .into_iter()
        .find_map(Scalar::some)
        .unwrap_or_default();
        let resource = self.resources.0.first().map(|resource| &resource.0);
        let requirements: String = match tool {
            // Prowler writes one row per finding and requirement.
            ImportTool::Prowler if self.is_compliance() => self.requirements().collect::<Vec<_>>().join("\n"),
            _ => String::new(),
        };
        let resource_uid = resource.map_or("", |resource| resource.uid.text());
        let muted = self.status_id.number() == Some(3) && result == CheckResult::Failed;
        ImportedRow {
            control: sanitize::id(control, 200),
            check: check.map(str::to_owned),
            title: sanitize::title(self.info().title.some().unwrap_or(control)),
            result,
            skip,
            severity: self
                .severity()
                .or(own.map(|own| own.severity))
                .unwrap_or(Severity::Medium),
            service: own.map_or_else(|| self.service(control), |own| own.service),
            details: sanitize::plain(details),
            entity: resource.and_then(entity),
            frameworks: self.frameworks(),
            exception: muted.then(|| ImportedException {
                kind: ExceptionKind::Suppressed,
                reason: sanitize::plain(self.comment.text()),
                until: None,
            }),
            fingerprint: fingerprint(tool, &[control, self.tenant(), resource_uid, &requirements]),
        }
    }

    /// Returns the result: the tool's own status code if it is known, else the status of the requirement. A finding without
    /// either is failed until it is resolved. A status code that isn't known is unreadable: it is neither a pass nor a failure.
    fn result(&self) -> (CheckResult, Option<SkipReason>) {
        if let Some(known) = by_status_code(self.status_code.text()) {
            return known;
        }
        let skipped = |reason| (CheckResult::Skipped, Some(reason));
        if self.is_compliance() {
            let by_status = self.compliance_result();
            return by_status.unwrap_or_else(|| skipped(SkipReason::Unreadable));
        }
        if self.status_code.some().is_some() {
            return skipped(SkipReason::Unreadable);
        }
        match self.status_id.number() {
            // Resolved, and deleted as erroneous.
            Some(4) => (CheckResult::Passed, None),
            Some(6) => skipped(SkipReason::NotApplicable),
            _ => (CheckResult::Failed, None),
        }
    }

    /// Returns the result by the status of the requirement; `None` if it is unknown.
    fn compliance_result(&self) -> Option<(CheckResult, Option<SkipReason>)> {
        let compliance = &self.compliance.0;
        let status = compliance.status.text();
        let reason: Option<SkipReason> = self.unmapped.0.skip_reason.text().parse().ok();
        let skipped = |default| (CheckResult::Skipped, Some(reason.unwrap_or(default)));
        Some(match compliance.status_id.number() {
            Some(1) => (CheckResult::Passed, None),
            Some(3) => (CheckResult::Failed, None),
            Some(2) if status.eq_ignore_ascii_case("error") => (CheckResult::Error, None),
            Some(2) => skipped(SkipReason::Unreadable),
            Some(99) => skipped(SkipReason::NotApplicable),
            // Prowler writes 0 for a requirement that is checked by hand.
            Some(0) if self.tool() == ImportTool::Prowler => skipped(SkipReason::Manual),
            None => return by_status_code(status),
            Some(_) => return reason.map(|reason| (CheckResult::Skipped, Some(reason))),
        })
    }

    fn severity(&self) -> Option<Severity> {
        match self.severity_id.number() {
            Some(1) => Some(Severity::Info),
            Some(2) => Some(Severity::Low),
            Some(3) => Some(Severity::Medium),
            Some(4) => Some(Severity::High),
            Some(5 | 6) => Some(Severity::Critical),
            _ => match self.severity.text().to_ascii_lowercase().as_str() {
                "informational" => Some(Severity::Info),
                "fatal" => Some(Severity::Critical),
                name => name.parse().ok(),
            },
        }
    }

    fn service(&self, control: &str) -> Service {
        let provider = [&self.unmapped.0.provider, &self.cloud.0.provider]
            .into_iter()
            .find_map(Scalar::some)
            .unwrap_or_default();
        match provider.to_ascii_lowercase().as_str() {
            "github" => Service::Github,
            "okta" => Service::Okta,
            "googleworkspace" | "google_workspace" => Service::Google,
            "m365" | "microsoft365" => {
                let group = self
                    .resources
                    .0
                    .first()
                    .and_then(|resource| resource.0.group.0.name.some())
                    .and_then(Service::from_name);
                let prefix = control.split('_').next().and_then(Service::from_name);
                group.or(prefix).unwrap_or(Service::Other)
            }
            _ => Service::Other,
        }
    }

    fn requirements(&self) -> impl Iterator<Item = &str> {
        let compliance = &self.compliance.0;
        compliance
            .standards
            .0
            .iter()
            .chain(&compliance.requirements.0)
            .filter_map(Scalar::some)
    }

    /// Returns the ids of the requirements: those of the finding itself, and those in `unmapped` with the framework's name as
    /// a prefix.
    fn frameworks(&self) -> Vec<FrameworkId> {
        let unmapped = self
            .unmapped
            .0
            .compliance
            .0
            .0
            .iter()
            .flat_map(|(framework, ids)| {
                ids.0
                    .iter()
                    .filter_map(Scalar::some)
                    .map(move |id| format!("{framework}/{id}"))
            });
        let requirements = self
            .compliance
            .0
            .requirements
            .0
            .iter()
            .filter_map(Scalar::some)
            .map(str::to_owned);
        let mut out: Vec<FrameworkId> = requirements
            .chain(unmapped)
            .take(FRAMEWORKS_MAX)
            .map(|id| FrameworkId::new(&sanitize::id(&id, 64)))
            .collect();
        out.dedup();
        out
    }
}

/// Converts the status codes of Prowler and of others that write OCSF findings; `None` for an unknown one.
fn by_status_code(code: &str) -> Option<(CheckResult, Option<SkipReason>)> {
    let skipped = |reason| (CheckResult::Skipped, Some(reason));
    Some(match code.to_ascii_uppercase().as_str() {
        "PASS" | "PASSED" => (CheckResult::Passed, None),
        "FAIL" | "FAILED" => (CheckResult::Failed, None),
        "MANUAL" => skipped(SkipReason::Manual),
        "ERROR" => (CheckResult::Error, None),
        "NOT_APPLICABLE" | "NOT APPLICABLE" | "N/A" => skipped(SkipReason::NotApplicable),
        // The tool lacked information.
        "WARNING" | "NOT_AVAILABLE" | "UNKNOWN" => skipped(SkipReason::Unreadable),
        _ => return None,
    })
}

fn entity(resource: &Resource) -> Option<ImportedEntity> {
    let id = resource.uid.some().or(resource.name.some())?;
    let kind = resource.kind.text().to_ascii_lowercase();
    let name = match resource.name.some() {
        Some(name) => sanitize::name(name),
        None => ForeignText::name(id),
    };
    Some(ImportedEntity {
        kind: if kind.is_empty() || kind == "notdefined" {
            "other".to_owned()
        } else {
            sanitize::id(&kind, 40)
        },
        id: sanitize::id(id, 500),
        name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn statuses_are_converted_and_unknown_ones_are_unreadable() {
        use SkipReason::{Manual, NotApplicable, Unreadable};
        let check = |fields: serde_json::Value, expected: Result<CheckResult, SkipReason>| {
            let finding: Finding = serde_json::from_value(fields.clone()).expect("a finding");
            let expected = match expected {
                Ok(result) => (result, None),
                Err(reason) => (CheckResult::Skipped, Some(reason)),
            };
            assert_eq!(finding.result(), expected, "{fields}");
        };
        let (passed, failed) = (Ok(CheckResult::Passed), Ok(CheckResult::Failed));
        let code = |code: &str| json!({"class_uid": 2004, "status_code": code});
        check(code("PASS"), passed);
        check(code("Passed"), passed);
        check(code("FAIL"), failed);
        check(code("MANUAL"), Err(Manual));
        check(code("ERROR"), Ok(CheckResult::Error));
        check(code("NOT_AVAILABLE"), Err(Unreadable));
        check(code("BESTANDEN"), Err(Unreadable));
        check(json!({"class_uid": 2004}), failed);
        check(json!({"class_uid": 2004, "status_id": 4}), passed);
        check(json!({"class_uid": 2002, "status_id": 6}), Err(NotApplicable));

        let status = |id: i64| json!({"class_uid": 2003, "compliance": {"status_id": id}});
        check(status(1), passed);
        check(status(2), Err(Unreadable));
        check(status(3), failed);
        check(status(99), Err(NotApplicable));
        check(status(0), Err(Unreadable));
        check(status(7), Err(Unreadable));
        check(
            json!({"class_uid": 2003, "status_code": "FAIL", "compliance": {"status_id": 1}}),
            failed,
        );
        check(
            json!({"class_uid": 2003, "status_code": "x", "compliance": {"status_id": 1}}),
            passed,
        );
        check(
            json!({"class_uid": 2003, "compliance": {"status": "Pass"}}),
            passed,
        );
        check(json!({"class_uid": 2003}), Err(Unreadable));
        check(
            json!({"class_uid": 2003, "compliance": {"status_id": 0}, "metadata": {"product": {"name": "Prowler"}}}),
            Err(Manual),
        );
    }
}
