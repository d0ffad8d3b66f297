//! Every route with every method and every kind of credential.

use super::{Request, Server, UNKNOWN_KEY};
use serde_json::{Value, json};
use std::cell::Cell;
use watchpost_core::access::KeyScope;
use watchpost_web::{Form, OPERATIONS, Operation};

/// The operations that answer without a credential. The list only shrinks.
const PUBLIC: &[&str] = &["GET /api/health", "GET /openapi.json"];

/// The operations that name nothing, so that a key of another workspace also gets an answer, about its own.
const ABOUT_OWN_WORKSPACE: usize = 30;

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"];

/// Values of the variable parts and the fields of requests that exist in the demo's workspace.
struct Existing {
    finding: String,
    app: String,
    person: String,
    integration: String,
    scan: String,
}

impl Existing {
    fn of(server: &Server) -> Self {
        let text = |path: &str, pointer: &str| {
            let answer = server.get(path);
            let found = answer.pointer(pointer).and_then(Value::as_str);
            found.unwrap_or_else(|| panic!("{path}: {answer}")).to_owned()
        };
        Self {
            finding: text("/api/v1/findings?limit=1&rule=id.admin_no_mfa", "/findings/0/id"),
            app: text("/api/v1/apps?limit=1", "/apps/0/id"),
            person: text(
                "/api/v1/people?email=adm.marlow.keane%40birchworks.example",
                "/id",
            ),
            integration: text("/api/v1/integrations", "/integrations/0/id"),
            scan: text("/api/v1/scans?limit=1", "/scans/0/scan_id"),
        }
    }

    /// Returns the path of an operation with what exists, and a valid query.
    fn path(&self, operation: &Operation) -> String {
        let path = operation.declaration.path;
        let id = if path.starts_with("/api/v1/findings/") {
            &self.finding
        } else if path.starts_with("/api/v1/apps/") {
            &self.app
        } else if path.starts_with("/api/v1/people/") {
            &self.person
        } else if path.starts_with("/api/v1/integrations/") {
            &self.integration
        } else if path.starts_with("/api/v1/scans/") {
            &self.scan
        } else if path.starts_with("/api/v1/rules/") {
            "id.admin_no_mfa"
        } else {
            "entra.mfa_all"
        };
        let query = match path {
            "/api/v1/people" | "/api/mcp/identity" => "?email=adm.marlow.keane%40birchworks.example",
            "/api/v1/app-policy" => &format!("?app={}", self.app),
            "/api/mcp/app-policy" if operation.declaration.method.as_str() == "GET" => {
                &format!("?app_name={}", self.app)
            }
            _ => "",
        };
        format!("{}{query}", path.replace("{id}", id))
    }

    /// Returns a valid body of a change.
    fn body(&self, operation: &Operation) -> Value {
        match operation.declaration.path {
            "/api/v1/findings/{id}/snooze" => json!({"days": 7}),
            "/api/v1/findings/{id}/dismiss" => json!({"reason": "accepted_risk"}),
            "/api/v1/apps/{id}/policy" => json!({"policy": "sanctioned"}),
            "/api/v1/scans" => json!({"scan_type": "compliance"}),
            "/api/mcp/app-policy" => json!({"app_name": self.app, "status": "blocked"}),
            "/api/mcp/findings/snooze" => json!({"finding_id": self.finding, "days": 7}),
            "/api/mcp/findings/dismiss" => json!({"finding_id": self.finding, "reason": "mitigated"}),
            "/api/mcp/findings/remediate" => json!({"finding_id": self.finding}),
            _ => json!({}),
        }
    }

    fn request(&self, operation: &Operation) -> Request {
        let path = self.path(operation);
        match operation.declaration.method.as_str() {
            "GET" => Request::get(&path),
            _ => Request::post(&path, &self.body(operation)),
        }
    }
}

