//! Applies the rules: the macro's own, and through the model those of every front end.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Attribute, FnArg, Generics, Ident, LitStr, Path, ReturnType, Signature, Token, Type, Visibility};
use syncano_core::{
    Call, Dependency, Methods, Runtime, ScriptDependency, ScriptSource, Segment, Severity, Socket, Violation,
    ViolationKind, normalize,
};

use crate::attribute::{EndpointOptions, SocketOptions};
use crate::errors::Errors;
use crate::parse::{Function, Module};
use crate::signature::{self, Argument};
use crate::source::Script;

/// A module whose calls obey every rule.
pub(crate) struct ValidatedSocket {
    pub(crate) krate: Option<Path>,
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) mod_token: Token![mod],
    pub(crate) ident: Ident,
    pub(crate) inner: Vec<Attribute>,
    pub(crate) kept: Vec<TokenStream>,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) calls: Vec<ValidatedCall>,
    pub(crate) stubs: Vec<Stub>,
}

/// A call that obeys every rule.
pub(crate) struct ValidatedCall {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) ident: Ident,
    pub(crate) endpoint: String,
    pub(crate) script_name: String,
    pub(crate) runtime: Runtime,
    pub(crate) script: Script,
    pub(crate) methods: Methods,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) output: ReturnType,
    pub(crate) error: Option<Type>,
}

/// A call that breaks a rule: its method is kept for the code that uses it.
pub(crate) struct Stub {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    pub(crate) inputs: Vec<Type>,
    pub(crate) output: ReturnType,
    pub(crate) error: Option<Type>,
    pub(crate) script: Option<Script>,
}

/// What could be read of a function, right or wrong.
struct Draft {
    function: Function,
    options: Option<EndpointOptions>,
    script: Option<Script>,
    runtime: Option<Runtime>,
    arguments: Vec<Argument>,
    broken: bool,
    /// The method can't be emitted: another one has its name.
    clashes: bool,
}

/// Checks a module, reports every mistake, and returns what is left.
pub(crate) fn validate(options: SocketOptions, module: Module, errors: &mut Errors) -> ValidatedSocket {
    let name = match &options.name {
        Some(literal) => literal.value(),
        None => module.ident.unraw().to_string(),
    };
    let name_span = options.name.as_ref().map_or(module.ident.span(), LitStr::span);
    let mut drafts: Vec<Draft> = Vec::new();
    for function in module.functions {
        let draft = Draft::read(function, &options, &drafts, errors);
        drafts.push(draft);
    }

    let socket = model(&name, &options, &drafts);
    for violation in socket.validate() {
        let told = module.incomplete || !drafts.is_empty();
        if violation.kind.severity() == Severity::Semantic
            || told && matches!(violation.kind, ViolationKind::NoEndpoints(_))
        {
            continue;
        }
        let place = Place { options: &options, name_span, module: module.ident.span(), drafts: &drafts };
        if let Some(index) = place.report(&violation, errors) {
            drafts[index].broken = true;
        }
    }

    let mut valid = ValidatedSocket {
        krate: options.krate,
        attrs: module.attrs,
        vis: module.vis,
        mod_token: module.mod_token,
        ident: module.ident,
        inner: module.inner,
        kept: module.kept,
        name: normalize(&name),
        description: options.description.as_ref().map(LitStr::value),
        calls: Vec::new(),
        stubs: Vec::new(),
    };
    for draft in drafts {
        draft.finish(&mut valid);
    }
    valid
}

impl Draft {
    fn read(mut function: Function, socket: &SocketOptions, earlier: &[Draft], errors: &mut Errors) -> Draft {
        let before = errors.len();
        let options = function.endpoint.take().map(|attribute| EndpointOptions::parse(attribute, errors));
        let methods = options.as_ref().and_then(|options| options.methods.methods());
        let ident = &function.sig.ident;
        let mut clashes = false;
        if ident == "new" {
            clashes = true;
            errors.at(
                ident.span(),
                "`Client::new` is generated: rename the function; `script_name = \"new\"` keeps the script's name",
            );
        }
        let same_name = |draft: &&Draft| {
            draft.function.sig.ident.unraw() == ident.unraw()
                && !(draft.is_conditional() && is_conditional(&function))
        };
        if earlier.iter().any(|draft| same_name(&draft)) {
            clashes = true;
            errors.at(ident.span(), format!("the function `{ident}` is defined twice: rename one of them"));
        }
        let arguments = signature::arguments(&function.sig, methods.as_ref(), errors);
        let error = options.as_ref().and_then(|options| options.error.as_ref());
        signature::results(&function.sig, error, errors);

        let (mut script, mut runtime) = (None, None);
        if let Some(options) = &options {
            script = Script::of(options, errors);
            if let Some(script) = &script {
                runtime = script.runtime(options.runtime.as_ref(), socket.runtime.as_ref(), errors);
                if let (Some(runtime), Some(name)) = (runtime, &options.name) {
                    script.check(&name.value(), runtime, errors);
                }
            } else if options.source.is_none() && options.file.is_none() && !options.unread {
                errors.over(
                    options.attribute.path(),
                    "the call has no script: write `source = \"…\"` or `file = \"…\"`",
                );
            }
        }
        let broken = function.broken || errors.len() > before;
        Draft { function, options, script, runtime, arguments, broken, clashes }
    }

