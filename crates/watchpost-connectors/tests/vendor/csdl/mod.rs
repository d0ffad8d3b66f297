//! The metadata of Microsoft Graph: types, operations and the entry points of addresses, as in OData's CSDL 4.01.

pub(crate) mod path;
pub(crate) mod query;
pub(crate) mod value;

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};
use std::collections::HashMap;

/// A type in use: `Edm.String`, `microsoft.graph.user`, or a collection of one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TypeRef {
    pub(crate) name: String,
    pub(crate) collection: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Property {
    pub(crate) of: TypeRef,
    pub(crate) nullable: bool,
    pub(crate) navigation: bool,
}

/// An entity type or a complex type.
#[derive(Debug, Default)]
pub(crate) struct Structure {
    pub(crate) base: Option<String>,
    /// Whether values may have properties that aren't described.
    pub(crate) open: bool,
    /// Whether values are always of a derived type, which they name.
    pub(crate) incomplete: bool,
    pub(crate) properties: HashMap<String, Property>,
}

#[derive(Debug, Default)]
pub(crate) struct Enumeration {
    /// Whether a value is a list of members.
    pub(crate) flags: bool,
    /// The members in the order of their numbers.
    pub(crate) members: Vec<String>,
}

/// An action or function that is bound to a type.
#[derive(Debug, Default)]
pub(crate) struct Operation {
    pub(crate) action: bool,
    pub(crate) on: TypeRef,
    /// The other parameters.
    pub(crate) parameters: HashMap<String, Property>,
    pub(crate) answer: Option<TypeRef>,
}

/// The metadata of one version of the API.
#[derive(Debug, Default)]
pub(crate) struct Model {
    aliases: HashMap<String, String>,
    pub(crate) structures: HashMap<String, Structure>,
    pub(crate) enumerations: HashMap<String, Enumeration>,
    pub(crate) operations: HashMap<String, Vec<Operation>>,
    /// The entity sets and singletons.
    pub(crate) roots: HashMap<String, TypeRef>,
}

impl Model {
    pub(crate) fn parse(text: &str) -> Self {
        let mut builder = Builder::default();
        let mut reader = Reader::from_str(text);
        loop {
            match reader.read_event().unwrap() {
                Event::Start(element) => builder.start(&element),
                Event::Empty(element) => {
                    builder.start(&element);
                    builder.end(element.local_name().as_ref());
                }
                Event::End(element) => builder.end(element.local_name().as_ref()),
                Event::Eof => return builder.model,
                _ => {}
            }
        }
    }

    /// Returns the full name of a type that may be written with an alias of its namespace.
    pub(crate) fn full_name(&self, name: &str) -> String {
        let full = name.rsplit_once('.').and_then(|(space, last)| {
            let space = self.aliases.get(space)?;
            Some(format!("{space}.{last}"))
        });
        full.unwrap_or_else(|| name.to_owned())
    }

    pub(crate) fn structure(&self, name: &str) -> Option<&Structure> {
        self.structures.get(&self.full_name(name))
    }

    pub(crate) fn enumeration(&self, name: &str) -> Option<&Enumeration> {
        self.enumerations.get(&self.full_name(name))
    }

    /// Returns a structure and those that it is derived from.
    pub(crate) fn lineage(&self, name: &str) -> Vec<&Structure> {
        let mut all = Vec::new();
        let mut next = self.structure(name);
        while let Some(structure) = next {
            all.push(structure);
            next = structure.base.as_deref().and_then(|base| self.structure(base));
        }
        all
    }

    /// Returns a property of a structure, its own or an inherited one.
    pub(crate) fn property(&self, name: &str, property: &str) -> Option<&Property> {
        let lineage = self.lineage(name);
        lineage
            .into_iter()
            .find_map(|structure| structure.properties.get(property))
    }

