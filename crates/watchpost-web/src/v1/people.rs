//! People and machines.

use crate::{
    answer::Answer,
    context::Context,
    failure::{Failure, of_lookup},
    fields::{Id, Person, fields},
    operation::{Declaration, Endpoint, Form, Method},
    wire::identity::PersonOut,
};
use watchpost_core::{
    access::Permission, audit::AuditTarget, error::Error, service::IdentityAnswer, value::id::IdentityId,
};

pub(crate) struct LookupIdentity;

fields! {
    pub(crate) struct PersonFields {
        /// Any email address of the person, or the name, such as mara holt; in any case.
        email: Person,
    }
}

fn answer(context: &Context<'_>, found: Result<IdentityAnswer, Error>) -> Result<Answer, Failure> {
    let found = found.map_err(of_lookup)?;
    let target = AuditTarget::new("identity", &found.identity.id);
    Ok(Answer::json(&PersonOut::new(&found, context.now))?.about(target))
}

impl Endpoint for LookupIdentity {
    const DECLARATION: Declaration = Declaration {
        method: Method::Get,
        path: "/api/v1/people",
        name: "lookup_identity",
        group: "people",
        summary: "Looks up one person or machine by email address or name, over all platforms",
        permission: Some(Permission::ReadPosture),
        form: Form::Own,
    };
    type Input = PersonFields;
    type Output = PersonOut<'static>;

    async fn run(context: &Context<'_>, input: PersonFields) -> Result<Answer, Failure> {
        let found = context
            .watchpost
            .identity(context.scope, input.email.as_str())
            .await;
        answer(context, context.open(found))
    }
}

pub(crate) struct GetPerson;

fields! {
    pub(crate) struct PersonById {
        /// The id of the person.
        id: Id<IdentityId>,
    }
}

impl Endpoint for GetPerson {
    const DECLARATION: Declaration = Declaration {
        method: Method::Get,
        path: "/api/v1/people/{id}",
        name: "get_person",
        group: "people",
        summary: "Returns one person or machine over all platforms",
        permission: Some(Permission::ReadPosture),
        form: Form::Own,
    };
    type Input = PersonById;
    type Output = PersonOut<'static>;

    async fn run(context: &Context<'_>, input: PersonById) -> Result<Answer, Failure> {
        let Id(id) = input.id;
        let found = context.watchpost.identity_by_id(context.scope, id).await;
        answer(context, context.open(found))
    }
}