    fn is_conditional(&self) -> bool {
        is_conditional(&self.function)
    }

    fn endpoint(&self) -> Option<&LitStr> {
        self.options.as_ref()?.name.as_ref()
    }

    fn methods(&self) -> Option<Methods> {
        self.options.as_ref()?.methods.methods()
    }

    fn script_name(&self) -> String {
        match self.options.as_ref().and_then(|options| options.script_name.as_ref()) {
            Some(literal) => literal.value(),
            None => self.function.sig.ident.unraw().to_string(),
        }
    }

    fn script_name_span(&self) -> Span {
        let literal = self.options.as_ref().and_then(|options| options.script_name.as_ref());
        literal.map_or(self.function.sig.ident.span(), LitStr::span)
    }

    /// Adds the call, or what stands in for it; nothing if another method has its name.
    fn finish(self, valid: &mut ValidatedSocket) {
        let (endpoint, methods) = (self.endpoint().map(LitStr::value), self.methods());
        let script_name = normalize(&self.script_name());
        let Draft { function, options, script, runtime, arguments, broken, clashes } = self;
        let Function { attrs, vis, sig, .. } = function;
        let Signature { ident, generics, inputs, output, .. } = sig;
        let error = options.and_then(|options| options.error);
        match (endpoint, methods, script, runtime) {
            (Some(endpoint), Some(methods), Some(script), Some(runtime)) if !broken => {
                let endpoint = normalize(&endpoint);
                valid.calls.push(ValidatedCall {
                    attrs,
                    vis,
                    ident,
                    endpoint,
                    script_name,
                    runtime,
                    script,
                    methods,
                    arguments,
                    output,
                    error,
                });
            }
            _ if clashes => {}
            (_, _, script, _) => {
                let inputs = inputs.into_iter().filter_map(|input| match input {
                    FnArg::Typed(typed) => Some(*typed.ty),
                    FnArg::Receiver(_) => None,
                });
                let inputs: Vec<Type> = inputs.collect();
                let output = signature::without_impl_trait(output);
                let generics = signature::with_all_lifetimes(generics, &inputs, &output, error.as_ref());
                valid.stubs.push(Stub { attrs, vis, ident, generics, inputs, output, error, script });
            }
        }
    }
}

/// Whether a function is there only under some configuration, so that another may take its place.
fn is_conditional(function: &Function) -> bool {
    function.attrs.iter().any(|attr| attr.path().is_ident("cfg"))
}

/// The definition as far as it could be read. What is missing is filled in so that no rule mentions it: that has been
/// reported.
fn model(name: &str, options: &SocketOptions, drafts: &[Draft]) -> Socket {
    let mut socket = Socket { name: name.to_owned(), ..Socket::default() };
    socket.description = options.description.as_ref().map(LitStr::value).unwrap_or_default();
    for draft in drafts {
        socket.dependencies.push(Dependency::Script(ScriptDependency {
            name: draft.script_name(),
            script: ScriptSource::New {
                runtime_name: draft.runtime.unwrap_or(Runtime::Python3),
                source: draft.script.as_ref().and_then(Script::text).unwrap_or("pass").to_owned(),
            },
            config: None,
        }));
        if let Some(endpoint) = draft.endpoint() {
            let methods = draft.methods().unwrap_or(Methods::Only(Vec::new()));
            let calls = &mut socket.endpoints.entry(endpoint.value()).or_default().calls;
            calls.push(Call::new(draft.script_name(), methods));
        }
    }
    socket
}

/// Finds the token for a path of the model.
struct Place<'a> {
    options: &'a SocketOptions,
    name_span: Span,
    module: Span,
    drafts: &'a [Draft],
}