    /// Whether a type is another one or derived from it.
    pub(crate) fn derives(&self, name: &str, from: &str) -> bool {
        let from = self.full_name(from);
        let mut next = Some(self.full_name(name));
        while let Some(current) = next {
            if current == from {
                return true;
            }
            let base = self.structures.get(&current).and_then(|one| one.base.as_deref());
            next = base.map(|base| self.full_name(base));
        }
        false
    }
}

/// Builds a model while the document is read.
#[derive(Default)]
struct Builder {
    model: Model,
    namespace: String,
    structure: Option<(String, Structure)>,
    enumeration: Option<(String, Enumeration)>,
    operation: Option<(String, Operation)>,
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = element.try_get_attribute(name).unwrap()?;
    Some(found.value.into_owned())
}

fn type_ref(text: &str) -> TypeRef {
    let inner = text
        .strip_prefix("Collection(")
        .and_then(|text| text.strip_suffix(')'));
    TypeRef {
        name: inner.unwrap_or(text).to_owned(),
        collection: inner.is_some(),
    }
}

fn property(element: &BytesStart<'_>, navigation: bool) -> Property {
    Property {
        of: type_ref(&attribute(element, "Type").unwrap()),
        nullable: attribute(element, "Nullable").is_none_or(|text| text == "true"),
        navigation,
    }
}

impl Builder {
    fn start(&mut self, element: &BytesStart<'_>) {
        let get = |name: &str| attribute(element, name);
        let named = || get("Name").unwrap_or_default();
        match element.local_name().as_ref() {
            "Schema" => {
                self.namespace = get("Namespace").unwrap();
                if let Some(alias) = get("Alias") {
                    self.model.aliases.insert(alias, self.namespace.clone());
                }
            }
            "EntityType" | "ComplexType" => {
                let structure = Structure {
                    base: get("BaseType"),
                    open: get("OpenType").is_some_and(|text| text == "true"),
                    incomplete: get("Abstract").is_some_and(|text| text == "true"),
                    ..Structure::default()
                };
                self.structure = Some((format!("{}.{}", self.namespace, named()), structure));
            }
            kind @ ("Property" | "NavigationProperty") => {
                if let Some((_, structure)) = &mut self.structure {
                    let navigation = kind == "NavigationProperty";
                    structure
                        .properties
                        .insert(named(), property(element, navigation));
                }
            }
            "EnumType" => {
                let enumeration = Enumeration {
                    flags: get("IsFlags").is_some_and(|text| text == "true"),
                    ..Enumeration::default()
                };
                self.enumeration = Some((format!("{}.{}", self.namespace, named()), enumeration));
            }
            "Member" => {
                if let Some((_, enumeration)) = &mut self.enumeration {
                    enumeration.members.push(named());
                }
            }
            kind @ ("Action" | "Function") => {
                let operation = Operation {
                    action: kind == "Action",
                    ..Operation::default()
                };
                self.operation = Some((named(), operation));
            }
            "Parameter" => {
                if let Some((_, operation)) = &mut self.operation {
                    let parameter = property(element, false);
                    // The first parameter is what the operation is bound to.
                    if operation.on == TypeRef::default() {
                        operation.on = parameter.of;
                    } else {
                        operation.parameters.insert(named(), parameter);
                    }
                }
            }
            "ReturnType" => {
                if let Some((_, operation)) = &mut self.operation {
                    operation.answer = get("Type").as_deref().map(type_ref);
                }
            }
            "EntitySet" => {
                let name = get("EntityType").unwrap();
                let of = TypeRef {
                    name,
                    collection: true,
                };
                self.model.roots.insert(named(), of);
            }
            "Singleton" => {
                let of = type_ref(&get("Type").unwrap());
                self.model.roots.insert(named(), of);
            }
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "EntityType" | "ComplexType" => self.model.structures.extend(self.structure.take()),
            "EnumType" => self.model.enumerations.extend(self.enumeration.take()),
            "Action" | "Function" => {
                if let Some((name, operation)) = self.operation.take() {
                    self.model.operations.entry(name).or_default().push(operation);
                }
            }
            _ => {}
        }
    }
}
