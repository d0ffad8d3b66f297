//! The route table and its lookup.

use crate::{
    routing::route::{Methods, Pattern, Route},
    text,
};
use http::{HeaderMap, HeaderValue, Method};
use std::cmp::Reverse;

/// Two routes have the same method and path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteConflict {
    path: &'static str,
    method: Option<Method>,
}

impl std::fmt::Display for RouteConflict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let method = self.method.as_ref().map_or("any method", Method::as_str);
        f.write_str(&text::route_conflict(method, self.path))
    }
}

impl std::error::Error for RouteConflict {}

/// The rows of one path.
#[derive(Debug)]
struct Entry<T> {
    rows: Vec<Row<T>>,
    /// The value of the `Allow` header.
    allow: HeaderValue,
}

/// A route and the mount that serves it.
#[derive(Debug)]
pub(crate) struct Row<T> {
    pub(crate) route: Route,
    pub(crate) target: T,
}

/// The result of a lookup.
#[derive(Debug)]
pub(crate) enum Found<'t, T> {
    Row(&'t Row<T>),
    /// The path exists, but not with this method. Contains the value of the `Allow` header.
    OtherMethods(&'t HeaderValue),
    Nothing,
}

/// The routes of all mounts. `T` identifies a mount.
#[derive(Debug)]
pub(crate) struct RouteTable<T> {
    entries: Vec<Entry<T>>,
}

impl<T: Copy> RouteTable<T> {
    pub(crate) fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// Adds the routes of one mount. Among equally specific paths, those added first take precedence.
    pub(crate) fn add(
        &mut self,
        routes: impl IntoIterator<Item = Route>,
        target: T,
    ) -> Result<(), RouteConflict> {
        for route in routes {
            let same = |entry: &&mut Entry<T>| {
                let first = entry.rows.first();
                first.is_some_and(|row| row.route.has_same_target(&route))
            };
            let Some(entry) = self.entries.iter_mut().find(same) else {
                let allow = allow([&route]);
                let rows = vec![Row { route, target }];
                self.entries.push(Entry { rows, allow });
                continue;
            };
            for row in &entry.rows {
                let is_any_twice = row.route.methods == Methods::Any && route.methods == Methods::Any;
                let method = row.route.methods.overlap(&route.methods);
                if is_any_twice || method.is_some() {
                    return Err(RouteConflict {
                        path: route.path(),
                        method: method.cloned(),
                    });
                }
            }
            entry.rows.push(Row { route, target });
            entry.allow = allow(entry.rows.iter().map(|row| &row.route));
        }
        // The most specific first. The sort is stable, so mounts keep their order.
        self.entries.sort_by_key(|entry| {
            let route = entry.rows.first().map(|row| &row.route);
            let (kind, names, length) = match route.map(|route| route.pattern) {
                Some(Pattern::Prefix(prefix)) => (2, 0, prefix.len()),
                Some(Pattern::Template(template)) => (1, template.matches('{').count(), 0),
                Some(Pattern::Exact(_)) | None => (0, 0, 0),
            };
            (
                kind,
                names,
                Reverse(length),
                route.is_none_or(|route| route.header.is_none()),
            )
        });
        Ok(())
    }

    /// Adds a route unless a mount already has one of its methods.
    pub(crate) fn add_default(&mut self, route: Route, target: T) {
        // A conflict means that a mount has the route.
        let _ = self.add([route], target);
    }

    pub(crate) fn find(&self, path: &str, method: &Method, headers: &HeaderMap) -> Found<'_, T> {
        let entry = self.entries.iter().find(|entry| {
            let first = entry.rows.first();
            first.is_some_and(|row| row.route.matches(path, headers))
        });
        let Some(entry) = entry else {
            return Found::Nothing;
        };
        let named = entry.rows.iter().find(|row| match &row.route.methods {
            Methods::Only(methods) => methods.contains(method),
            Methods::Any => false,
        });
        let any = || entry.rows.iter().find(|row| row.route.methods == Methods::Any);
        match named.or_else(any) {
            Some(row) => Found::Row(row),
            None => Found::OtherMethods(&entry.allow),
        }
    }

    /// Returns all routes.
    pub(crate) fn routes(&self) -> impl Iterator<Item = &Route> {
        self.entries
            .iter()
            .flat_map(|entry| entry.rows.iter().map(|row| &row.route))
    }
}

