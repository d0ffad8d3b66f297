//! A simple client of the vendors' APIs, without retries.

use reqwest::header::HeaderMap;
use serde_json::Value;
use watchpost_simulator::{Company, Simulator, SimulatorConfig, SimulatorHandle};

/// 2026-03-02T09:15:02Z.
pub(crate) const ORIGIN_MS: i64 = 1_772_442_902_000;

/// The most pages that a list of the embedded company has.
const PAGES_MAX: usize = 200;

pub(crate) struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) simulator: SimulatorHandle,
    pub(crate) graph_token: String,
}

/// A response.
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub(crate) fn next_link(&self) -> Option<String> {
        self.headers.get_all("link").iter().find_map(|link| {
            let (url, rel) = link.to_str().unwrap().split_once("; ").unwrap();
            (rel == "rel=\"next\"").then(|| url.trim_matches(['<', '>']).to_owned())
        })
    }
}

impl Client {
    pub(crate) async fn start() -> Self {
        Self::start_with(Company::load_embedded().unwrap()).await
    }

    pub(crate) async fn start_with(company: Company) -> Self {
        let simulator = Simulator::start(SimulatorConfig::new(company, ORIGIN_MS))
            .await
            .unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut client = Self {
            http,
            simulator,
            graph_token: String::new(),
        };
        client.sign_in().await;
        client
    }

    pub(crate) async fn sign_in(&mut self) {
        let access = self.simulator.m365();
        let got = self
            .token(&[
                ("client_id", access.client_id.as_str()),
                ("client_secret", &access.client_secret),
            ])
            .await;
        assert_eq!(got.status, 200, "{}", got.body);
        self.graph_token = got.json()["access_token"].as_str().unwrap().to_owned();
    }

    pub(crate) async fn token(&self, credentials: &[(&str, &str)]) -> Got {
        self.token_for("https://graph.microsoft.com/.default", credentials)
            .await
    }

    /// Requests a token for a scope.
    pub(crate) async fn token_for(&self, scope: &str, credentials: &[(&str, &str)]) -> Got {
        let access = self.simulator.m365();
        let mut form = vec![("grant_type", "client_credentials"), ("scope", scope)];
        form.extend_from_slice(credentials);
        let url = format!("{}/{}/oauth2/v2.0/token", access.login_url, access.tenant_id);
        read(self.http.post(url).form(&form).send().await.unwrap()).await
    }

    /// Sends a GET request to Graph. `path` starts with the version, or is a complete address.
    pub(crate) async fn graph(&self, path: &str) -> Got {
        self.try_graph(path).await.unwrap()
    }

    pub(crate) async fn try_graph(&self, path: &str) -> Result<Got, reqwest::Error> {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}/{path}", self.simulator.m365().graph_url)
        };
        let answer = self.http.get(url).bearer_auth(&self.graph_token).send().await?;
        Ok(read(answer).await)
    }

    pub(crate) async fn graph_post(&self, path: &str, body: &Value) -> Got {
        let url = format!("{}/{path}", self.simulator.m365().graph_url);
        read(
            self.http
                .post(url)
                .bearer_auth(&self.graph_token)
                .json(body)
                .send()
                .await
                .unwrap(),
        )
        .await
    }

    /// Returns a token for the scope, requested with the secret.
    pub(crate) async fn bearer(&self, scope: &str) -> String {
        let access = self.simulator.m365();
        let credentials = [
            ("client_id", access.client_id.as_str()),
            ("client_secret", &access.client_secret),
        ];
        let got = self.token_for(scope, &credentials).await;
        assert_eq!(got.status, 200, "{}", got.body);
        got.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// Sends a GET request to one of the administration hosts, with verbose OData where it is supported.
    pub(crate) async fn host_get(&self, url: &str, bearer: &str) -> Got {
        let request = self.http.get(url).bearer_auth(bearer);
        read(
            request
                .header("accept", "application/json;odata=verbose")
                .send()
                .await
                .unwrap(),
        )
        .await
    }

    /// Sends a POST request to one of the administration hosts.
    pub(crate) async fn host_post(&self, url: &str, bearer: &str, body: &Value) -> Got {
        let request = self.http.post(url).bearer_auth(bearer).json(body);
        read(request.send().await.unwrap()).await
    }

    pub(crate) async fn graph_delete(&self, path: &str) -> Got {
        let url = format!("{}/{path}", self.simulator.m365().graph_url);
        let request = self.http.delete(url).bearer_auth(&self.graph_token);
        read(request.send().await.unwrap()).await
    }

    pub(crate) async fn okta(&self, path: &str) -> Got {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}/{path}", self.simulator.okta().org_url)
        };
        let token = format!("SSWS {}", self.simulator.okta().api_token);
        read(
            self.http
                .get(url)
                .header("authorization", token)
                .send()
                .await
                .unwrap(),
        )
        .await
    }

    /// Returns all rows of a Graph list, and the sizes of its pages.
    pub(crate) async fn graph_all(&self, path: &str) -> (Vec<Value>, Vec<usize>) {
        let (mut rows, mut sizes, mut next) = (Vec::new(), Vec::new(), Some(path.to_owned()));
        while let Some(url) = next {
            assert!(sizes.len() < PAGES_MAX, "{path} has too many pages");
            let got = self.graph(&url).await;
            assert_eq!(got.status, 200, "{url}: {}", got.body);
            let mut body = got.json();
            let page = body["value"].as_array_mut().unwrap();
            sizes.push(page.len());
            rows.append(page);
            next = body["@odata.nextLink"].as_str().map(str::to_owned);
        }
        (rows, sizes)
    }

    /// Returns all rows of an Okta list, and the sizes of its pages.
    pub(crate) async fn okta_all(&self, path: &str) -> (Vec<Value>, Vec<usize>) {
        let (mut rows, mut sizes, mut next) = (Vec::new(), Vec::new(), Some(path.to_owned()));
        while let Some(url) = next {
            assert!(sizes.len() < PAGES_MAX, "{path} has too many pages");
            let got = self.okta(&url).await;
            assert_eq!(got.status, 200, "{url}: {}", got.body);
            let mut body = got.json();
            let page = if body.is_array() {
                &mut body
            } else {
                &mut body["value"]
            };
            sizes.push(page.as_array().unwrap().len());
            rows.append(page.as_array_mut().unwrap());
            next = got.next_link();
        }
        (rows, sizes)
    }
}

pub(crate) async fn read(answer: reqwest::Response) -> Got {
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Got {
        status,
        headers,
        body: answer.text().await.unwrap(),
    }
}
