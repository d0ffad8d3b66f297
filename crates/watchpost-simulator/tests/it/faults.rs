//! Tests of each fault.

use crate::client::Client;
use serde_json::json;
use std::time::Duration;
use watchpost_simulator::{Fault, FaultKind, RetryAfter, Vendor};

fn inject(client: &Client, vendor: Vendor, path: &str, kind: FaultKind) {
    client.simulator.fault(Fault {
        vendor,
        path_contains: path.to_owned(),
        times: 1,
        kind,
    });
}

#[tokio::test]
async fn a_fault_affects_only_its_route_and_as_many_requests_as_configured() {
    let client = Client::start().await;
    let fault = Fault {
        vendor: Vendor::Graph,
        path_contains: "/users".to_owned(),
        times: 2,
        kind: FaultKind::InternalError,
    };
    client.simulator.fault(fault);
    assert_eq!(client.graph("v1.0/domains").await.status, 200);
    assert_eq!(client.okta("api/v1/users").await.status, 200);
    assert_eq!(client.graph("v1.0/users").await.status, 500);
    assert_eq!(client.graph("v1.0/users").await.status, 500);
    assert_eq!(client.graph("v1.0/users").await.status, 200);
}

#[tokio::test]
async fn throttling_gives_the_time_to_retry_in_each_form() {
    let client = Client::start().await;
    let check = async |retry: RetryAfter, header: Option<&str>| {
        inject(&client, Vendor::Graph, "", FaultKind::TooManyRequests(retry));
        let got = client.graph("v1.0/users").await;
        assert_eq!(got.status, 429);
        assert_eq!(
            got.headers
                .get("retry-after")
                .map(|value| value.to_str().unwrap()),
            header
        );
    };
    check(RetryAfter::Seconds(7), Some("7")).await;
    check(RetryAfter::Date(60), Some("Mon, 02 Mar 2026 09:16:02 GMT")).await;
    check(RetryAfter::Absent, None).await;
    inject(
        &client,
        Vendor::Okta,
        "/api/v1/users",
        FaultKind::TooManyRequests(RetryAfter::Absent),
    );
    let got = client.okta("api/v1/users").await;
    assert_eq!((got.status, &got.json()["errorCode"]), (429, &json!("E0000047")));
    assert_eq!(got.headers["x-rate-limit-remaining"], "0");
    assert_eq!(got.headers["x-rate-limit-reset"], "1772442903");
    assert_eq!(got.headers["date"], "Mon, 02 Mar 2026 09:15:02 GMT");
}

#[tokio::test]
async fn error_statuses_have_the_vendors_error_codes() {
    let client = Client::start().await;
    let check = async |kind: FaultKind, status: u16, graph: &str, okta: &str| {
        inject(&client, Vendor::Graph, "", kind.clone());
        let got = client.graph("v1.0/users").await;
        assert_eq!(got.status, status);
        assert_eq!(got.json()["error"]["code"], graph);
        inject(&client, Vendor::Okta, "", kind);
        let got = client.okta("api/v1/users").await;
        assert_eq!(got.status, status);
        assert_eq!(got.json()["errorCode"], okta);
    };
    check(FaultKind::InternalError, 500, "generalException", "E0000009").await;
    check(FaultKind::Unavailable, 503, "serviceNotAvailable", "E0000009").await;
    check(
        FaultKind::Unauthorized,
        401,
        "InvalidAuthenticationToken",
        "E0000011",
    )
    .await;
    check(
        FaultKind::Forbidden,
        403,
        "Authorization_RequestDenied",
        "E0000006",
    )
    .await;
    inject(&client, Vendor::Graph, "", FaultKind::BadGateway);
    let got = client.graph("v1.0/users").await;
    assert_eq!(
        (got.status, got.headers["content-type"].to_str().unwrap()),
        (502, "text/html")
    );
}

