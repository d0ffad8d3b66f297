//! Finds the type that an address of Graph leads to.

use super::{Model, Operation, TypeRef};

/// The end of an address.
#[derive(Debug)]
pub(crate) struct Target<'m> {
    /// The address with `{id}` in place of keys.
    pub(crate) template: String,
    /// The type of the answer. `None` if there is no answer.
    pub(crate) of: Option<TypeRef>,
    /// The action that is called, if one is.
    pub(crate) action: Option<&'m Operation>,
}

/// Splits `name('key')` into the name and whether there is a key.
fn with_key(segment: &str) -> (&str, bool) {
    match segment.split_once('(') {
        Some((name, rest)) if rest.ends_with(')') => (name, true),
        _ => (segment, false),
    }
}

impl Model {
    /// Resolves the segments of an address below the version.
    ///
    /// # Errors
    /// The segment that isn't described.
    pub(crate) fn resolve(&self, segments: &[&str]) -> Result<Target<'_>, String> {
        let mut target = Target {
            template: String::new(),
            of: None,
            action: None,
        };
        let Some((first, rest)) = segments.split_first() else {
            return Err("no segment".to_owned());
        };
        let (name, keyed) = with_key(first);
        let root = self
            .roots
            .get(name)
            .ok_or_else(|| format!("nothing is called {name}"))?;
        target.template = format!("/{name}{}", if keyed { "/{id}" } else { "" });
        let mut of = TypeRef {
            collection: root.collection && !keyed,
            name: self.full_name(&root.name),
        };
        for segment in rest {
            let (name, keyed) = with_key(segment);
            if let Some(operation) = self.operation(name, &of) {
                target.template.push_str(&format!("/{name}"));
                target.action = operation.action.then_some(operation);
                match &operation.answer {
                    Some(answer) => of = answer.clone(),
                    None => {
                        target.of = None;
                        return Ok(target);
                    }
                }
                continue;
            }
            if of.collection {
                target.template.push_str("/{id}");
                of.collection = false;
                continue;
            }
            let Some(property) = self.property(&of.name, name) else {
                return Err(format!("{} has no {name}", of.name));
            };
            target.template.push_str(&format!("/{name}"));
            of = TypeRef {
                name: self.full_name(&property.of.name),
                collection: property.of.collection && !keyed,
            };
            if keyed {
                target.template.push_str("/{id}");
            }
        }
        target.of = Some(of);
        Ok(target)
    }

    /// Returns the operation with a name that is bound to the type. The name may have its namespace.
    fn operation(&self, name: &str, on: &TypeRef) -> Option<&Operation> {
        let short = name.rsplit('.').next().unwrap_or(name);
        self.operations.get(short)?.iter().find(|operation| {
            operation.on.collection == on.collection && self.derives(&on.name, &operation.on.name)
        })
    }
}
