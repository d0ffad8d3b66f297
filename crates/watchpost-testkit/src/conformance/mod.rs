//! What every adapter of the storage ports must do, whatever it is made of.
//!
//! An adapter's `tests/it` implements [`Harness`] and calls [`crate::conformance_tests`] with it: each case becomes a
//! test. To add a port method, add a case here and its name to the macro's list.

#![expect(
    clippy::unwrap_used,
    reason = "test code, in a library so that every adapter runs it"
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
pub mod once;
mod sample;
pub mod scans;
pub mod tenancy;
mod world;

pub use sample::{
    account, account_fact, app_fact, grant_fact, mfa_fact, observation, role_fact, setting_fact,
};
pub use world::{AnyStore, Harness, Opened, Syncing, Tenant, World, call, live, run, with_statuses};

/// Makes a test of every case of the suite. The argument is an expression that gives a [`conformance::Harness`].
///
/// [`conformance::Harness`]: crate::conformance::Harness
#[macro_export]
macro_rules! conformance_tests {
    ($harness:expr) => {
        $crate::conformance_tests!(@each $harness;
            access::a_key_is_found_listed_used_and_revoked,
            access::the_eleventh_key_is_refused_under_parallel_creations,
            access::generations_move_with_changes_only,
            access::a_chain_is_whole_and_lists_by_condition,
            access::a_change_that_cannot_be_audited_is_not_made,
            access::two_stores_write_one_chain,
            tenancy::another_workspaces_ids_answer_like_unknown_ones,
            jobs::a_job_is_leased_once_by_two_stores,
            jobs::a_lost_lease_ends_nothing,
            jobs::a_failed_job_is_tried_again_and_then_given_up,
            jobs::a_job_of_a_revoked_key_does_not_start,
            jobs::triggering_twice_gives_the_same_jobs,
            jobs::schedules_queue_what_is_due,
            facts::accounts_join_and_count_identities,
            facts::only_a_complete_dataset_retires,
            facts::merging_keeps_the_older_identity_and_decisions,
            facts::apps_keep_their_ids_and_policies,
            facts::documents_say_what_was_read,
            integrations::a_failed_sync_shows_its_reason_until_one_completes,
            integrations::removal_deletes_facts_and_secrets,
            integrations::credentials_open_as_they_were_given,
            findings::observations_make_keep_and_reopen,
            findings::absence_resolves_after_two_newer_collections,
            findings::pages_have_no_gaps_and_no_repeats,
            findings::totals_are_exact_where_counts_are_kept,
            conditions::rules_of_a_condition_have_one_finding,
            conditions::a_finding_goes_on_while_one_of_its_rules_sees_it,
            conditions::a_decision_holds_for_all_rules_of_a_condition,
            conditions::a_rule_that_comes_to_share_a_condition_brings_its_finding,
            conditions::merged_people_keep_one_finding_of_a_condition,
            conditions::checks_of_two_scans_have_one_finding,
            conditions::an_exemption_leaves_the_finding_to_the_other_check,
            findings::text_search_takes_words_not_syntax,
            findings::entities_and_platforms_select,
            imports::an_import_is_seen_when_it_is_kept,
            imports::a_discarded_import_leaves_nothing,
            imports::an_abandoned_import_is_cleared_away,
            imports::the_same_file_is_imported_once,
            imports::a_batch_goes_to_its_tenant,
            imports::the_latest_run_of_a_tool_speaks,
            imports::imported_settings_are_a_scan_of_their_time,
            imports::an_import_that_cannot_be_audited_is_not_kept,
            imports::imports_go_with_their_integration,
            imports::another_workspace_sees_no_imports,
            scans::one_scan_of_an_integration_at_a_time,
            scans::a_cancelled_scan_keeps_nothing,
            scans::a_scan_follows_its_jobs_end,
            scans::scans_are_read_as_they_were_written,
            scans::checks_findings_have_the_life_of_rules_findings,
            scans::schedules_start_scans_one_after_the_other,
            scans::exemptions_are_kept_and_taken_back,
            scans::scans_belong_to_their_workspace_and_integration,
            life::people_change_findings_and_repeat_without_change,
            life::remediations_wait_and_are_refused,
            once::a_token_is_spent_by_one_change,
            once::tokens_are_independent,
            once::each_token_of_a_call_is_spent,
            once::a_token_is_spent_by_a_refusal,
            once::a_failed_transaction_spends_no_token,
            once::racing_calls_change_once,
            once::every_kind_of_change_is_repeated_alike,
            life::risk_facts_show_the_worst_that_count,
            life::what_saves_most_comes_first_and_then_the_oldest,
            completions::what_begins_with_a_text_is_found_in_its_workspace_alone,
            completions::findings_come_live_and_worst_first,
            completions::more_than_a_hundred_are_cut,
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
