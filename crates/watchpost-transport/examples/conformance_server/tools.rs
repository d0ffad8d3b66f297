//! The tools: their definitions, and the tools that ask no questions.

use crate::{
    Fixture, asking,
    resources::{PNG, WATCHED},
    tasks,
};
use serde_json::{Value, json, value::RawValue};
use std::{sync::atomic::Ordering, time::Duration};
use watchpost_protocol::{
    CallError, Change, Completed, ContentBlock, LogLevel, Outcome, RawJson, RequestMeta, RequiredCapability,
    ResourceBody, ResourceContents, ToolDefinition, ToolHints, ToolResult,
};

/// A sound file without samples.
const WAV: &[u8] =
    b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x44\xac\0\0\x88\x58\x01\0\x02\0\x10\0data\0\0\0\0";

/// The pause between two steps of the tools that report progress.
const STEP: Duration = Duration::from_millis(50);

/// A schema with several keywords, which must be listed unchanged.
const ADDRESS_BOOK: &str = concat!(
    r##"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","##,
    r##""$defs":{"address":{"$anchor":"addressDef","type":"object","##,
    r##""properties":{"street":{"type":"string"},"city":{"type":"string"}}}},"##,
    r##""properties":{"name":{"type":"string"},"address":{"$ref":"#/$defs/address"},"##,
    r##""contactMethod":{"type":"string","enum":["phone","email"]},"##,
    r##""phone":{"type":"string"},"email":{"type":"string"}},"##,
    r##""allOf":[{"anyOf":[{"required":["phone"]},{"required":["email"]}]}],"##,
    r##""if":{"properties":{"contactMethod":{"const":"phone"}},"required":["contactMethod"]},"##,
    r##""then":{"required":["phone"]},"else":{"required":["email"]},"additionalProperties":false}"##,
);

fn tool(name: &str, description: &str, schema: &str) -> ToolDefinition {
    ToolDefinition {
        name: name.to_owned(),
        title: None,
        description: description.to_owned(),
        input_schema: RawValue::from_string(schema.to_owned()).expect("the schemas here are JSON"),
        output_schema: None,
        hints: ToolHints {
            read_only: true,
            destructive: false,
            idempotent: true,
            open_world: false,
        },
    }
}

/// Returns the schema of an object with these properties, all of them required.
fn object(properties: &Value) -> String {
    let required: Vec<&String> = properties
        .as_object()
        .into_iter()
        .flat_map(|map| map.keys())
        .collect();
    json!({"type": "object", "properties": properties, "required": required}).to_string()
}

/// Returns all tools, in the order in which they are listed.
pub(crate) fn definitions() -> Vec<ToolDefinition> {
    let plain = [
        ("test_simple_text", "Returns one sentence."),
        ("test_image_content", "Returns an image."),
        ("test_audio_content", "Returns audio."),
        ("test_embedded_resource", "Returns an embedded resource."),
        (
            "test_multiple_content_types",
            "Returns a text, an image and an embedded resource.",
        ),
        ("test_error_handling", "Fails."),
        ("test_tool_with_progress", "Reports progress."),
        ("test_tool_with_logging", "Logs its steps."),
        (
            "test_logging_tool",
            "Logs one message to clients that ask for log messages.",
        ),
        (
            "test_reconnection",
            "Closes the connection and responds after the client has resumed the stream.",
        ),
        (
            "test_missing_capability",
            "Requires the client capability `sampling`.",
        ),
        (
            "test_trigger_tool_change",
            "Reports a change of the list of tools.",
        ),
        (
            "test_trigger_prompt_change",
            "Reports a change of the list of prompts.",
        ),
        ("test_streaming_elicitation", "Asks the user for a text."),
        (
            "test_elicitation_sep1034_defaults",
            "Asks with a form that has default values.",
        ),
        ("test_elicitation_sep1330_enums", "Asks with a form of choices."),
        (
            "test_input_required_result_elicitation",
            "Asks the user for a name.",
        ),
        (
            "test_input_required_result_sampling",
            "Asks the client's model for a capital.",
        ),
        (
            "test_input_required_result_list_roots",
            "Asks the client for its roots.",
        ),
        ("test_input_required_result_request_state", "Asks with a state."),
        (
            "test_input_required_result_tampered_state",
            "Asks with a state that can't be altered.",
        ),
        (
            "test_input_required_result_multiple_inputs",
            "Asks three questions at once.",
        ),
        (
            "test_input_required_result_multi_round",
            "Asks one question after the other.",
        ),
        (
            "test_input_required_result_capabilities",
            "Asks with a kind of question that the client supports.",
        ),
        ("failing_job", "A task that fails after a second."),
        ("protocol_error_job", "A task that ends with a protocol error."),
        ("multi_input", "A task that asks two questions."),
        ("test_tool_with_task", "Asks for a name and continues as a task."),
    ];
    let nothing = r#"{"type":"object","properties":{}}"#;
    let mut tools: Vec<_> = plain
        .into_iter()
        .map(|(name, description)| tool(name, description, nothing))
        .collect();
    let text = json!({"type": "string"});
    let jobs = json!({"seconds": {"type": "number"}, "label": text});
    let header = json!({"value": {"type": "string", "x-mcp-header": "Value"}});
    tools.extend([
        tool(
            "json_schema_2020_12_tool",
            "Has a schema with several keywords.",
            ADDRESS_BOOK,
        ),
        tool(
            "test_custom_header",
            "Has an argument that is repeated in a header.",
            &object(&header),
        ),
        tool(
            "test_sampling",
            "Asks the client's model.",
            &object(&json!({"prompt": text})),
        ),
        tool(
            "test_elicitation",
            "Asks the user.",
            &object(&json!({"message": text})),
        ),
        tool("greet", "Greets.", &object(&json!({"name": text}))),
        tool("slow_compute", "Waits for a while.", &object(&jobs)),
        tool(
            "confirm_delete",
            "A task that asks for a confirmation.",
            &object(&json!({"filename": text})),
        ),
    ]);
    tools
}

