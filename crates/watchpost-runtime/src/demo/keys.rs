//! The demo's keys, and what a person reads when it is up.

use crate::{
    client_config::{Client, KeyHeader, Language, Target, snippet},
    data_dir::write_private,
};
use secrecy::{ExposeSecret as _, SecretString};
use std::{fmt::Write as _, path::Path};

/// The demo's two keys.
#[derive(Debug)]
pub struct DemoKeys {
    /// May ask.
    pub read: SecretString,
    /// May act too.
    pub write: SecretString,
}

impl DemoKeys {
    /// Writes addresses and keys as JSON to a file that only its owner can read, in one step.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn write_info(&self, base_url: &str, path: &Path) -> anyhow::Result<()> {
        let info = serde_json::json!({
            "mcp_url": format!("{base_url}/mcp"),
            "sse_url": format!("{base_url}/sse"),
            "read_key": self.read.expose_secret(),
            "write_key": self.write.expose_secret(),
        });
        Ok(write_private(path, format!("{info:#}\n").as_bytes())?)
    }

    /// What a person reads when the demo is up. Holds the keys: for standard output, never for a log.
    pub fn welcome(&self, base_url: &str, bridge: &Path) -> anyhow::Result<String> {
        let target = Target::http(base_url, bridge)?;
        let mut text = format!(
            "\nA demo of Watchpost: an invented company with Okta and Microsoft 365, simulated in this process.\n\n\
             MCP endpoint   {base_url}/mcp\nold SSE clients {base_url}/sse\n\
             read key       {}\nwrite key      {}\n",
            self.read.expose_secret(),
            self.write.expose_secret()
        );
        for client in [Client::ClaudeCode, Client::ClaudeDesktop, Client::Cursor] {
            let snippet = snippet(client, &target, KeyHeader::XApiKey, Some(&self.read));
            if let Some(part) = snippet.parts.first() {
                let place = match part.language {
                    Language::Shell => "run in a terminal".to_owned(),
                    Language::Json | Language::Toml => format!("put into {}", part.place),
                };
                let _ = write!(text, "\n{} ({place}):\n{}\n", client.title(), part.text);
            }
        }
        text.push_str(
            "\nThen ask: what is our risk score, and who are the admins without MFA?\n\
             Use the write key to let the assistant act. Ctrl-C ends the demo.\n",
        );
        Ok(text)
    }
}
