//! The optional features of the test server: everything beyond tools and resources.

use crate::support::raw;
use std::sync::Arc;
use watchpost_protocol::{
    CacheHint, CacheScope, Call, CallError, Capabilities, ClientAnswer, Completed, CompletionRef,
    Completions, ContentBlock, Field, Form, FormAnswer, InputRequest, InputRequired, LogLevel, Method, Offer,
    Outcome, PromptArgument, PromptDefinition, PromptMessage, PromptPage, PromptResult, RequestMeta,
    RequiredCapability, ResourceBody, ResourceContents, ResourceDefinition, Role, TaskState, TaskStatus,
    ToolResult,
};

pub(crate) const CAPABILITIES: Capabilities = Capabilities {
    tools: Offer::Changing,
    prompts: Offer::Fixed,
    resources: Offer::Changing,
    resource_subscriptions: true,
    completions: true,
    logging: true,
    tasks: true,
};

const CACHE: CacheHint = CacheHint {
    ttl_ms: 9,
    scope: CacheScope::Private,
};

/// Returns a form with a field of every kind.
pub(crate) fn every_field() -> Form {
    Form::new()
        .field("name", Field::text_between(2, 20).title("Name").required())
        .field("age", Field::integer_between(0, 150).default_value(30))
        .field("score", Field::number().default_value(95.5))
        .field("sure", Field::boolean().default_value(true).required())
        .field("plain", Field::choice(["a", "b"]).default_value("a"))
        .field("titled", Field::titled_choice([("a", "An A"), ("b", "A B")]))
        .field("named", Field::named_choice([("a", "An A"), ("b", "A B")]))
}

pub(crate) fn sure() -> Form {
    Form::new().field("sure", Field::boolean().title("Really?").required())
}

fn ask(form: Form, state: Option<&[u8]>) -> Outcome {
    let request = InputRequest::Form {
        message: "Really do it?".to_owned(),
        form,
    };
    Outcome::InputRequired(InputRequired {
        requests: vec![("sure".to_owned(), request)],
        state: state.map(<[u8]>::to_vec),
    })
}

pub(crate) fn text(text: &str) -> Outcome {
    Outcome::Complete(Completed::Tool(ToolResult::text(text)))
}

pub(crate) fn task(id: &str, status: TaskStatus) -> TaskState {
    TaskState {
        id: id.to_owned(),
        created_at: "2026-07-28T10:00:00Z".to_owned(),
        updated_at: "2026-07-28T10:00:01Z".to_owned(),
        ttl_ms: Some(60_000),
        poll_interval_ms: Some(500),
        message: Some("half-way".to_owned()),
        status,
    }
}

/// The tools that ask for input, send notifications or run long.
pub(crate) fn tool(name: &str, meta: &RequestMeta<'_>) -> Outcome {
    match name {
        "ask" => match meta.inputs().form("sure", &sure()) {
            None => ask(sure(), Some(b"asked \x00")),
            Some(_) if meta.inputs().state() != Some(b"asked \x00") => text("never asked"),
            Some(FormAnswer::Accepted(content)) => text(&format!("accepted {:?}", content.boolean("sure"))),
            Some(FormAnswer::Declined) => text("declined"),
            Some(FormAnswer::Cancelled) => text("cancelled"),
            Some(FormAnswer::Failed) => text("failed"),
        },
        "ask-all" => match meta.inputs().form("sure", &every_field()) {
            Some(FormAnswer::Accepted(content)) => text(&content.to_json()),
            Some(other) => text(&format!("{other:?}")),
            None => ask(every_field(), None),
        },
        "ask-many" => {
            let fields = Form::new().field("many", Field::choices(["a", "b"]).count_between(1, 2).required());
            match meta.inputs().form("sure", &fields) {
                Some(FormAnswer::Accepted(content)) => text(&content.choices("many").join("+")),
                Some(other) => text(&format!("{other:?}")),
                None => ask(fields, None),
            }
        }
        "ask-model" => match meta.inputs().client("poem") {
            Some(ClientAnswer::Result(result)) => text(result.as_str()),
            Some(ClientAnswer::Failed) => text("failed"),
            None => Outcome::InputRequired(InputRequired {
                requests: vec![
                    (
                        "poem".to_owned(),
                        InputRequest::Sampling {
                            params: raw(&serde_json::json!({"messages": [], "maxTokens": 9})),
                        },
                    ),
                    ("folders".to_owned(), InputRequest::Roots),
                ],
                state: None,
            }),
        },
        "ask-nothing" => Outcome::InputRequired(InputRequired {
            requests: Vec::new(),
            state: None,
        }),
        "can-ask" => text(&meta.can_ask_form().to_string()),
        "needs-model" => Outcome::Error(CallError::MissingCapability(RequiredCapability::Sampling)),
        "long" => Outcome::Task(task("t-1", TaskStatus::Working)),
        "chat" => {
            for level in [LogLevel::Debug, LogLevel::Info, LogLevel::Error] {
                meta.notify().log(level, Some("desk"), level.as_str());
            }
            text("chatted")
        }
        "show" => Outcome::Complete(Completed::Tool(ToolResult::blocks(vec![
            ContentBlock::text("see"),
            ContentBlock::Image {
                bytes: b"\x89PNG".as_slice().into(),
                media_type: "image/png".to_owned(),
            },
            ContentBlock::Audio {
                bytes: b"RIFF".as_slice().into(),
                media_type: "audio/wav".to_owned(),
            },
            ContentBlock::Resource(ResourceContents {
                uri: "desk://drawer/1".to_owned(),
                media_type: None,
                body: ResourceBody::Blob(b"pen".as_slice().into()),
            }),
            ContentBlock::Link(ResourceDefinition {
                uri: "desk://drawer/2".to_owned(),
                name: "drawer".to_owned(),
                title: None,
                description: None,
                media_type: Some("text/plain".to_owned()),
            }),
        ]))),
        _ => Outcome::Error(CallError::UnknownTool),
    }
}