impl Place<'_> {
    /// Reports a violation at its token, and returns the call that it makes unusable.
    fn report(&self, violation: &Violation, errors: &mut Errors) -> Option<usize> {
        use Segment::{Index, Key};

        let kind = &violation.kind;
        let keys: Vec<&Segment> = violation.path.0.iter().collect();
        let key = |index: usize| match keys.get(index) {
            Some(Key(key)) => key.as_str(),
            _ => "",
        };
        let (call, span) = match (key(0), keys.get(1), key(2)) {
            ("endpoints", Some(Key(endpoint)), "calls") => {
                let Some(Index(position)) = keys.get(3) else { return None };
                let call = self.calls(endpoint).nth(*position)?;
                let span = match keys.get(5) {
                    Some(Index(index)) => self.method(call, *index),
                    _ if key(4) == "methods" => self.methods(call)?,
                    _ => self.drafts[call].script_name_span(),
                };
                (Some(call), span)
            }
            ("endpoints", Some(Key(endpoint)), _) => {
                // Of two spellings of one endpoint the model reports the one that sorts last: that may be the first.
                for call in self.calls(endpoint) {
                    let span = self.drafts[call].endpoint().map_or(self.module, LitStr::span);
                    errors.at(span, kind);
                }
                return self.calls(endpoint).next();
            }
            ("dependencies", Some(Index(call)), field) => {
                let draft = &self.drafts[*call];
                let span = match (field, &draft.script) {
                    ("source", Some(script)) => script.literal().span(),
                    _ => draft.script_name_span(),
                };
                (Some(*call), span)
            }
            ("name", ..) => (None, self.name_span),
            ("description", ..) => {
                (None, self.options.description.as_ref().map_or(self.module, LitStr::span))
            }
            _ => (None, self.module),
        };
        if call.is_some_and(|call| self.is_told(call, kind)) {
            return None;
        }
        if let Some(call) = call
            && let Some((first, message)) = self.earlier(call, violation)
        {
            if self.drafts[call].is_conditional() && self.drafts[first].is_conditional() {
                return None;
            }
            errors.at(self.drafts[first].function.sig.ident.span(), message);
        }
        errors.at(span, kind);
        call
    }

    /// Whether the mistake only follows from one that was reported already.
    fn is_told(&self, call: usize, kind: &ViolationKind) -> bool {
        let draft = &self.drafts[call];
        match kind {
            ViolationKind::NoMethods | ViolationKind::Unreachable { .. } => draft.methods().is_none(),
            ViolationKind::DuplicateDependency(_) => {
                draft.clashes
                    || draft.is_conditional()
                        && self.drafts[..call]
                            .iter()
                            .filter(|other| other.is_conditional())
                            .any(|other| normalize(&other.script_name()) == normalize(&draft.script_name()))
            }
            _ => false,
        }
    }

    /// The function that stands in the way of a later one, and what to say there.
    fn earlier(&self, call: usize, violation: &Violation) -> Option<(usize, String)> {
        let (endpoint, first, what) = match &violation.kind {
            ViolationKind::MethodTaken { endpoint, first, method, .. } => {
                (endpoint, *first, method.to_string())
            }
            ViolationKind::Unreachable { endpoint, first, .. } => {
                (endpoint, *first, "every method".to_owned())
            }
            _ => return None,
        };
        let first = self.calls(endpoint).nth(first)?;
        (first != call).then(|| {
            let name = self.drafts[first].function.sig.ident.to_token_stream();
            (first, format!("`{name}` already answers {what} of the endpoint `{endpoint}`"))
        })
    }

    /// The calls of an endpoint, in the order in which the model lists them.
    fn calls<'s>(&'s self, endpoint: &'s str) -> impl Iterator<Item = usize> + 's {
        (0..self.drafts.len())
            .filter(move |index| self.drafts[*index].endpoint().is_some_and(|name| name.value() == endpoint))
    }

    fn method(&self, call: usize, index: usize) -> Span {
        let options = self.drafts[call].options.as_ref();
        let listed = options.and_then(|options| options.methods.listed.get(index));
        listed.map_or(self.module, |(_, span)| *span)
    }

    /// The first method as written, or the endpoint's name if there is none.
    fn methods(&self, call: usize) -> Option<Span> {
        let options = self.drafts[call].options.as_ref()?;
        let listed = options.methods.listed.first().map(|(_, span)| *span);
        listed.or(options.methods.any).or(options.name.as_ref().map(LitStr::span))
    }
}