#[tokio::test]
async fn faults_of_the_token_endpoint_have_its_error_codes() {
    let client = Client::start().await;
    let access = client.simulator.m365();
    let check = async |kind: FaultKind, status: u16, code: u64| {
        inject(&client, Vendor::Entra, "/token", kind);
        let credentials = [
            ("client_id", access.client_id.as_str()),
            ("client_secret", &access.client_secret),
        ];
        let got = client.token(&credentials).await;
        assert_eq!(
            (got.status, got.json()["error_codes"][0].as_u64()),
            (status, Some(code))
        );
        assert_eq!(client.token(&credentials).await.status, 200);
    };
    check(FaultKind::TooManyRequests(RetryAfter::Seconds(3)), 429, 90_055).await;
    check(FaultKind::Unavailable, 503, 90_033).await;
    check(FaultKind::InternalError, 500, 90_033).await;
    check(FaultKind::Unauthorized, 401, 7_000_222).await;
    check(FaultKind::Forbidden, 400, 7_000_112).await;
}

#[tokio::test]
async fn a_reset_closes_the_connection_without_a_response() {
    let client = Client::start().await;
    inject(&client, Vendor::Graph, "/users", FaultKind::Reset);
    // The client's pool retries only requests that were never sent.
    assert!(client.try_graph("v1.0/users").await.is_err());
    assert_eq!(client.graph("v1.0/users").await.status, 200);
}

#[tokio::test]
async fn a_slow_response_is_delayed() {
    let client = Client::start().await;
    inject(&client, Vendor::Graph, "/users", FaultKind::Slow(60_000));
    assert!(
        tokio::time::timeout(Duration::from_millis(50), client.graph("v1.0/users"))
            .await
            .is_err()
    );
    inject(&client, Vendor::Graph, "/users", FaultKind::Slow(1));
    assert_eq!(client.graph("v1.0/users").await.status, 200);
}

#[tokio::test]
async fn faults_of_the_body_have_their_effect() {
    let client = Client::start().await;
    let url = "v1.0/users?$top=5&$select=id,userPrincipalName,userType,mail";
    let good = client.graph(url).await.json();

    inject(&client, Vendor::Graph, "/users", FaultKind::MalformedJson);
    let got = client.graph(url).await;
    assert_eq!(got.status, 200);
    assert!(serde_json::from_str::<serde_json::Value>(&got.body).is_err());

    inject(&client, Vendor::Graph, "/users", FaultKind::WrongTypeInOneRow);
    let got = client.graph(url).await.json();
    assert!(got["value"][0]["id"].is_object());
    assert_eq!(got["value"][1], good["value"][1]);

    inject(&client, Vendor::Graph, "/users", FaultKind::NullOptionals);
    let got = client.graph(url).await.json();
    assert_eq!(
        (&got["value"][0]["mail"], &got["value"][0]["id"]),
        (&json!(null), &good["value"][0]["id"])
    );

    inject(&client, Vendor::Graph, "/users", FaultKind::UnknownEnum);
    let got = client.graph(url).await.json();
    assert_eq!(got["value"][0]["userType"], "somethingNobodyHasSeenYet");
}

#[tokio::test]
async fn faults_of_next_links_have_their_effect() {
    let client = Client::start().await;
    let url = "v1.0/users?$top=5&$select=id";
    let next = async |kind: FaultKind| {
        inject(&client, Vendor::Graph, "/users", kind);
        client.graph(url).await.json()["@odata.nextLink"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        next(FaultKind::LoopingNext).await,
        format!("{}/{url}", client.simulator.m365().graph_url)
    );
    let own = client.graph(url).await.json()["@odata.nextLink"].clone();
    let path = own.as_str().unwrap().strip_prefix(client.simulator.origin());
    assert_eq!(
        next(FaultKind::ForeignNext).await,
        format!("https://collector.foreign.example{}", path.unwrap())
    );

    let endless = Fault {
        vendor: Vendor::Graph,
        path_contains: "/users".to_owned(),
        times: u32::MAX,
        kind: FaultKind::EndlessPages,
    };
    client.simulator.fault(endless);
    let mut seen = std::collections::BTreeSet::from([url.to_owned()]);
    let mut page = url.to_owned();
    for _ in 0..20 {
        page = client.graph(&page).await.json()["@odata.nextLink"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(seen.insert(page.clone()), "each page has another address");
    }
    client.simulator.clear_faults();

    inject(&client, Vendor::Okta, "/users", FaultKind::LoopingNext);
    let got = client.okta("api/v1/users?limit=5").await;
    assert_eq!(
        got.next_link(),
        Some(format!(
            "{}/api/v1/users?limit=5",
            client.simulator.okta().org_url
        ))
    );
}