/// Serves everything except tools and resources.
pub(crate) fn call(call: Call<'_>) -> Outcome {
    Outcome::Complete(match call.method {
        Method::ListPrompts { cursor: Some(_) } => return Outcome::Error(CallError::InvalidCursor),
        Method::ListPrompts { cursor: None } => Completed::Prompts(PromptPage {
            prompts: Arc::new([PromptDefinition {
                name: "greet".to_owned(),
                title: Some("Greet someone".to_owned()),
                description: "Says hello.".to_owned(),
                arguments: vec![PromptArgument {
                    name: "whom".to_owned(),
                    title: Some("Whom?".to_owned()),
                    description: "A name.".to_owned(),
                    required: true,
                }],
            }]),
            next_cursor: Some("more".to_owned()),
            cache: CACHE,
        }),
        Method::GetPrompt { name, arguments } if name == "greet" => {
            let Some(whom) = arguments.get("whom") else {
                return Outcome::Error(CallError::MissingArgument("whom".into()));
            };
            if whom == "?" && call.meta.inputs().form("sure", &sure()).is_none() {
                return ask(sure(), None);
            }
            Completed::Prompt(PromptResult {
                description: Some("A greeting".to_owned()),
                messages: vec![
                    PromptMessage {
                        role: Role::User,
                        content: ContentBlock::text(format!("Greet {whom}")),
                    },
                    PromptMessage {
                        role: Role::Assistant,
                        content: ContentBlock::text("Hello"),
                    },
                ],
            })
        }
        Method::GetPrompt { .. } => return Outcome::Error(CallError::UnknownPrompt),
        Method::Complete(query) => match query.reference {
            CompletionRef::Prompt(name) if name == "greet" && query.argument == "whom" => {
                let known = query.context.len();
                let values = (0..150).map(|n| format!("{}{n}-{known}", query.value)).collect();
                Completed::Completion(Completions {
                    values,
                    total: Some(150),
                    has_more: false,
                })
            }
            CompletionRef::Resource(uri) if uri == "desk://drawer/{number}" => {
                Completed::Completion(Completions::default())
            }
            _ => return Outcome::Error(CallError::UnknownCompletion),
        },
        Method::GetTask { id } => Completed::Task(match id.as_ref() {
            "t-1" => task("t-1", TaskStatus::Working),
            "t-2" => task("t-2", TaskStatus::Completed(ToolResult::error("no"))),
            "t-3" => task("t-3", TaskStatus::Failed(CallError::Internal)),
            "t-4" => {
                let request = InputRequest::Form {
                    message: "Really?".to_owned(),
                    form: sure(),
                };
                let asked = vec![("sure-1".to_owned(), request)];
                task("t-4", TaskStatus::InputRequired(asked))
            }
            "t-5" => TaskState {
                ttl_ms: None,
                poll_interval_ms: None,
                message: None,
                ..task("t-5", TaskStatus::Cancelled)
            },
            _ => return Outcome::Error(CallError::UnknownTask),
        }),
        Method::UpdateTask { id, answers } if id == "t-4" => {
            let answered = answers.form("sure-1", &sure());
            assert!(
                matches!(answered, None | Some(FormAnswer::Accepted(_))),
                "{answered:?}"
            );
            Completed::Acknowledged
        }
        Method::UpdateTask { .. } => return Outcome::Error(CallError::UnknownTask),
        Method::CancelTask { .. }
        | Method::Subscribe { .. }
        | Method::Unsubscribe { .. }
        | Method::Listen { .. } => Completed::Acknowledged,
        _ => return Outcome::Error(CallError::Internal),
    })
}
