//! Next steps for an operator, as commands.

use watchpost_core::{
    error::{Error, NextStep},
    service::Warning,
};

/// A next step as a sentence.
pub(crate) fn step(step: NextStep) -> String {
    let text = match step {
        NextStep::ConnectPlatform => {
            "Connect a platform: run `watchpost integrations add okta` or `watchpost integrations add m365`"
        }
        NextStep::AwaitFirstSync => {
            "The first sync has not finished: wait a minute, or run `watchpost sync --wait`; a server or `watchpost sync` must be running"
        }
        NextStep::RepairSources => {
            "No source can be read: run `watchpost integrations verify`, fix what it reports, then run `watchpost sync`"
        }
        NextStep::VerifyIntegrations => "run `watchpost integrations verify` to see why",
        NextStep::ConfirmShrink => {
            "run `watchpost integrations verify` to see whether a permission is missing; if the list did shrink, run \
             `watchpost integrations confirm-shrink ID DATASET`"
        }
        NextStep::SetCredential(platform) => {
            return format!(
                "set a new credential with `watchpost integrations set-credential {platform}`, which keeps all findings \
                 and decisions"
            );
        }
        NextStep::ResumeIntegration => "resume it with `watchpost integrations resume`",
        NextStep::ListIntegrations => "`watchpost integrations list` shows the ids",
        NextStep::ListFindings => "`watchpost findings list` shows the ids",
        NextStep::ListScans => "`watchpost scan list` shows the ids",
        NextStep::ListResults => "`watchpost scan results` shows the check ids",
        NextStep::ListChecks => "`watchpost policy list` shows the checks",
        NextStep::StartScan(scan_type) => {
            return format!("start one with `watchpost scan start --type {scan_type}`");
        }
        NextStep::ImportResults => "import its results with `watchpost import FILE`",
        NextStep::ListImports => "`watchpost imports list` shows the ids",
        NextStep::FindApp => {
            "no connected platform has an app with this name or id; `watchpost apps list` shows the apps"
        }
        NextStep::FindIdentity => "`watchpost identity EMAIL` shows a person",
        NextStep::CheckAddress => {
            "no connected platform has an account with this address; check the spelling, and whether the platform is connected"
        }
        NextStep::ChoosePerson => {
            "give the first and last name or the whole address; `watchpost findings list --text NAME` shows addresses of people with findings"
        }
        NextStep::ListKeys => "`watchpost keys list` shows the ids",
        NextStep::RevokeKey => {
            "revoke one with `watchpost keys revoke ID` (`watchpost keys list` shows the ids), or raise `[limits] active_keys`"
        }
        NextStep::ListRemediations => "`watchpost remediations list` shows the ids",
        NextStep::ListSchedules => "`watchpost schedule list` shows the ids",
        NextStep::ListExemptions => "`watchpost exemption list` shows the ids",
    };
    text.to_owned()
}

/// The error of a use case, with its next step.
pub(crate) fn error(error: &Error) -> String {
    match error.next_step() {
        Some(next) => format!("{error}: {}", step(next)),
        None => error.to_string(),
    }
}

/// A warning with its next step.
pub(crate) fn warning(warning: Warning) -> String {
    match warning.next_step {
        Some(next) => format!("{}; {}", warning.text, step(next)),
        None => warning.text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn every_step_names_existing_commands() {
        let cli = crate::Cli::command();
        for next in NextStep::ALL {
            let text = step(next);
            for quoted in text.split('`').skip(1).step_by(2) {
                let Some(words) = quoted.strip_prefix("watchpost ") else {
                    assert!(quoted.starts_with('['), "{next:?}: `{quoted}`");
                    continue;
                };
                let mut command = &cli;
                for word in words.split(' ') {
                    let Some(found) = command.find_subcommand(word) else {
                        let takes_values = command.get_positionals().next().is_some();
                        assert!(
                            word.starts_with("--") || takes_values,
                            "{next:?}: there is no `{word}` in `{quoted}`"
                        );
                        break;
                    };
                    command = found;
                }
            }
        }
    }

    #[test]
    fn an_error_ends_with_its_next_step() {
        let not_found = Error::not_found("scan", NextStep::ListScans);
        assert_eq!(
            error(&not_found),
            "scan not found: `watchpost scan list` shows the ids"
        );
    }
}
