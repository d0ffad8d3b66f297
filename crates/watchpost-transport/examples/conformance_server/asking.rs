//! Tools that ask the client for input. They return their questions and are called again with the answers. The
//! protocol crate hides whether the client is modern and repeats its request, or is legacy and gets requests
//! from the server.

use serde_json::{Value, json, value::RawValue};
use watchpost_protocol::{
    CallError, ClientAnswer, Completed, Field, Form, FormAnswer, InputRequest, InputRequired, Inputs,
    Outcome, RequestMeta, ToolResult,
};

fn text(text: &str) -> Outcome {
    Outcome::Complete(Completed::Tool(ToolResult::text(text)))
}

fn refused() -> Outcome {
    Outcome::Complete(Completed::Tool(ToolResult::error(
        "The question wasn't answered.",
    )))
}

fn questions(requests: Vec<(&str, InputRequest)>, state: Option<&str>) -> InputRequired {
    InputRequired {
        requests: requests
            .into_iter()
            .map(|(key, request)| (key.to_owned(), request))
            .collect(),
        state: state.map(|state| state.as_bytes().to_vec()),
    }
}

fn ask(requests: Vec<(&str, InputRequest)>, state: Option<&str>) -> Outcome {
    Outcome::InputRequired(questions(requests, state))
}

fn show(message: &str, form: &Form) -> InputRequest {
    InputRequest::Form {
        message: message.to_owned(),
        form: form.clone(),
    }
}

/// Returns a question for the client's model.
fn sample(prompt: &str, tokens: u32) -> InputRequest {
    let params = json!({
        "messages": [{"role": "user", "content": {"type": "text", "text": prompt}}],
        "maxTokens": tokens,
    });
    InputRequest::Sampling {
        params: RawValue::from_string(params.to_string()).expect("an object is JSON"),
    }
}

/// Returns the text from the client's model, if there is one.
fn sampled(answer: ClientAnswer<'_>) -> Option<String> {
    let ClientAnswer::Result(result) = answer else {
        return None;
    };
    let result: Value = result.parse().ok()?;
    Some(result["content"]["text"].as_str()?.to_owned())
}

/// Returns the client's roots, if it listed them.
fn listed_roots(answer: ClientAnswer<'_>) -> Option<String> {
    let ClientAnswer::Result(result) = answer else {
        return None;
    };
    let result: Value = result.parse().ok()?;
    let uris = result["roots"].as_array()?.iter();
    Some(
        uris.filter_map(|root| root["uri"].as_str())
            .collect::<Vec<_>>()
            .join(", "),
    )
}

/// Asks for one text under `key`. Returns the text, or `None` if the user declined. Returns the question as an
/// error if it hasn't been answered yet.
pub(crate) fn one_text(
    meta: &RequestMeta<'_>,
    key: &str,
    message: &str,
    field: &str,
) -> Result<Option<String>, InputRequired> {
    let form = Form::new().field(field, Field::text().required());
    match meta.inputs().form(key, &form) {
        Some(FormAnswer::Accepted(content)) => Ok(content.text(field).map(str::to_owned)),
        Some(FormAnswer::Declined | FormAnswer::Cancelled | FormAnswer::Failed) => Ok(None),
        None => Err(questions(vec![(key, show(message, &form))], None)),
    }
}

/// Asks with a form and returns the outcome as text.
fn ask_form(meta: &RequestMeta<'_>, message: &str, form: &Form, prefix: &str) -> Outcome {
    let (action, content) = match meta.inputs().form("form", form) {
        None => return ask(vec![("form", show(message, form))], None),
        Some(FormAnswer::Accepted(content)) => ("accept", content.to_json()),
        Some(FormAnswer::Declined) => ("decline", "{}".to_owned()),
        Some(FormAnswer::Cancelled) => ("cancel", "{}".to_owned()),
        Some(FormAnswer::Failed) => return refused(),
    };
    text(&format!("{prefix}: action={action}, content={content}"))
}

/// Asks the client's model and returns its answer.
fn ask_model(inputs: &Inputs, key: &str, prompt: &str) -> Outcome {
    match inputs.client(key) {
        None => ask(vec![(key, sample(prompt, 100))], None),
        Some(answer) => {
            sampled(answer).map_or_else(refused, |answer| text(&format!("LLM response: {answer}")))
        }
    }
}

/// Asks for a confirmation with a state. The answer is valid only together with the state.
fn confirm(inputs: &Inputs) -> Outcome {
    let form = Form::new().field("ok", Field::boolean().required());
    match (inputs.form("confirm", &form), inputs.state()) {
        (Some(FormAnswer::Accepted(_)), Some(b"confirming")) => text("state-ok"),
        (Some(FormAnswer::Accepted(_)), _) | (None, _) => ask(
            vec![("confirm", show("Please confirm", &form))],
            Some("confirming"),
        ),
        (Some(_), _) => refused(),
    }
}

