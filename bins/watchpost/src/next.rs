//! What a person can do next, as commands.

use watchpost_core::{
    error::{Error, NextStep},
    service::Warning,
};

/// The step in words.
pub(crate) fn words(step: NextStep) -> String {
    let text = match step {
        NextStep::ConnectPlatform => {
            "Connect a platform: run `watchpost integrations add okta` or `watchpost integrations add m365`"
        }
        NextStep::AwaitFirstSync => {
            "The first sync has not finished: wait a minute, or run `watchpost sync --wait`; a server or `watchpost sync` must be running"
        }
        NextStep::RepairSources => {
            "No source can be read: run `watchpost integrations verify` and repair what it names, then `watchpost sync`"
        }
        NextStep::VerifyIntegrations => "`watchpost integrations verify` says why",
        NextStep::ResumeIntegration => "`watchpost integrations resume` brings it back",
        NextStep::ListIntegrations => "`watchpost integrations list` shows the ids",
        NextStep::ListFindings => "`watchpost findings list` shows the ids",
        NextStep::ListScans => "`watchpost scan list` shows the ids",
        NextStep::ListResults => "`watchpost scan results` shows the check ids",
        NextStep::ListChecks => "`watchpost policy list` shows the checks that there are",
        NextStep::StartScan(scan_type) => {
            return format!("start one with `watchpost scan start --type {scan_type}`");
        }
        NextStep::ImportResults => "import its results with `watchpost import FILE`",
        NextStep::ListImports => "`watchpost imports list` shows the ids",
        NextStep::FindApp => {
            "no connected platform has an app with this name or id; `watchpost apps list` shows them"
        }
        NextStep::FindIdentity => "`watchpost identity EMAIL` shows a person",
        NextStep::CheckAddress => {
            "no connected platform knows this address; check the spelling, or whether the platform that would know it is connected"
        }
        NextStep::ListKeys => "`watchpost keys list` shows the ids",
        NextStep::RevokeKey => {
            "revoke one with `watchpost keys revoke ID` (`watchpost keys list` shows them), or raise `[limits] active_keys`"
        }
        NextStep::ListRemediations => "`watchpost remediations list` shows the ids",
        NextStep::ListSchedules => "`watchpost schedule list` shows the ids",
        NextStep::ListExemptions => "`watchpost exemption list` shows the ids",
    };
    text.to_owned()
}

/// What a use case failed with, and what to do about it.
pub(crate) fn explained(error: &Error) -> String {
    match error.next_step() {
        Some(step) => format!("{error}: {}", words(step)),
        None => error.to_string(),
    }
}

/// A warning, and what to do about it.
pub(crate) fn warning(warning: Warning) -> String {
    match warning.next_step {
        Some(step) => format!("{}; {}", warning.text, words(step)),
        None => warning.text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn a_step_names_commands_that_there_are() {
        let cli = crate::Cli::command();
        for step in NextStep::ALL {
            let text = words(step);
            for quoted in text.split('`').skip(1).step_by(2) {
                let Some(words) = quoted.strip_prefix("watchpost ") else {
                    assert!(quoted.starts_with('['), "{step:?}: `{quoted}`");
                    continue;
                };
                let mut command = &cli;
                for word in words.split(' ') {
                    let Some(found) = command.find_subcommand(word) else {
                        let takes_values = command.get_positionals().next().is_some();
                        assert!(
                            word.starts_with("--") || takes_values,
                            "{step:?}: no `{word}` in `{quoted}`"
                        );
                        break;
                    };
                    command = found;
                }
            }
        }
    }

    #[test]
    fn an_error_says_what_to_do_about_it() {
        let error = Error::not_found("scan", NextStep::ListScans);
        assert_eq!(
            explained(&error),
            "scan not found: `watchpost scan list` shows the ids"
        );
    }
}
