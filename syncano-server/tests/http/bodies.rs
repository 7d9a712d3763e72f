//! How bodies may be written: JSON, forms, and JSON that is called text.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{INSTANCE, Reply, World, run, socket, sockets};

const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=XX";

async fn sent(request: RequestBuilder) -> Reply {
    Reply::of(request.send().await.unwrap()).await
}

/// A POST as npm's `syncano` 2 sends everything.
async fn text(world: &World, path: &str, body: Value) -> Reply {
    let request = world.request(Method::POST, path).header("content-type", "text/plain");
    sent(request.body(body.to_string())).await
}

fn part(head: &str, content: &[u8]) -> Vec<u8> {
    let mut part = format!("--XX\r\nContent-Disposition: form-data; {head}\r\n\r\n").into_bytes();
    part.extend_from_slice(content);
    part.extend_from_slice(b"\r\n");
    part
}

fn multipart(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body: Vec<u8> = parts.iter().flat_map(|(head, content)| part(head, content)).collect();
    body.extend_from_slice(b"--XX--\r\n");
    body
}

/// Answers with what it got.
async fn echo(world: &World) {
    world.publish(socket("echo", "echo", "import json\nprint(json.dumps(ARGS))")).await;
}

fn args(reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{reply:?}");
    serde_json::from_str(reply.json["result"]["stdout"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn a_form_is_a_body() {
    let world = World::new().await;
    let path = "/v1.1/instances/";
    let request = |body: &'static str| {
        let request =
            world.request(Method::POST, path).header("content-type", format!("{FORM}; charset=UTF-8"));
        sent(request.header("x-api-key", &world.key).body(body))
    };
    let reply = request("name=other&name=second-one&description=a+b%C3%A4&metadata=%7B%22a%22%3A1%7D").await;
    assert_eq!((reply.status.as_u16(), &reply.json["name"]), (201, &json!("second-one")));
    assert_eq!((&reply.json["description"], &reply.json["metadata"]), (&json!("a bä"), &json!({ "a": 1 })));
    assert!(request("name=third-one&metadata=%7B").await.field("metadata").contains("not JSON"));
    let key = &world.key;
    let keys = format!("{path}{INSTANCE}/api_keys/");
    let form = |body: String| world.request(Method::POST, &keys).header("content-type", FORM).body(body);
    let body = "ignore_acl=1&allow_user_create=false&description=app";
    let made = sent(form(body.to_owned()).header("x-api-key", key)).await;
    assert_eq!((made.status.as_u16(), &made.json["ignore_acl"]), (201, &json!(true)));
    assert_eq!((&made.json["allow_user_create"], &made.json["description"]), (&json!(false), &json!("app")));
    // A key inside is a field like any other.
    sent(form(format!("_api_key={key}&{body}"))).await.detail(403);
}

#[tokio::test]
async fn a_socket_may_come_as_a_form() {
    let world = World::new().await;
    let definition = socket("s", "e", "print(1)");
    let endpoints = definition["endpoints"].to_string();
    let dependencies = definition["dependencies"].to_string();
    let parts: Vec<(&str, &[u8])> = vec![
        ("name=\"name\"", b"s"),
        ("name=\"endpoints\"", endpoints.as_bytes()),
        ("name=\"dependencies\"; filename=\"d.json\"", dependencies.as_bytes()),
    ];
    let request = world.request(Method::POST, &sockets()).header("content-type", MULTIPART);
    let made = sent(request.header("x-api-key", &world.key).body(multipart(&parts))).await;
    assert_eq!((made.status.as_u16(), &made.json["status"]), (201, &json!("ok")), "{made:?}");
    let update = world.request(Method::PATCH, made.json["links"]["self"].as_str().unwrap());
    let update = update.header("content-type", FORM).header("x-api-key", &world.key);
    let updated = sent(update.body("description=second&expected_revision=1")).await;
    assert_eq!((updated.status.as_u16(), &updated.json["revision"]), (200, &json!(2)));
    // A key inside is a field like any other.
    let key = world.key.clone();
    let body = multipart(&[("name=\"_api_key\"", key.as_bytes()), ("name=\"name\"", b"second-one")]);
    let request = world.request(Method::POST, "/v1.1/instances/").header("content-type", MULTIPART);
    sent(request.body(body)).await.detail(403);
}

#[tokio::test]
async fn a_script_gets_a_form_as_its_fields() {
    if !super::python() {
        return;
    }
    let world = World::new().await;
    echo(&world).await;
    let post = |kind: &'static str, body: Vec<u8>| {
        sent(world.request(Method::POST, &run("echo/?q=1")).header("content-type", kind).body(body))
    };
    let reply = post(FORM, b"a=1&a=2&b=%C3%A4&_api_key=k&_method=GET".to_vec()).await;
    let fields = json!({ "a": ["1", "2"], "b": "ä", "_api_key": "k", "_method": "GET" });
    let mut all = fields.clone();
    (all["q"], all["POST"], all["GET"]) = (json!("1"), fields, json!({ "q": "1" }));
    assert_eq!(args(&reply), all);

    let body = multipart(&[
        ("name=\"a\"", b"1"),
        ("name=\"a\"", "ä\r\nb".as_bytes()),
        ("name=\"file\"; filename=\"x.txt\"\r\nContent-Type: text/csv", b"1,2"),
        ("name=\"empty\"", b""),
        ("name=\"_user_key\"", b"u"),
    ]);
    let fields = json!({ "a": ["1", "ä\r\nb"], "file": "1,2", "empty": "", "_user_key": "u" });
    assert_eq!(args(&post(MULTIPART, body).await)["POST"], fields);

    let binary = multipart(&[("name=\"pic\"; filename=\"x.png\"", b"\x89PNG\xff")]);
    assert!(post(MULTIPART, binary).await.field("pic").contains("base64"));
    assert!(post(MULTIPART, multipart(&[("filename=\"x\"", b"1")])).await.detail(400).contains("no name"));
    assert!(post(MULTIPART, b"--XX\r\n".to_vec()).await.detail(400).contains("no form"));
    assert_eq!(args(&post(MULTIPART, multipart(&[])).await)["POST"], json!({}));
    // Empty is nothing, whatever it is called.
    for kind in [FORM, MULTIPART, "application/xml", "text/plain"] {
        assert_eq!(args(&post(kind, Vec::new()).await), json!({ "q": "1", "POST": {}, "GET": { "q": "1" } }));
    }
}

#[tokio::test]
async fn nothing_that_a_form_repeats_is_dropped() {
    if !super::python() {
        return;
    }
    let world = World::new().await;
    let mut echo = socket("echo", "echo", "def main(**all): return [all, ARGS, ARGS['POST']]");
    world.publish(echo.clone()).await;
    let post = |socket: &str, kind: &'static str, body: Vec<u8>| {
        let path = run(&format!("{socket}/"));
        sent(world.request(Method::POST, &path).header("content-type", kind).body(body))
    };
    let parts =
        [("name=\"a\"", &b"1"[..]), ("name=\"b\"", b"2"), ("name=\"a\"", b""), ("name=\"a\"", b"[3]")];
    let all = json!({ "a": ["1", "", "[3]"], "b": "2" });
    for (kind, body) in [(FORM, b"a=1&b=2&a=&a=[3]".to_vec()), (MULTIPART, multipart(&parts))] {
        let reply = post("echo", kind, body).await;
        assert_eq!((&reply.json[0], &reply.json[2]), (&all, &all), "{reply:?}");
        assert_eq!(reply.json[1]["a"], all["a"]);
    }
    // A schema that wants one value gets the last one, as from a query; `POST` still has all, and so has what it doesn't name.
    echo["name"] = json!("typed");
    let inputs = json!({ "properties": { "n": { "type": "integer" } } });
    let mut endpoint = echo["endpoints"]["echo"].take();
    endpoint["metadata"] = json!({ "*": { "inputs": inputs } });
    echo["endpoints"] = json!({ "typed": endpoint });
    echo["dependencies"][0]["name"] = json!("typed");
    echo["endpoints"]["typed"]["calls"][0]["name"] = json!("typed");
    world.publish(echo).await;
    let reply = post("typed", FORM, b"n=1&n=2&x=a&x=b".to_vec()).await;
    assert_eq!(reply.json[0], json!({ "n": 2, "x": ["a", "b"] }), "{reply:?}");
    assert_eq!(reply.json[2], json!({ "n": ["1", "2"], "x": ["a", "b"] }));
    // A key of ours is no script's business, wherever it stands.
    let body = format!("_api_key={}&_api_key=x", world.key);
    assert!(post("echo", FORM, body.into_bytes()).await.field("_api_key").contains("X-API-KEY"));
}