/// Checks the form of an error.
fn has_form(operation: &Operation, reply: &super::Reply, code: &str) {
    let body = reply.json();
    match operation.declaration.form {
        Form::Own => {
            assert_eq!(
                reply.header("content-type"),
                Some("application/problem+json"),
                "{operation:?}"
            );
            assert_eq!(body["code"], code, "{operation:?}: {body}");
            assert_eq!(body["status"], reply.status, "{operation:?}");
            assert_eq!(body["type"], "about:blank");
            assert!(body["title"].is_string() && body["detail"].is_string());
        }
        Form::Compatible => {
            assert_eq!(body.as_object().map(serde_json::Map::len), Some(1), "{body}");
            assert!(body["error"].is_string(), "{operation:?}: {body}");
        }
    }
}

#[test]
fn every_operation_answers_only_those_who_may_use_it() {
    let server = Server::start();
    let existing = Existing::of(&server);
    let (revoked, expired, foreign) = (server.revoked_key(), server.expired_key(), server.foreign_key());
    // Twenty wrong keys a minute come from one address at most.
    let addresses = Cell::new(0_u32);
    let address = || {
        addresses.set(addresses.get() + 1);
        std::net::Ipv4Addr::from(0xc612_0000 + addresses.get()).to_string()
    };
    let mut foreign_answers = 0;
    for operation in OPERATIONS {
        let name = format!(
            "{} {}",
            operation.declaration.method.as_str(),
            operation.declaration.path
        );
        let request = existing.request(operation);
        let nobody = server.send(&request);
        if PUBLIC.contains(&name.as_str()) {
            assert!(operation.is_public(), "{name}");
            assert_eq!(nobody.status, 200, "{name}: {nobody:?}");
            continue;
        }
        assert_eq!(nobody.status, 401, "{name}: {nobody:?}");
        assert!(nobody.header("www-authenticate").is_some(), "{name}");
        has_form(operation, &nobody, "unauthorized");
        for (kind, key) in [
            ("unknown", UNKNOWN_KEY),
            ("mistyped", "wp_short"),
            ("revoked", revoked.as_str()),
            ("expired", &expired),
        ] {
            let request = request.clone().header("X-Forwarded-For", &address());
            let reply = server.send(&request.key(key));
            assert_eq!(reply.status, 401, "{name}, {kind} key: {reply:?}");
            has_form(operation, &reply, "unauthorized");
        }
        let reply = server.send(&request.clone().key(&server.read));
        if operation.requires_write_key() {
            assert_eq!(reply.status, 403, "{name}: {reply:?}");
            has_form(operation, &reply, "write_scope_required");
        } else {
            assert!((200..300).contains(&reply.status), "{name}: {reply:?}");
        }
        // What belongs to another workspace doesn't exist, and the answers about the own, empty one don't show it.
        let reply = server.send(&request.clone().key(&foreign));
        match reply.status {
            404 => has_form(operation, &reply, "not_found"),
            409 => has_form(operation, &reply, "conflict"),
            status => {
                assert!((200..300).contains(&status), "{name}: {reply:?}");
                foreign_answers += 1;
            }
        }
        for foreign_text in ["birchworks", &existing.finding, &existing.integration] {
            assert!(!reply.body.contains(foreign_text), "{name}: {}", reply.body);
        }
    }
    assert!(foreign_answers <= ABOUT_OWN_WORKSPACE, "{foreign_answers}");
}

#[test]
fn an_id_of_another_workspace_is_answered_as_an_unknown_one() {
    let server = Server::start();
    let existing = Existing::of(&server);
    let foreign = server.foreign_key();
    let unknown = "018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f";
    let mut compared = 0;
    for operation in OPERATIONS
        .iter()
        .filter(|operation| operation.declaration.path.contains("{id}"))
    {
        let mut other = existing.request(operation).key(&foreign);
        let foreign_reply = server.send(&other);
        if foreign_reply.status == 200 {
            // Rules and checks have the same ids everywhere.
            continue;
        }
        for id in [
            &existing.finding,
            &existing.app,
            &existing.person,
            &existing.integration,
            &existing.scan,
        ] {
            other.path = other.path.replace(id.as_str(), unknown);
        }
        let unknown_reply = server.send(&other);
        assert_eq!(foreign_reply.status, 404, "{operation:?}: {foreign_reply:?}");
        assert_eq!(foreign_reply.status, unknown_reply.status);
        assert_eq!(foreign_reply.body, unknown_reply.body, "{operation:?}");
        compared += 1;
    }
    assert!(compared >= 8, "{compared}");
}

