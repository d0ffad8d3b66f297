//! Prompts, and the completion of arguments of prompts and resource templates.

use crate::{
    CACHE, asking,
    resources::{PNG, TEMPLATE},
};
use std::collections::BTreeMap;
use watchpost_protocol::{
    CallError, Completed, CompletionQuery, CompletionRef, Completions, ContentBlock, Outcome, PromptArgument,
    PromptDefinition, PromptMessage, PromptPage, PromptResult, RequestMeta, ResourceBody, ResourceContents,
    Role,
};

pub(crate) fn list() -> PromptPage {
    let prompt = |name: &str, description: &str, arguments: &[(&str, &str)]| PromptDefinition {
        name: name.to_owned(),
        title: None,
        description: description.to_owned(),
        arguments: arguments
            .iter()
            .map(|(name, description)| PromptArgument {
                name: (*name).to_owned(),
                title: None,
                description: (*description).to_owned(),
                required: true,
            })
            .collect(),
    };
    PromptPage {
        prompts: [
            prompt("test_simple_prompt", "A prompt with one text.", &[]),
            prompt(
                "test_prompt_with_arguments",
                "A text with two arguments.",
                &[("arg1", "The first argument."), ("arg2", "The second word.")],
            ),
            prompt(
                "test_prompt_with_embedded_resource",
                "An embedded resource with a text.",
                &[("resourceUri", "The URI of the resource.")],
            ),
            prompt("test_prompt_with_image", "An image with a text.", &[]),
            prompt(
                "test_input_required_result_prompt",
                "Asks the user for a context first.",
                &[],
            ),
        ]
        .into(),
        next_cursor: None,
        cache: CACHE,
    }
}

pub(crate) fn get(name: &str, arguments: &BTreeMap<String, String>, meta: &RequestMeta<'_>) -> Outcome {
    let argument = |name: &'static str| arguments.get(name).ok_or(CallError::MissingArgument(name.into()));
    let blocks = match name {
        "test_simple_prompt" => Ok(vec![ContentBlock::text("This is a simple prompt for testing.")]),
        "test_prompt_with_arguments" => argument("arg1").and_then(|one| {
            let two = argument("arg2")?;
            let text = format!("Prompt with arguments: arg1='{one}', arg2='{two}'");
            Ok(vec![ContentBlock::text(text)])
        }),
        "test_prompt_with_embedded_resource" => argument("resourceUri").map(|uri| {
            vec![
                ContentBlock::Resource(ResourceContents {
                    uri: uri.clone(),
                    media_type: Some("text/plain".to_owned()),
                    body: ResourceBody::Text("Embedded resource content for testing.".to_owned()),
                }),
                ContentBlock::text("Please process the embedded resource above."),
            ]
        }),
        "test_prompt_with_image" => Ok(vec![
            ContentBlock::Image {
                bytes: PNG.into(),
                media_type: "image/png".to_owned(),
            },
            ContentBlock::text("Please analyze the image above."),
        ]),
        "test_input_required_result_prompt" => {
            let question = "What context should the prompt use?";
            match asking::one_text(meta, "user_context", question, "context") {
                Ok(Some(context)) => Ok(vec![ContentBlock::text(format!("Keep this in mind: {context}"))]),
                Ok(None) => Err(CallError::InvalidParams("the user gave no context".into())),
                Err(question) => return Outcome::InputRequired(question),
            }
        }
        _ => Err(CallError::UnknownPrompt),
    };
    match blocks {
        Ok(blocks) => Outcome::Complete(Completed::Prompt(PromptResult {
            description: None,
            messages: blocks
                .into_iter()
                .map(|content| PromptMessage {
                    role: Role::User,
                    content,
                })
                .collect(),
        })),
        Err(error) => Outcome::Error(error),
    }
}

pub(crate) fn complete(query: &CompletionQuery<'_>) -> Result<Completions, CallError> {
    let known: &[&str] = match (&query.reference, &*query.argument) {
        (CompletionRef::Prompt(name), "arg1" | "arg2") if name == "test_prompt_with_arguments" => {
            &["testValue1", "testValue2", "other"]
        }
        (CompletionRef::Prompt(name), "resourceUri") if name == "test_prompt_with_embedded_resource" => {
            &["test://static-text", "test://watched-resource"]
        }
        (CompletionRef::Resource(uri), "id") if uri == TEMPLATE => &["1", "12", "123"],
        _ => return Err(CallError::UnknownCompletion),
    };
    let values: Vec<String> = known
        .iter()
        .filter(|value| value.starts_with(&*query.value))
        .map(|value| (*value).to_owned())
        .collect();
    Ok(Completions {
        total: u32::try_from(values.len()).ok(),
        values,
        has_more: false,
    })
}