#[tokio::test]
async fn json_may_begin_with_a_byte_order_mark() {
    let world = World::new().await;
    let marked = |body: &str| format!("\u{feff}{body}");
    for (name, kind) in [("s", "application/json"), ("t", "text/plain")] {
        let mut definition = socket(name, name, "def main(**all): return [all, ARGS['POST']]");
        definition["_api_key"] = json!(world.key);
        let request = world.request(Method::POST, &sockets()).header("content-type", kind);
        let request = request.header("x-api-key", &world.key);
        let made = sent(request.body(marked(&definition.to_string()))).await;
        assert_eq!((made.status.as_u16(), &made.json["status"]), (201, &json!("ok")), "{made:?}");
        if !super::python() {
            continue;
        }
        let call = |body: String| {
            let request = world.request(Method::POST, &run(&format!("{name}/"))).header("content-type", kind);
            sent(request.body(body))
        };
        let reply = call(marked(r#"{"a": 1}"#)).await;
        assert_eq!(reply.json, json!([{ "a": 1 }, { "a": 1 }]), "{reply:?}");
        assert_eq!(call(marked("")).await.json, json!([{}, {}]));
        assert!(call(marked("{")).await.detail(400).contains("is not JSON"));
    }
}

#[tokio::test]
async fn of_a_key_that_is_there_twice_the_last_value_counts() {
    let world = World::new().await;
    let body = r#"{"name": "first-one", "name": "second-one"}"#;
    let request = world.request(Method::POST, "/v1.1/instances/").header("x-api-key", &world.key);
    let made = sent(request.header("content-type", "application/json").body(body)).await;
    assert_eq!(made.json["name"], "second-one");
    let body = format!(r#"{{"_api_key": "x", "_api_key": "{}", "first_name": "Ada"}}"#, world.key);
    let request = |kind: &'static str| {
        world.request(Method::PATCH, "/v1.1/account/").header("content-type", kind).body(body.clone())
    };
    assert_eq!(sent(request("text/plain")).await.json["first_name"], "Ada");
    sent(request("application/json")).await.detail(403);
}

#[tokio::test]
async fn text_may_hold_the_method_and_the_key() {
    let world = World::new().await;
    let key = &world.key;
    let with = |method: &str, mut fields: Value| {
        fields["_api_key"] = json!(key);
        fields["_method"] = json!(method);
        fields["instanceName"] = json!("test-one");
        fields
    };
    let list = text(&world, "/v2/instances/", with("GET", json!({}))).await;
    assert_eq!(list.json, world.get("/v1.1/instances/").await.json);
    let made = text(&world, &sockets(), with("POST", socket("s", "e", "print(1)"))).await;
    assert_eq!(made.status, 201);
    let path = format!("{}s/", sockets());
    let changed = text(&world, &path, with("patch", json!({ "description": "d" }))).await;
    assert_eq!((changed.status.as_u16(), &changed.json["description"]), (200, &json!("d")));
    assert_eq!(text(&world, &path, with("GET", json!({}))).await.json, changed.json);
    // Without the field it is what it is.
    assert_eq!(text(&world, &path, json!({ "_api_key": key })).await.detail(405), "POST is not allowed here");
    assert_eq!(text(&world, &path, with("DELETE", json!({}))).await.status, 204);
    world.get(&path).await.detail(404);

    for (method, shown) in [(json!("BREW"), "`BREW`"), (json!(5), "`5`"), (json!("OPTIONS"), "`OPTIONS`")] {
        let reply = text(&world, &path, json!({ "_api_key": key, "_method": method })).await;
        let said = reply.detail(400);
        assert!(said.contains(shown) && said.contains("PATCH"), "{said}");
    }
    for (body, status) in [
        (json!({ "_method": "GET" }), 403),
        (json!({ "_method": "GET", "_api_key": "x" }), 403),
        (json!({ "_method": "GET", "_api_key": 5 }), 403),
    ] {
        text(&world, &sockets(), body).await.detail(status);
    }
    // A key in the header comes first.
    let request = world.request(Method::POST, &sockets()).header("content-type", "text/plain;charset=UTF-8");
    sent(request.header("x-api-key", "x").body(with("GET", json!({})).to_string())).await.detail(403);
    // Only what is called text is taken for another method.
    let request = world.request(Method::POST, &path).header("content-type", "application/json");
    sent(request.body(with("GET", json!({})).to_string())).await.detail(405);
    let login = json!({ "_method": "POST", "email": "x@y.z", "password": "p" });
    text(&world, "/v2/account/auth/", login).await.detail(401);
}

#[tokio::test]
async fn a_script_never_sees_what_is_about_the_transport() {
    if !super::python() {
        return;
    }
    let world = World::new().await;
    echo(&world).await;
    world.publish(socket("method", "method", "print(META['request']['REQUEST_METHOD'])")).await;
    let own = json!({ "_api_key": world.key, "_user_key": "u", "instanceName": "x", "kept": { "a": [1] } });
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        let mut body = own.clone();
        body["_method"] = json!(method);
        let reply = text(&world, &run("echo/?q=1&user_key=x"), body.clone()).await;
        let query = json!({ "q": "1", "user_key": "x" });
        assert_eq!(
            args(&reply),
            json!({ "kept": { "a": [1] }, "q": "1", "user_key": "x", "POST": { "kept": { "a": [1] } }, "GET": query })
        );
        let reply = text(&world, &run("method/"), body).await;
        assert_eq!(reply.json["result"]["stdout"], method);
    }
    // In JSON these names are arguments like any other, and a text of somebody else has no instance.
    let own = json!({
        "instanceName": "x", "_api_key": "k", "api_key": "k", "apikey": "k", "_user_key": "u", "_method": "GET",
        "cache_key": "c", "__skip_cache": 1,
    });
    let reply = world.run(Method::POST, "echo/", Some(own.clone())).await;
    assert_eq!(args(&reply)["POST"], own);
    let own = json!({ "instanceName": "x", "api_key": "k", "apikey": "k", "cache_key": "c" });
    let reply = text(&world, &run("echo/"), own.clone()).await;
    assert_eq!(args(&reply)["POST"], own);
    // A key of ours is no credential there, and no script's business.
    let reply = world.run(Method::POST, "echo/", Some(json!({ "_api_key": world.key }))).await;
    assert!(reply.field("_api_key").contains("send it in the header X-API-KEY"), "{reply:?}");
    // A list, and what is no object, have no method inside.
    let reply =
        sent(world.request(Method::POST, &run("echo/")).header("content-type", "text/plain").body("[1]"))
            .await;
    assert_eq!(args(&reply)["POST"], json!([1]));
}

#[tokio::test]
async fn a_large_definition_needs_a_key_and_may_have_it_inside_a_text() {
    let world = World::new().await;
    let source = format!("print(1)#{}", "x".repeat(3 * 1024 * 1024 - 9));
    let mut body = socket("s", "e", &source);
    body["_api_key"] = json!(world.key);
    let made = text(&world, &sockets(), body.clone()).await;
    assert_eq!((made.status.as_u16(), &made.json["status"]), (201, &json!("ok")));

    // Elsewhere a key inside is read for only so long.
    let request = world.request(Method::POST, &sockets()).json(&body);
    let reply = sent(request).await;
    assert!(reply.detail(413).contains("1048576") && reply.detail(413).contains("16777216"), "{reply:?}");
    for key in [Value::Null, json!("0123456789012345678901234567890123456780")] {
        body["_api_key"] = key;
        let status = text(&world, &sockets(), body.clone()).await.status.as_u16();
        assert!(matches!(status, 403 | 413), "{status}");
    }
    let huge = json!({ "_api_key": world.key, "x": "x".repeat(16 * 1024 * 1024) });
    assert!(text(&world, &sockets(), huge).await.detail(413).contains("16777216"));
    // A run is a run.
    let run_body = json!({ "_api_key": world.key, "x": "x".repeat(512 * 1024) });
    assert!(text(&world, &run("e/"), run_body).await.detail(413).contains("524288"));
}

#[tokio::test]
async fn large_bodies_without_a_key_wait_for_each_other() {
    let world = World::new().await;
    let body = json!({ "_api_key": world.key, "_method": "GET", "x": "x".repeat(2 * 1024 * 1024) });
    let path = sockets();
    for reply in super::publish::join_all((0..12).map(|_| text(&world, &path, body.clone()))).await {
        assert_eq!(reply.status, 200);
    }
}

#[tokio::test]
async fn errors_quote_what_was_sent_once() {
    let world = World::new().await;
    let reply = world.post("/v1.1/instances/", json!({ "name": "it's \"x\" \\ y" })).await;
    assert_eq!(
        reply.field("name"),
        "the name `it's \"x\" \\ y` can't be used: it contains `'`: use letters, digits, `-`"
    );
    let reply = world.get(&format!("{}it's%22/", sockets())).await;
    assert_eq!(reply.detail(404), "there is no socket named `it's\"`");
}