/// Asks three questions at once.
fn three(inputs: &Inputs) -> Outcome {
    let form = Form::new().field("name", Field::text().required());
    let name = inputs.form("user_name", &form);
    let (greeting, roots) = (inputs.client("greeting"), inputs.client("client_roots"));
    let (Some(name), Some(greeting), Some(roots)) = (name, greeting, roots) else {
        return ask(
            vec![
                ("user_name", show("What is your name?", &form)),
                ("greeting", sample("Generate a greeting", 50)),
                ("client_roots", InputRequest::Roots),
            ],
            Some("three"),
        );
    };
    match (name, sampled(greeting), listed_roots(roots)) {
        (FormAnswer::Accepted(content), Some(greeting), Some(folders)) => {
            let name = content.text("name").unwrap_or_default();
            text(&format!("{greeting} {name}, you work on {folders}"))
        }
        _ => refused(),
    }
}

/// Asks one question after the other. The state holds the first answer.
fn two_rounds(inputs: &Inputs) -> Outcome {
    let first = Form::new().field("name", Field::text().required());
    let second = Form::new().field("color", Field::text().required());
    let state = inputs.state().and_then(|state| std::str::from_utf8(state).ok());
    if let Some(name) = state.and_then(|state| state.strip_prefix("named ")) {
        return match inputs.form("step2", &second) {
            Some(FormAnswer::Accepted(content)) => {
                let color = content.text("color").unwrap_or_default();
                text(&format!("{name} likes {color}"))
            }
            Some(_) => refused(),
            None => ask_color(&second, name),
        };
    }
    match inputs.form("step1", &first) {
        Some(FormAnswer::Accepted(content)) => ask_color(&second, content.text("name").unwrap_or_default()),
        Some(_) => refused(),
        None => ask(
            vec![("step1", show("Step 1: What is your name?", &first))],
            Some("unnamed"),
        ),
    }
}

fn ask_color(form: &Form, name: &str) -> Outcome {
    let question = show("Step 2: What is your favorite color?", form);
    ask(vec![("step2", question)], Some(&format!("named {name}")))
}

/// Asks with the first kind of question that the client supports.
fn ask_by_capability(meta: &RequestMeta<'_>) -> Outcome {
    let capabilities = meta.capabilities();
    if capabilities.elicitation_form {
        ask_form(
            meta,
            "Anything to say?",
            &Form::new().field("words", Field::text()),
            "Response",
        )
    } else if capabilities.sampling {
        ask_model(meta.inputs(), "thought", "Say anything")
    } else {
        text("The client supports no questions.")
    }
}

fn defaults() -> Form {
    Form::new()
        .field("name", Field::text().default_value("John Doe"))
        .field("age", Field::integer().default_value(30))
        .field("score", Field::number().default_value(95.5))
        .field(
            "status",
            Field::choice(["active", "inactive", "pending"]).default_value("active"),
        )
        .field("verified", Field::boolean().default_value(true))
}

fn choices() -> Form {
    let titled = [
        ("value1", "First Option"),
        ("value2", "Second Option"),
        ("value3", "Third Option"),
    ];
    let many = [
        ("value1", "First Choice"),
        ("value2", "Second Choice"),
        ("value3", "Third Choice"),
    ];
    let named = [
        ("opt1", "Option One"),
        ("opt2", "Option Two"),
        ("opt3", "Option Three"),
    ];
    Form::new()
        .field("untitledSingle", Field::choice(["option1", "option2", "option3"]))
        .field("titledSingle", Field::titled_choice(titled))
        .field("legacyEnum", Field::named_choice(named))
        .field("untitledMulti", Field::choices(["option1", "option2", "option3"]))
        .field("titledMulti", Field::titled_choices(many))
}

/// Calls the tool, if it is one of this module. `given` is its argument, if it has one.
pub(crate) fn call(name: &str, given: &str, meta: &RequestMeta<'_>) -> Outcome {
    let inputs = meta.inputs();
    match name {
        "test_sampling" => ask_model(inputs, "thought", given),
        "test_elicitation" => {
            let form = Form::new()
                .field("username", Field::text().required())
                .field("email", Field::text().required());
            ask_form(meta, given, &form, "User response")
        }
        "test_elicitation_sep1034_defaults" => ask_form(
            meta,
            "Please look over these values.",
            &defaults(),
            "Elicitation completed",
        ),
        "test_elicitation_sep1330_enums" => {
            ask_form(meta, "Please choose.", &choices(), "Elicitation completed")
        }
        "test_streaming_elicitation" => {
            let form = Form::new().field("answer", Field::text());
            ask_form(meta, "Anything to say?", &form, "Response")
        }
        "test_input_required_result_elicitation" => {
            match one_text(meta, "user_name", "What is your name?", "name") {
                Ok(Some(name)) => text(&format!("Hello, {name}!")),
                Ok(None) => refused(),
                Err(question) => Outcome::InputRequired(question),
            }
        }
        "test_input_required_result_sampling" => {
            ask_model(inputs, "capital_question", "What is the capital of France?")
        }
        "test_input_required_result_list_roots" => match inputs.client("client_roots") {
            None => ask(vec![("client_roots", InputRequest::Roots)], None),
            Some(answer) => {
                listed_roots(answer).map_or_else(refused, |uris| text(&format!("You work on {uris}")))
            }
        },
        "test_input_required_result_request_state" | "test_input_required_result_tampered_state" => {
            confirm(inputs)
        }
        "test_input_required_result_multiple_inputs" => three(inputs),
        "test_input_required_result_multi_round" => two_rounds(inputs),
        "test_input_required_result_capabilities" => ask_by_capability(meta),
        _ => Outcome::Error(CallError::UnknownTool),
    }
}
