//! The capabilities that a server declares.

/// The capabilities that a server declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// `tools/list` and `tools/call`.
    pub tools: Offer,
    /// `prompts/list` and `prompts/get`.
    pub prompts: Offer,
    /// `resources/list`, `resources/templates/list` and `resources/read`.
    pub resources: Offer,
    /// `resources/subscribe` for legacy clients, and subscriptions to single resources for modern ones.
    pub resource_subscriptions: bool,
    /// `completion/complete`.
    pub completions: bool,
    /// Log messages to the client. Legacy clients set the level with `logging/setLevel`, modern clients with
    /// each request.
    pub logging: bool,
    /// Tool calls may become tasks, for clients that declare the tasks extension.
    pub tasks: bool,
}

/// Whether a kind of list is offered, and whether it can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Offer {
    /// Not offered: the methods are answered with -32601.
    #[default]
    None,
    /// Offered. The list doesn't change while the server runs.
    Fixed,
    /// Offered. [`Handler::watch`](crate::Handler::watch) reports changes of the list.
    Changing,
}

impl Offer {
    /// Whether the methods are offered.
    pub fn is_offered(self) -> bool {
        self != Self::None
    }
}

impl Capabilities {
    /// Whether there is anything that a client could subscribe to.
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