fn resource(uri: &str, media_type: &str, text: &str) -> ContentBlock {
    ContentBlock::Resource(ResourceContents {
        uri: uri.to_owned(),
        media_type: Some(media_type.to_owned()),
        body: ResourceBody::Text(text.to_owned()),
    })
}

fn picture() -> ContentBlock {
    ContentBlock::Image {
        bytes: PNG.into(),
        media_type: "image/png".to_owned(),
    }
}

/// Calls a tool.
pub(crate) async fn call(
    fixture: &Fixture,
    name: &str,
    arguments: Option<RawJson<'_>>,
    meta: &RequestMeta<'_>,
) -> Outcome {
    let arguments: Value = arguments.and_then(|raw| raw.parse().ok()).unwrap_or_default();
    let given = |key: &str| arguments[key].as_str().unwrap_or_default();
    let notify = meta.notify();
    let result = match name {
        "test_simple_text" => ToolResult::text("This is a simple text response for testing."),
        "test_image_content" => ToolResult::blocks(vec![picture()]),
        "test_audio_content" => ToolResult::blocks(vec![ContentBlock::Audio {
            bytes: WAV.into(),
            media_type: "audio/wav".to_owned(),
        }]),
        "test_embedded_resource" => ToolResult::blocks(vec![resource(
            "test://embedded-resource",
            "text/plain",
            "This is an embedded resource content.",
        )]),
        "test_multiple_content_types" => ToolResult::blocks(vec![
            ContentBlock::text("Multiple content types test:"),
            picture(),
            resource(
                "test://mixed-content-resource",
                "application/json",
                r#"{"test":"data","value":123}"#,
            ),
        ]),
        "test_error_handling" => ToolResult::error("This tool intentionally returns an error for testing"),
        "test_tool_with_progress" => {
            for progress in [0.0, 50.0, 100.0] {
                notify.progress(progress, Some(100.0), None);
                tokio::time::sleep(STEP).await;
            }
            ToolResult::text("Completed in steps.")
        }
        "test_tool_with_logging" => {
            for line in [
                "Tool execution started",
                "Tool processing data",
                "Tool execution completed",
            ] {
                notify.log(LogLevel::Info, None, line);
                tokio::time::sleep(STEP).await;
            }
            ToolResult::text("Completed with log messages.")
        }
        "test_logging_tool" => {
            notify.log(LogLevel::Info, None, "The logging tool was called");
            ToolResult::text("Logged the message.")
        }
        "test_reconnection" => {
            notify.disconnect(2 * STEP);
            tokio::time::sleep(2 * STEP).await;
            ToolResult::text("The stream was resumed.")
        }
        "test_missing_capability" if !meta.capabilities().sampling => {
            return Outcome::Error(CallError::MissingCapability(RequiredCapability::Sampling));
        }
        "test_missing_capability" => ToolResult::text("The capability is declared."),
        "test_trigger_tool_change" | "test_trigger_prompt_change" => {
            fixture.changes.fetch_add(1, Ordering::Relaxed);
            fixture.hub.publish(&Change::Resource(WATCHED.to_owned()));
            fixture.hub.publish(if name == "test_trigger_tool_change" {
                &Change::Tools
            } else {
                &Change::Prompts
            });
            ToolResult::text("Published the change.")
        }
        "json_schema_2020_12_tool" => ToolResult::text("Noted."),
        "test_custom_header" => ToolResult::text(given("value")),
        "greet" => ToolResult::text(&format!("Hello, {}!", given("name"))),
        "slow_compute"
        | "failing_job"
        | "protocol_error_job"
        | "confirm_delete"
        | "multi_input"
        | "test_tool_with_task" => return tasks::call(fixture, name, &arguments, meta).await,
        "test_sampling" => return asking::call(name, given("prompt"), meta),
        _ => return asking::call(name, given("message"), meta),
    };
    Outcome::Complete(Completed::Tool(result))
}
