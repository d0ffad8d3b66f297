//! OCSF findings: those of Prowler, our own export, and other tools'.

use super::{
    batches::Batches,
    loose::{self, Fields, Loose, Many, Maybe},
    text,
};
use serde::Deserialize;
use watchpost_core::{
    check::{CheckResult, FrameworkId, Service, SkipReason},
    import::{
        ExceptionKind, ImportBatchHeader, ImportError, ImportFormat, ImportTool, ImportedEntity,
        ImportedException, ImportedRow, check_of, fingerprint,
    },
    value::{text::ForeignText, time::Timestamp, word::Severity},
};

/// Framework ids of a row that are kept.
const FRAMEWORKS_MAX: usize = 100;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Finding {
    class_uid: Loose,
    category_uid: Loose,
    message: Loose,
    metadata: Maybe<Metadata>,
    severity: Loose,
    severity_id: Loose,
    status_id: Loose,
    status_code: Loose,
    status_detail: Loose,
    comment: Loose,
    unmapped: Maybe<Unmapped>,
    finding_info: Maybe<Info>,
    resources: Many<Maybe<Resource>>,
    cloud: Maybe<Cloud>,
    compliance: Maybe<Compliance>,
    time: Loose,
    time_dt: Loose,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    event_code: Loose,
    product: Maybe<Product>,
    tenant_uid: Loose,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Product {
    name: Loose,
    version: Loose,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Unmapped {
    compliance: Maybe<Fields<Many<Loose>>>,
    provider: Loose,
    provider_uid: Loose,
    skip_reason: Loose,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Info {
    title: Loose,
    analytic: Maybe<Analytic>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Analytic {
    uid: Loose,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Resource {
    uid: Loose,
    name: Loose,
    #[serde(rename = "type")]
    kind: Loose,
    group: Maybe<Group>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Group {
    name: Loose,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cloud {
    account: Maybe<Account>,
    provider: Loose,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Account {
    uid: Loose,
    name: Loose,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Compliance {
    standards: Many<Loose>,
    requirements: Many<Loose>,
    control: Loose,
    status: Loose,
    status_id: Loose,
    status_detail: Loose,
}

/// Reads one finding.
pub(super) fn read(row: &[u8], index: u64, batches: &mut Batches<'_>) -> Result<(), ImportError> {
    let finding = match loose::row::<Finding>(row) {
        Ok(finding) => finding,
        Err(reason) => return batches.bad_row(None, index, reason),
    };
    if let Err(reason) = finding.is_ours() {
        return batches.bad_row(None, index, reason.to_owned());
    }
    let Some(control) = finding.control() else {
        return batches.bad_row(None, index, "it does not say which control it is of".to_owned());
    };
    let batch = batches.batch(finding.header())?;
    let row = finding.row(control, batches);
    batches.row(batch, row)
}

impl Finding {
    const fn info(&self) -> &Info {
        &self.finding_info.0
    }

    fn is_ours(&self) -> Result<(), &'static str> {
        if self.category_uid.number() != Some(2) {
            return Err("its `category_uid` is not 2 (findings)");
        }
        match self.class_uid.number() {
            Some(2002 | 2003 | 2004 | 2007) => Ok(()),
            _ => Err("its `class_uid` is none of 2002, 2003, 2004, 2007"),
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
        .find_map(Loose::some)
    }

    fn tenant(&self) -> &str {
        [&self.cloud.0.account.0.uid, &self.metadata.0.tenant_uid]
            .into_iter()
            .find_map(Loose::some)
            .unwrap_or_default()
    }

    fn header(&self) -> ImportBatchHeader {
        let product = &self.metadata.0.product.0;
        let of_tenant = |resource: &&Maybe<Resource>| resource.0.kind.text().eq_ignore_ascii_case("tenant");
        let name = self
            .cloud
            .0
            .account
            .0
            .name
            .some()
            .or(self.unmapped.0.provider_uid.some())
            .or_else(|| self.resources.0.iter().find(of_tenant)?.0.name.some());
        ImportBatchHeader {
            format: ImportFormat::Ocsf,
            tool: self.tool(),
            tool_version: text::name(product.version.text()),
            tenant_key: text::id(self.tenant(), 200),
            tenant_name: text::name(name.unwrap_or_default()),
            ran_at: self.ran_at(),
        }
    }

    fn ran_at(&self) -> Option<Timestamp> {
        self.time
            .number()
            .and_then(text::epoch)
            .or_else(|| text::time(self.time_dt.text()))
    }

    fn row(&self, control: &str, batches: &Batches<'_>) -> ImportedRow {
        let tool = self.tool();
        let check = check_of(tool, control, batches.checks);
        let own = batches.checks.iter().find(|one| Some(one.id.as_str()) == check);
        let (result, skip) = self.judged();
        let details = [
            &self.status_detail,
            &self.compliance.0.status_detail,
            &self.message,
        ]
        .into_iter()
        .find_map(Loose::some)
        .unwrap_or_default();
        let resource = self.resources.0.first().map(|resource| &resource.0);
        let requirements: String = match tool {
            // One row per finding and requirement.
            ImportTool::Prowler if self.is_compliance() => self.requirements().collect::<Vec<_>>().join("\n"),
            _ => String::new(),
        };
        let resource_uid = resource.map_or("", |resource| resource.uid.text());
        let muted = self.status_id.number() == Some(3) && result == CheckResult::Failed;
        ImportedRow {
            control: text::id(control, 200),
            check: check.map(str::to_owned),
            title: text::title(self.info().title.some().unwrap_or(control)),
            result,
            skip,
            severity: self
                .severity()
                .or(own.map(|own| own.severity))
                .unwrap_or(Severity::Medium),
            service: own.map_or_else(|| self.service(control), |own| own.service),
            details: text::plain(details),
            entity: resource.and_then(entity),
            frameworks: self.frameworks(),
            exception: muted.then(|| ImportedException {
                kind: ExceptionKind::Suppressed,
                reason: text::plain(self.comment.text()),
                until: None,
            }),
            fingerprint: fingerprint(tool, &[control, self.tenant(), resource_uid, &requirements]),
        }
    }

    /// The tool's own word first, then the verdict on the requirement; a mere finding is a failure until it is
    /// resolved.
    fn judged(&self) -> (CheckResult, Option<SkipReason>) {
        let skipped = |why| (CheckResult::Skipped, Some(why));
        match self.status_code.text().to_ascii_uppercase().as_str() {
            "PASS" => return (CheckResult::Passed, None),
            "FAIL" => return (CheckResult::Failed, None),
            "MANUAL" => return skipped(SkipReason::Manual),
            _ => {}
        }
        if self.is_compliance() {
            let compliance = &self.compliance.0;
            let told = self.unmapped.0.skip_reason.text().parse().ok();
            return match compliance.status_id.number() {
                Some(1) => (CheckResult::Passed, None),
                Some(3) => (CheckResult::Failed, None),
                Some(2) if compliance.status.text().eq_ignore_ascii_case("error") => {
                    (CheckResult::Error, None)
                }
                Some(2) => skipped(told.unwrap_or(SkipReason::Unreadable)),
                Some(99) => skipped(told.unwrap_or(SkipReason::NotApplicable)),
                _ => skipped(told.unwrap_or(SkipReason::Manual)),
            };
        }
        if self.status_id.number() == Some(4) {
            return (CheckResult::Passed, None);
        }
        (CheckResult::Failed, None)
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
                word => word.parse().ok(),
            },
        }
    }

    fn service(&self, control: &str) -> Service {
        let provider = [&self.unmapped.0.provider, &self.cloud.0.provider]
            .into_iter()
            .find_map(Loose::some)
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
            .filter_map(Loose::some)
    }

    /// Ids as their framework writes them if they are of one that we know; else name and id.
    fn frameworks(&self) -> Vec<FrameworkId> {
        let of_unmapped = self
            .unmapped
            .0
            .compliance
            .0
            .0
            .iter()
            .flat_map(|(framework, ids)| {
                ids.0
                    .iter()
                    .filter_map(Loose::some)
                    .map(move |id| format!("{framework}/{id}"))
            });
        let of_compliance = self
            .compliance
            .0
            .requirements
            .0
            .iter()
            .filter_map(Loose::some)
            .map(str::to_owned);
        let mut out: Vec<FrameworkId> = of_compliance
            .chain(of_unmapped)
            .take(FRAMEWORKS_MAX)
            .map(|id| FrameworkId::new(&text::id(&id, 64)))
            .collect();
        out.dedup();
        out
    }
}

fn entity(resource: &Resource) -> Option<ImportedEntity> {
    let id = resource.uid.some().or(resource.name.some())?;
    let kind = resource.kind.text().to_ascii_lowercase();
    let name = match resource.name.some() {
        Some(name) => text::name(name),
        None => ForeignText::name(id),
    };
    Some(ImportedEntity {
        kind: if kind.is_empty() || kind == "notdefined" {
            "other".to_owned()
        } else {
            text::id(&kind, 40)
        },
        id: text::id(id, 500),
        name,
    })
}
