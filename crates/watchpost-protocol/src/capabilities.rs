//! What a server offers.

/// What a server offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// `tools/list` and `tools/call`.
    pub tools: Offer,
    /// `prompts/list` and `prompts/get`.
    pub prompts: Offer,
    /// `resources/list`, `resources/templates/list` and `resources/read`.
    pub resources: Offer,
    /// Clients may subscribe to single resources.
    pub resource_subscriptions: bool,
    /// `completion/complete`.
    pub completions: bool,
    /// Log messages to the client: `logging/setLevel` for legacy clients; modern ones say it with each request.
    pub logging: bool,
    /// Calls may become tasks, for clients that declare the tasks extension.
    pub tasks: bool,
}

/// Whether a list is there, and whether it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Offer {
    /// The methods answer -32601.
    #[default]
    None,
    /// It's there and stays as it is while the server runs.
    Fixed,
    /// It's there, and [`Handler::watch`](crate::Handler::watch) says when it changes.
    Changing,
}

impl Offer {
    /// Whether the methods are there.
    pub fn is_made(self) -> bool {
        self != Self::None
    }
}

impl Capabilities {
    /// Whether there is anything that a client could listen to.
    pub(crate) fn has_changes(self) -> bool {
        let Self {
            tools,
            prompts,
            resources,
            resource_subscriptions,
            tasks,
            ..
        } = self;
        [tools, prompts, resources].contains(&Offer::Changing) || resource_subscriptions || tasks
    }
}
