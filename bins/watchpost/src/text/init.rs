//! Texts of `watchpost init`.

pub(crate) fn set_up(data_dir: &str) -> String {
    format!(
        "Watchpost is set up in {data_dir}.\nKeep a copy of {data_dir}/master.key in another place: without it the \
         stored credentials can't be decrypted.\nNext: `watchpost integrations add okta` or `watchpost integrations \
         add m365`."
    )
}

pub(crate) fn already_set_up(data_dir: &str) -> String {
    format!("Nothing changed: Watchpost is already set up in {data_dir}.")
}

pub(crate) fn workspace_added(name: &str) -> String {
    format!(
        "The workspace `{name}` is created. Select it with `--workspace {name}`; an API key always belongs to one \
         workspace."
    )
}

pub(crate) fn workspace_exists(name: &str) -> String {
    format!("Nothing changed: the workspace `{name}` already exists.")
}
