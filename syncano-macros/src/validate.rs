//! Applies the rules: the macro's own, and through the model those of every front end.

use std::collections::HashSet;

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::{Attribute, FnArg, Generics, Ident, LitStr, Path, ReturnType, Signature, Token, Type, Visibility};
use syncano_core::{
    Call, ClassDependency, Map, Methods, Runtime, Severity, ViolationKind, closest, normalize,
};

use crate::agreement::{Pair, Warning};
use crate::attribute::{EndpointOptions, SocketOptions};
use crate::docs;
use crate::errors::{Errors, Subject};
use crate::model::{Place, endpoint_keys, model};
use crate::parse::{Function, Module};
use crate::shapes::Shapes;
use crate::signature::{self, Argument};
use crate::source::{Expected, Reading, Script};
use syncano_syntax::Packages;

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
    pub(crate) config: Map,
    pub(crate) metadata: Map,
    pub(crate) classes: Vec<ClassDependency>,
    pub(crate) calls: Vec<ValidatedCall>,
    pub(crate) stubs: Vec<Stub>,
}

/// A call that obeys every rule.
pub(crate) struct ValidatedCall {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) ident: Ident,
    pub(crate) endpoint: String,
    pub(crate) script: Brought,
    pub(crate) config: Option<Map>,
    pub(crate) call: Call,
    pub(crate) metadata: Map,
    pub(crate) acl: Map,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) output: ReturnType,
    pub(crate) error: Option<Type>,
}

/// What a call adds to the socket's scripts.
pub(crate) enum Brought {
    New {
        runtime: Runtime,
        script: Script,
    },
    Existing(i64),
    /// The script is there already: another function's, or a script endpoint on the server.
    Nothing,
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
pub(crate) struct Draft {
    pub(crate) function: Function,
    pub(crate) options: Option<EndpointOptions>,
    pub(crate) script: Option<Script>,
    pub(crate) runtime: Option<Runtime>,
    /// What was read of the script, if it could be.
    reading: Option<Reading>,
    arguments: Vec<Argument>,
    warnings: Vec<Warning>,
    broken: bool,
    /// The method can't be emitted: another one has its name.
    pub(crate) clashes: bool,
}

/// Checks a module, reports every mistake, and returns what is left.
pub(crate) fn validate(options: SocketOptions, module: Module, errors: &mut Errors) -> ValidatedSocket {
    let name = match &options.name {
        Some(literal) => literal.value(),
        None => module.ident.unraw().to_string(),
    };
    options.check(errors);
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
        errors.about(place.endpoint(&violation.path).map(Subject::Endpoint));
        if let Some(index) = place.report(&violation, errors) {
            drafts[index].broken = true;
        }
        errors.about(None);
    }

    endpoint_keys(&drafts, errors);
    for index in 0..drafts.len() {
        references(index, &mut drafts, errors);
    }
    for index in 0..drafts.len() {
        agreement(index, &mut drafts, &module.defined, &module.shapes, errors);
    }

    let mut valid = ValidatedSocket {
        config: options.config.as_ref().map(|object| object.map.clone()).unwrap_or_default(),
        metadata: options.metadata(),
        classes: options.classes().collect(),
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

/// Checks that the script which a call names without bringing it is where it says.
fn references(index: usize, drafts: &mut [Draft], errors: &mut Errors) {
    let before = errors.len();
    let owner = owner(index, drafts);
    errors.about(drafts[index].endpoint().map(|name| Subject::Endpoint(name.value())));
    match &drafts[index].script {
        Some(Script::Shared(literal)) if owner.is_none() => {
            let name = literal.value();
            let names: Vec<String> =
                drafts.iter().filter(|draft| draft.brings()).map(Draft::script_name).collect();
            let what = match closest(&name, names.iter().map(String::as_str)) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("write `script_endpoint = \"{name}\"` for one on the server"),
            };
            errors.at(literal.span(), format!("no function here brings a script `{name}`: {what}"));
        }
        Some(Script::Endpoint(literal)) if owner.is_some() => {
            let name = literal.value();
            errors.at(
                literal.span(),
                format!(
                    "`{name}` is a script of this socket, which comes first: write `script = \"{name}\"`"
                ),
            );
        }
        _ => {}
    }
    errors.about(None);
    drafts[index].broken |= errors.len() > before;
}

/// Checks a function against its script.
fn agreement(
    index: usize,
    drafts: &mut [Draft],
    defined: &HashSet<String>,
    shapes: &Shapes,
    errors: &mut Errors,
) {
    let Some(owner) = owner(index, drafts) else { return };
    let (draft, owned) = (&drafts[index], &drafts[owner]);
    let (Some(endpoint), Some(script), Some(reading)) = (draft.endpoint(), &owned.script, &owned.reading)
    else {
        return;
    };
    if draft.broken {
        return;
    }
    // Which of several it is, the configuration decides.
    if !draft.brings()
        && drafts.iter().filter(|other| other.brings() && other.is_called(&owned.script_name())).count() > 1
    {
        return;
    }
    let users = (0..drafts.len()).filter(|other| self::owner(*other, drafts) == Some(owner)).count();
    let before = errors.len();
    let pair = Pair {
        endpoint: &endpoint.value(),
        function: &draft.function.sig.ident,
        arguments: &draft.arguments,
        output: &draft.function.sig.output,
        defined,
        script,
        reading,
        error: draft.options.as_ref().and_then(|options| options.error.as_ref()),
        shapes,
        shared: users > 1,
    };
    let mut warnings = pair.check(errors);
    pair.answers(errors);
    drafts[index].warnings.append(&mut warnings);
    drafts[index].broken = errors.len() > before;
}

/// The function that brings the script of a call.
fn owner(index: usize, drafts: &[Draft]) -> Option<usize> {
    let draft = &drafts[index];
    if draft.brings() {
        return Some(index);
    }
    let name = draft.script_name();
    drafts.iter().position(|other| other.brings() && other.is_called(&name))
}

impl Draft {
    fn read(mut function: Function, socket: &SocketOptions, earlier: &[Draft], errors: &mut Errors) -> Draft {
        let before = errors.len();
        errors.about(Some(function.subject()));
        let mut options = function.endpoint.take().map(|attribute| EndpointOptions::parse(attribute, errors));
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

        let (mut script, mut runtime, mut reading, mut warnings) = (None, None, None, Vec::new());
        if let Some(options) = &mut options {
            options.check(errors);
            script = Script::of(options, errors);
            if script.as_ref().is_some_and(Script::is_new) {
                options.inherit(socket);
            }
            if let Some(script) = script.as_ref().filter(|script| script.is_new()) {
                runtime = script.runtime(options.runtime.as_ref(), socket.runtime.as_ref(), errors);
                if let (Some(runtime), Some(name)) = (runtime, &options.name) {
                    // A version that is none has been reported.
                    let expected = Expected {
                        python: socket.python.flatten().unwrap_or_default(),
                        node: socket.node.flatten().unwrap_or_default(),
                        packages: if options.has_environment() {
                            Packages::Others
                        } else {
                            Packages::Standard
                        },
                    };
                    reading = script.check(&name.value(), runtime, &expected, errors);
                    warnings = reading
                        .as_mut()
                        .map(|reading| std::mem::take(&mut reading.warnings))
                        .unwrap_or_default();
                }
            } else if options.has_no_script() && !options.unread {
                errors.over(
                    options.attribute.path(),
                    "the call has no script: write `source = \"…\"` or `file = \"…\"`",
                );
            }
        }
        errors.about(None);
        let broken = function.broken || errors.len() > before;
        Draft { function, options, script, runtime, reading, arguments, warnings, broken, clashes }
    }

