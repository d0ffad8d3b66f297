//! The conformance suite that every adapter of the storage ports must pass.
//!
//! An adapter's `tests/it` implements [`Harness`] and passes it to [`crate::conformance_tests`], which turns each case into
//! a test. To cover a new port method, add a case here and add its name to the macro's list.

#![expect(
    clippy::unwrap_used,
    reason = "test code, which is in a library so that every adapter can run it"
)]

pub mod access;
pub mod completions;
pub mod conditions;
pub mod counters;
pub mod facts;
pub mod findings;
pub mod imports;
pub mod integrations;
pub mod jobs;
pub mod life;
pub mod names;
pub mod once;
pub mod readings;
mod sample;
pub mod scans;
pub mod shrink;
pub mod tenancy;
mod world;

pub use sample::{
    account, account_fact, app_fact, grant_fact, mfa_fact, observation, role_fact, setting_fact,
};
pub use world::{
    AnyStore, Harness, Opened, REJECTED, RunningSync, Tenant, World, call, live, run, with_statuses,
};

/// Defines a test for every case of the suite. The argument is an expression whose value is a [`conformance::Harness`].
///
/// [`conformance::Harness`]: crate::conformance::Harness
#[macro_export]
macro_rules! conformance_tests {
    ($harness:expr) => {
        $crate::conformance_tests!(@each $harness;
            access::a_key_is_found_listed_used_and_revoked,
            access::an_expired_key_stays_expired_if_the_clock_is_set_back,
            access::parallel_creations_never_exceed_the_key_limit,
            access::generations_increase_only_with_changes,
            access::a_chain_has_no_gaps_and_its_entries_can_be_filtered,
            access::a_change_that_cannot_be_audited_is_not_made,
            access::two_stores_write_one_chain,
            access::the_heads_of_the_chains_are_those_of_the_rows,
            tenancy::ids_of_another_workspace_are_treated_like_unknown_ids,
            jobs::a_job_is_leased_once_by_two_stores,
            jobs::a_lost_lease_can_neither_be_extended_nor_end_the_job,
            jobs::a_failing_job_fails_for_good_after_three_attempts,
            jobs::a_job_of_a_revoked_key_does_not_start,
            jobs::triggering_a_sync_twice_returns_the_same_job,
            jobs::syncs_are_queued_when_they_are_due,
            facts::accounts_with_a_common_address_share_an_identity,
            names::people_are_found_by_their_display_name,
            names::only_people_with_an_account_are_found_by_name,
            names::the_number_of_people_with_a_name_is_bounded,
            facts::only_a_complete_dataset_retires_rows,
            facts::merging_keeps_the_older_identity_and_decisions,
            facts::apps_keep_their_ids_and_policies,
            facts::documents_contain_what_was_read,
            readings::what_was_read_of_an_account_is_kept_until_it_is_read_again,
            readings::the_rows_of_a_kept_app_are_those_of_its_last_reading,
            facts::unknown_facts_stay_unknown,
            integrations::the_reason_of_a_failed_sync_stays_until_a_sync_completes,
            integrations::removal_deletes_facts_and_secrets,
            integrations::replaced_credentials_keep_everything_and_start_the_sync_again,
            integrations::credentials_of_another_tenant_replace_nothing,
            integrations::credentials_are_read_back_unchanged,
            shrink::a_list_that_shrank_retires_nothing_until_it_is_confirmed,
            shrink::a_confirmation_is_for_one_number_of_rows_and_used_once,
            shrink::an_empty_list_that_cannot_be_empty_is_denied_and_retires_nothing,
            shrink::a_confirmation_that_cannot_be_audited_is_not_made,
            findings::observations_create_keep_and_reopen_findings,
            findings::a_finding_missing_from_two_newer_collections_is_resolved,
            findings::pages_have_no_gaps_and_no_repeats,
            findings::totals_equal_the_stored_counts,
            conditions::rules_of_one_condition_share_a_finding,
            conditions::a_finding_stays_open_while_one_of_its_rules_reports_it,
            conditions::a_decision_applies_to_all_rules_of_a_condition,
            conditions::a_rule_that_joins_a_condition_brings_its_finding,
            conditions::merged_identities_keep_one_finding_of_a_condition,
            conditions::checks_of_two_scan_types_share_a_finding,
            conditions::an_exempted_check_leaves_the_finding_to_the_other_check,
            findings::search_text_is_never_interpreted_as_syntax,
            findings::findings_can_be_filtered_by_entity_and_platform,
            imports::an_import_is_visible_once_it_is_kept,
            imports::a_discarded_import_leaves_no_rows,
            imports::an_abandoned_import_is_deleted_when_another_begins,
            imports::the_same_file_is_imported_only_once,
            imports::a_batch_is_assigned_to_the_integration_of_its_tenant,
            imports::the_latest_run_of_each_tool_provides_its_verdicts,
            imports::imported_settings_become_a_scan_at_the_time_they_were_read,
            imports::an_import_that_cannot_be_audited_is_not_kept,
            imports::removing_an_integration_deletes_its_imports,
            imports::another_workspace_sees_no_imports,
            scans::an_integration_has_one_unfinished_scan_at_a_time,
            scans::repeated_requests_for_a_scan_start_one,
            scans::a_cancelled_scan_stores_no_results,
            scans::a_scan_ends_with_its_job,
            scans::scans_are_read_back_as_they_were_written,
            scans::findings_of_checks_have_the_same_life_cycle_as_findings_of_rules,
            scans::schedules_start_scans_one_after_the_other,
            scans::exemptions_are_stored_and_removed,
            scans::scans_belong_to_their_workspace_and_integration,
            life::repeating_a_decision_on_a_finding_changes_nothing,
            life::remediations_are_requested_rejected_and_cancelled,
            once::a_token_is_spent_by_one_change,
            once::tokens_are_independent,
            once::each_token_of_a_call_is_spent,
            once::a_token_is_spent_even_if_the_change_is_not_possible,
            once::a_failed_transaction_spends_no_token,
            once::racing_calls_with_one_token_make_one_change,
            once::every_kind_of_change_returns_the_same_outcome_when_repeated,
            life::risk_facts_list_the_worst_scored_findings_first,
            life::top_findings_are_ordered_by_saving_and_then_by_age,
            completions::completions_come_only_from_the_workspace_of_the_caller,
            completions::completions_list_live_findings_first_and_the_worst_first,
            completions::completions_are_limited_to_a_hundred,
            counters::counts_equal_recounts_after_random_operations,
        );
    };
    (@each $harness:expr; $($module:ident :: $case:ident),+ $(,)?) => {$(
        #[test]
        fn $case() {
            $crate::conformance::run($crate::conformance::$module::$case(&$harness));
        }
    )+};
}