#[test]
fn a_read_key_changes_nothing() {
    let server = Server::start();
    let existing = Existing::of(&server);
    let before = server.get("/api/v1/findings?limit=200&status=open,in_progress,resolved,dismissed,snoozed");
    for operation in OPERATIONS
        .iter()
        .filter(|operation| operation.requires_write_key())
    {
        let reply = server.send(&existing.request(operation).key(&server.read));
        assert_eq!(reply.status, 403, "{operation:?}");
    }
    let after = server.get("/api/v1/findings?limit=200&status=open,in_progress,resolved,dismissed,snoozed");
    assert_eq!(before, after);
}

#[test]
fn other_methods_of_a_path_are_not_allowed_and_unknown_paths_are_not_found() {
    let server = Server::start();
    let existing = Existing::of(&server);
    for operation in OPERATIONS {
        let path = existing.path(operation);
        for method in METHODS {
            let serves = OPERATIONS.iter().any(|other| {
                other.declaration.path == operation.declaration.path
                    && other.declaration.method.as_str() == method
            });
            if serves {
                continue;
            }
            let nobody = server.send(&Request::new(method, &path));
            assert_eq!(nobody.status, 401, "{method} {path}");
            let reply = server.send(&Request::new(method, &path).key(&server.write));
            assert_eq!(reply.status, 405, "{method} {path}: {reply:?}");
            let allow = reply.header("allow").unwrap_or_default();
            assert!(
                allow.contains(operation.declaration.method.as_str()),
                "{method} {path}: {allow}"
            );
            if method != "HEAD" {
                has_form(operation, &reply, "method_not_allowed");
            }
        }
    }
    for path in [
        "/api/v1",
        "/api/v1/",
        "/api/v1/findings/",
        "/api/v1/findings/x/y",
        "/api/v1/findings/{id}/snooze/",
        "/api/v1/nothing",
        "/api/v1//findings",
        "/api/v1/%66indings",
        "/API/v1/findings",
        "/api/mcp/nothing",
        "/openapi.json/",
    ] {
        assert_eq!(server.send(&Request::get(path)).status, 401, "{path}");
        let reply = server.send(&Request::get(path).key(&server.read));
        assert_eq!(reply.status, 404, "{path}: {reply:?}");
        if path.starts_with("/api/v1/") {
            assert_eq!(reply.json()["code"], "not_found", "{path}");
        }
    }
}

/// The host and the origin are checked before anything else, on every route.
#[test]
fn a_foreign_host_or_origin_is_refused_on_every_operation() {
    let server = Server::start();
    let existing = Existing::of(&server);
    for operation in OPERATIONS {
        let request = existing.request(operation).key(&server.write);
        for origin in ["https://evil.example", "null"] {
            let reply = server.send(&request.clone().header("Origin", origin));
            assert_eq!(reply.status, 403, "{operation:?}, {origin}: {reply:?}");
            has_form(operation, &reply, "forbidden");
        }
        let hosts = request.clone().header("Host", "evil.example");
        assert_eq!(server.send(&hosts).status, 400, "{operation:?}: two hosts");
    }
}

/// A key of one kind of scope in one header and another one in the other header is not a choice.
#[test]
fn two_different_credentials_are_refused() {
    let server = Server::start();
    let (other, _) = server.new_key("default", KeyScope::Read);
    let request = Request::get("/api/v1/health").key(&server.read);
    let same = request
        .clone()
        .header("Authorization", &format!("Bearer {}", server.read));
    assert_eq!(server.send(&same).status, 200);
    let different = request.header("Authorization", &format!("Bearer {other}"));
    assert_eq!(server.send(&different).status, 401);
}