    /// Whether the call adds a script to the socket.
    fn brings(&self) -> bool {
        matches!(self.script, Some(Script::Inline { .. } | Script::File { .. } | Script::Number { .. }))
    }

    fn is_called(&self, script: &str) -> bool {
        normalize(&self.script_name()) == normalize(script)
    }

    pub(crate) fn is_conditional(&self) -> bool {
        is_conditional(&self.function)
    }

    pub(crate) fn endpoint(&self) -> Option<&LitStr> {
        self.options.as_ref()?.name.as_ref()
    }

    pub(crate) fn methods(&self) -> Option<Methods> {
        self.options.as_ref()?.methods.methods()
    }

    /// The literal that names the script, if there is one.
    fn script_literal(&self) -> Option<&LitStr> {
        match &self.script {
            Some(Script::Shared(literal) | Script::Endpoint(literal)) => Some(literal),
            _ => self.options.as_ref()?.script_name.as_ref(),
        }
    }

    pub(crate) fn script_name(&self) -> String {
        match self.script_literal() {
            Some(literal) => literal.value(),
            None => self.function.sig.ident.unraw().to_string(),
        }
    }

    pub(crate) fn script_name_span(&self) -> Span {
        self.script_literal().map_or(self.function.sig.ident.span(), LitStr::span)
    }

    /// Adds the call, or what stands in for it; nothing if another method has its name.
    fn finish(self, valid: &mut ValidatedSocket) {
        let (endpoint, methods) = (self.endpoint().map(LitStr::value), self.methods());
        let script_name = normalize(&self.script_name());
        let Draft { function, options, script, runtime, arguments, warnings, broken, clashes, .. } = self;
        let Function { attrs, vis, sig, .. } = function;
        let Signature { ident, generics, inputs, output, .. } = sig;
        let brought = match (&script, runtime) {
            (Some(script), Some(runtime)) if script.is_new() => {
                Some(Brought::New { runtime, script: script.clone() })
            }
            (Some(Script::Number { number, .. }), _) => Some(Brought::Existing(*number)),
            (Some(Script::Shared(_) | Script::Endpoint(_)), _) => Some(Brought::Nothing),
            _ => None,
        };
        let error = options.as_ref().and_then(|options| options.error.clone());
        match (options, endpoint, methods, brought) {
            (Some(options), Some(endpoint), Some(methods), Some(brought)) if !broken => {
                let mut metadata = options.metadata();
                docs::describe(&mut metadata, &attrs, &methods);
                valid.calls.push(ValidatedCall {
                    attrs,
                    vis,
                    ident,
                    endpoint: normalize(&endpoint),
                    script: brought,
                    config: options.config(),
                    call: options.call(script_name, methods),
                    metadata,
                    acl: options.acl.map(|object| object.map).unwrap_or_default(),
                    arguments,
                    warnings,
                    output,
                    error,
                });
            }
            _ if clashes => {}
            _ => {
                let inputs = inputs.into_iter().filter_map(|input| match input {
                    FnArg::Typed(typed) => Some(*typed.ty),
                    FnArg::Receiver(_) => None,
                });
                let inputs: Vec<Type> = inputs.collect();
                let (output, error) = signature::without_result(output, error);
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
