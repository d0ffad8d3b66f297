//! The demo's keys, and the text that is printed when the demo is ready.

use crate::{
    client_config::{Client, KeyHeader, Language, Target, snippet},
    data_dir::write_private,
    server_url::ServerUrl,
    text,
};
use secrecy::{ExposeSecret as _, SecretString};
use std::path::Path;

/// The two API keys of the demo.
#[derive(Debug)]
pub struct DemoKeys {
    /// The key with scope `read`.
    pub read: SecretString,
    /// The key with scope `write`.
    pub write: SecretString,
}

impl DemoKeys {
    /// Writes the addresses and keys as JSON to a file that only its owner can read. The write is atomic.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn write_info(&self, url: &ServerUrl, path: &Path) -> anyhow::Result<()> {
        let info = serde_json::json!({
            "mcp_url": url.mcp(),
            "sse_url": url.sse(),
            "read_key": self.read.expose_secret(),
            "write_key": self.write.expose_secret(),
        });
        Ok(write_private(path, format!("{info:#}\n").as_bytes())?)
    }

    /// The text to print when the demo is ready. It contains the keys: it is for standard output, and must not be logged.
    ///
    /// # Errors
    /// If one of the snippets in it can't be made.
    pub fn welcome(&self, url: &ServerUrl, bridge: &Path) -> anyhow::Result<String> {
        let target = Target::http(url.clone(), bridge);
        let mut text = text::demo::welcome(
            &url.mcp(),
            &url.sse(),
            self.read.expose_secret(),
            self.write.expose_secret(),
        );
        for client in [Client::ClaudeCode, Client::ClaudeDesktop, Client::Cursor] {
            let snippet = snippet(client, &target, KeyHeader::XApiKey, Some(&self.read))?;
            if let Some(part) = snippet.parts.first() {
                let place = match part.language {
                    Language::Shell => text::demo::IN_A_TERMINAL.to_owned(),
                    Language::Json | Language::Toml | Language::Yaml => text::demo::in_a_file(part.place),
                };
                text.push_str(&text::demo::snippet(client.title(), &place, &part.text));
            }
        }
        text.push_str(text::demo::FIRST_QUESTION);
        Ok(text)
    }
}
