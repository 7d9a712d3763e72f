//! Changes of a definition, one read from a server for example. Names are compared as the server does: without
//! surrounding blanks and in lower case.

use std::mem;

use crate::{Call, Dependency, Endpoint, Socket, normalize};

/// ```
/// use syncano_core::{Call, Method, Runtime, ScriptDependency, Socket};
///
/// let mut socket = Socket::builder("my_custom_socket")
///     .script("custom_script", Runtime::Python3, "print('custom_script')")
///     .call("my_endpoint", "custom_script", [Method::Get])
///     .build()?;
///
/// socket.remove_endpoint("my_endpoint");
/// socket.remove_dependency("custom_script");
/// socket.add_endpoint("new_endpoint", [Call::new("new_script", [Method::Post]).timeout(5.0)]);
/// socket.add_dependency(ScriptDependency::new("new_script", Runtime::Python3, "print('new_script')"));
/// assert!(socket.validate().is_empty());
/// # Ok::<(), syncano_core::Violations>(())
/// ```
impl Socket {
    /// The endpoint of this name.
    pub fn endpoint(&self, name: &str) -> Option<&Endpoint> {
        self.endpoints.get(self.endpoint_key(name)?)
    }

    /// Adds an endpoint. Returns the one of that name that was there before.
    pub fn add_endpoint(
        &mut self,
        name: impl Into<String>,
        endpoint: impl Into<Endpoint>,
    ) -> Option<Endpoint> {
        let name = name.into();
        let before = self.remove_endpoint(&name);
        self.endpoints.insert(name, endpoint.into());
        before
    }

    /// Removes the endpoint of this name, and returns it.
    pub fn remove_endpoint(&mut self, name: &str) -> Option<Endpoint> {
        let key = self.endpoint_key(name)?.to_owned();
        self.endpoints.remove(&key)
    }

    /// Adds a call to an endpoint, which is made with its first call.
    pub fn add_call(&mut self, endpoint: impl Into<String>, call: Call) {
        let name = endpoint.into();
        let key = self.endpoint_key(&name).map(str::to_owned).unwrap_or(name);
        self.endpoints.entry(key).or_default().add_call(call);
    }

    /// Adds a dependency. Returns the one of that name and type that was there before.
    pub fn add_dependency(&mut self, dependency: impl Into<Dependency>) -> Option<Dependency> {
        let dependency = dependency.into();
        let before = self.dependencies.iter_mut().find(|other| {
            mem::discriminant(*other) == mem::discriminant(&dependency) && is(other.name(), dependency.name())
        });
        match before {
            Some(before) => Some(mem::replace(before, dependency)),
            None => {
                self.dependencies.push(dependency);
                None
            }
        }
    }

    /// Removes the dependency of this name, and returns it. Should a script and a class share the name, it is the one
    /// that was added first.
    pub fn remove_dependency(&mut self, name: &str) -> Option<Dependency> {
        let place = self.dependencies.iter().position(|dependency| is(dependency.name(), name))?;
        Some(self.dependencies.remove(place))
    }

    /// The name as the definition spells it.
    fn endpoint_key(&self, name: &str) -> Option<&str> {
        self.endpoints.keys().map(String::as_str).find(|key| is(key, name))
    }
}

fn is(name: &str, other: &str) -> bool {
    normalize(name) == normalize(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClassDependency, Method, Runtime, ScriptDependency};

    fn script(name: &str, source: &str) -> ScriptDependency {
        ScriptDependency::new(name, Runtime::Python3, source)
    }

    #[test]
    fn names_are_found_however_they_are_spelled() {
        let mut socket = Socket::default();
        assert_eq!(socket.add_endpoint("Hello", [Call::new("a", [Method::Get])]), None);
        socket.add_call("hello ", Call::new("b", [Method::Post]));
        assert_eq!(socket.endpoint("HELLO").map(|endpoint| endpoint.calls.len()), Some(2));
        let before = socket.add_endpoint("hello", [Call::new("c", [Method::Get])]);
        assert_eq!(before.map(|endpoint| endpoint.calls.len()), Some(2));
        assert_eq!(socket.endpoints.keys().collect::<Vec<_>>(), ["hello"]);
        assert!(socket.remove_endpoint("Hello").is_some());
        assert_eq!(socket.remove_endpoint("Hello"), None);
    }

    #[test]
    fn a_dependency_takes_the_place_of_the_one_of_its_name_and_type() {
        let mut socket = Socket::default();
        socket.add_dependency(script("a", "1"));
        socket.add_dependency(ClassDependency::new("a", Vec::new()));
        assert_eq!(socket.add_dependency(script("A", "2")), Some(script("a", "1").into()));
        assert_eq!(
            socket.dependencies,
            [script("A", "2").into(), ClassDependency::new("a", Vec::new()).into()]
        );
        assert_eq!(socket.remove_dependency("a"), Some(script("A", "2").into()));
        assert_eq!(socket.remove_dependency("a").as_ref().map(Dependency::name), Some("a"));
        assert_eq!(socket.remove_dependency("a"), None);
    }
}