/// Returns all methods of the routes of one path, and OPTIONS, which admission answers.
fn allow<'r>(routes: impl IntoIterator<Item = &'r Route>) -> HeaderValue {
    const ORDER: [Method; 7] = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    let mut served: Vec<Method> = routes
        .into_iter()
        .flat_map(|route| route.methods().unwrap_or_default().iter().cloned())
        .chain([Method::OPTIONS])
        .collect();
    let rank = |method: &Method| ORDER.iter().position(|known| known == method);
    served.sort_by_key(|method| rank(method).unwrap_or(ORDER.len()));
    served.dedup();
    let names: Vec<&str> = served.iter().map(Method::as_str).collect();
    HeaderValue::from_str(&names.join(", ")).unwrap_or(HeaderValue::from_static("OPTIONS"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::route::Access;

    fn table() -> RouteTable<char> {
        let mut table = RouteTable::new();
        table
            .add([Route::new("/a", [Method::POST], Access::Key)], 'm')
            .unwrap();
        let session = http::HeaderName::from_static("x-session");
        let others = [
            Route::new("/a", [Method::HEAD, Method::GET], Access::Public),
            Route::new("/a", [Method::GET], Access::Key).with_header(session),
            Route::prefix("/a/", [Method::GET], Access::Either),
            Route::prefix("/a/b/", [Method::GET], Access::Member),
            Route::prefix("/a/b/", [], Access::Key).any_method(),
        ];
        table.add(others, 'o').unwrap();
        let templates = [
            Route::template("/t/{id}/{verb}", [Method::GET], Access::Either),
            Route::template("/t/{id}/x", [Method::GET], Access::Key),
            Route::new("/t/all/x", [Method::GET], Access::Public),
            Route::prefix("/t/", [Method::GET], Access::Member),
        ];
        table.add(templates, 't').unwrap();
        table
    }

    #[test]
    fn the_most_specific_route_is_found() {
        let table = table();
        let check = |method: Method, path: &str, header: bool, expected: Option<(char, Access)>| {
            let mut headers = HeaderMap::new();
            if header {
                headers.insert("x-session", HeaderValue::from_static("1"));
            }
            let found = match table.find(path, &method, &headers) {
                Found::Row(row) => Some((row.target, row.route.access())),
                Found::OtherMethods(_) | Found::Nothing => None,
            };
            assert_eq!(found, expected, "{method} {path}");
        };
        check(Method::POST, "/a", false, Some(('m', Access::Key)));
        check(Method::GET, "/a", false, Some(('o', Access::Public)));
        check(Method::GET, "/a", true, Some(('o', Access::Key)));
        check(Method::HEAD, "/a", true, None);
        check(Method::PUT, "/a", false, None);
        check(Method::GET, "/a/", false, Some(('o', Access::Either)));
        check(Method::GET, "/a/b", false, Some(('o', Access::Either)));
        check(Method::GET, "/a/b/c", false, Some(('o', Access::Member)));
        check(Method::PUT, "/a/b/c", false, Some(('o', Access::Key)));
        check(Method::GET, "/A", false, None);
        check(Method::GET, "/%61", false, None);
        check(Method::GET, "//a", false, None);
        check(Method::GET, "/ab", false, None);
        check(Method::GET, "/t/1/y", false, Some(('t', Access::Either)));
        check(Method::GET, "/t/1/x", false, Some(('t', Access::Key)));
        check(Method::GET, "/t/all/x", false, Some(('t', Access::Public)));
        check(Method::GET, "/t//x", false, Some(('t', Access::Member)));
        check(Method::GET, "/t/1/y/", false, Some(('t', Access::Member)));
        check(Method::GET, "/t/1", false, Some(('t', Access::Member)));
        check(Method::POST, "/t/1/x", false, None);
    }

    #[test]
    fn allow_lists_the_methods_of_all_routes_of_a_path() {
        match table().find("/a", &Method::PUT, &HeaderMap::new()) {
            Found::OtherMethods(allow) => assert_eq!(allow, "GET, HEAD, POST, OPTIONS"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_method_of_a_path_can_have_only_one_route() {
        let mut table = table();
        let again = Route::new("/a", [Method::PUT, Method::GET], Access::Member);
        let conflict = table.add([again], 'x').unwrap_err();
        assert_eq!(conflict.to_string(), "two routes serve GET /a");
        let any = Route::prefix("/a/b/", [], Access::Key).any_method();
        let conflict = table.add([any], 'x').unwrap_err();
        assert_eq!(conflict.to_string(), "two routes serve any method /a/b/");
        table.add_default(Route::new("/a", [Method::GET], Access::Member), 'x');
        assert_eq!(table.routes().count(), 10, "the existing route stays");
        table.add_default(Route::new("/", [Method::GET], Access::Public), 'x');
        assert_eq!(table.routes().count(), 11);
    }
}
