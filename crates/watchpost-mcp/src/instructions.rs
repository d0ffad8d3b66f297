//! The server's instructions for a model at the beginning of a session.

use crate::{text, tools};

/// The instructions for a caller with a write key, or with a read key.
pub(crate) fn instructions(may_write: bool) -> String {
    let names: Vec<&str> = tools::write_tools().map(|tool| tool.declaration.name).collect();
    let names = names.join(", ");
    if may_write {
        text::instructions::for_writer(&names)
    } else {
        text::instructions::for_reader(&names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::{TOOLS, ToolEntry};

    /// Words with an underscore that are not names of tools.
    const OTHER_WORDS: &[&str] = &["as_of", "idempotency_key"];

    #[test]
    fn instructions_name_existing_tools_and_all_write_tools() {
        for may_write in [false, true] {
            let text = instructions(may_write);
            let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let names: Vec<&str> = words
                .filter(|word| word.contains('_') && !OTHER_WORDS.contains(word))
                .collect();
            for name in &names {
                let is_tool = |tool: &ToolEntry| tool.declaration.name == *name;
                assert!(TOOLS.iter().any(is_tool), "{name}");
            }
            for tool in tools::write_tools() {
                assert!(names.contains(&tool.declaration.name), "{tool:?}");
            }
        }
    }
}
