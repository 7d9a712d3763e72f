//! Lists, which the server gives page by page.

use std::fmt;
use std::future::{Future, IntoFuture};

use std::pin::Pin;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::Value;
use syncano_core::route::segment;

use crate::{Client, Error};

/// A list. Nothing is sent before it is asked for.
///
/// `.await` reads all of it; [`next_page`](Pages::next_page) reads it page by page.
///
/// ```no_run
/// # async fn run(instance: syncano_client::Instance) -> Result<(), syncano_client::Error> {
/// for script in instance.scripts().await? {
///     println!("{} {}", script.id(), script.label());
/// }
///
/// let mut sockets = instance.sockets().page_size(10);
/// while let Some(page) = sockets.next_page().await? {
///     println!("{} sockets more", page.len());
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a list is read only when it is awaited"]
pub struct Pages<T> {
    client: Client,
    path: String,
    place: Place,
    read: Read<T>,
}

type Read<T> = Box<dyn Fn(Value) -> Result<T, serde_json::Error> + Send + Sync>;

enum Place {
    /// Nothing was read; the query of the first page.
    Start(Vec<String>),
    /// The path and query of the next page.
    Next(String),
    End,
}

#[derive(Deserialize)]
struct Page {
    next: Option<String>,
    objects: Vec<Value>,
}

impl<T> Pages<T> {
    /// The list at `path`; `make` makes an item of what the server answers.
    pub(crate) fn new<D: DeserializeOwned>(
        client: &Client,
        path: String,
        make: impl Fn(D) -> T + Send + Sync + 'static,
    ) -> Pages<T> {
        let read = move |object| serde_json::from_value(object).map(&make);
        Pages { client: client.clone(), path, place: Place::Start(Vec::new()), read: Box::new(read) }
    }

    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        if let Place::Start(query) = &mut self.place {
            query.push(format!("{key}={}", segment(value)));
        }
        self
    }

    /// Reads so many items at once: at most 100, which is what is read otherwise. Has no effect once reading has begun.
    pub fn page_size(self, items: u32) -> Self {
        self.with("page_size", &items.to_string())
    }

    /// The oldest first, as all lists but those of traces are. Has no effect once reading has begun.
    pub fn oldest_first(self) -> Self {
        self.with("ordering", "asc")
    }

    /// The newest first, as lists of traces are. Has no effect once reading has begun.
    pub fn newest_first(self) -> Self {
        self.with("ordering", "desc")
    }

    /// The next page; `None` after the last one. No page is empty.
    ///
    /// # Errors
    /// When the server is not reached, refuses the key, or there is no such list. The same page is read again by the next
    /// call.
    pub async fn next_page(&mut self) -> Result<Option<Vec<T>>, Error> {
        let url = match &self.place {
            Place::Start(query) if query.is_empty() => self.path.clone(),
            Place::Start(query) => format!("{}?{}", self.path, query.join("&")),
            Place::Next(url) => url.clone(),
            Place::End => return Ok(None),
        };
        let Page { next, objects } = self.client.get(&url).await?;
        let place = match next {
            None => Place::End,
            // The key goes where the link leads: nowhere but to the list itself, and on.
            Some(next) if self.is_of_list(&next) && next != url => Place::Next(next),
            Some(next) => {
                let reason = "the link to the next page doesn't lead to one";
                return Err(unreadable(&url, serde_json::Error::custom(reason), &next));
            }
        };
        let mut items = Vec::with_capacity(objects.len());
        for object in objects {
            let text = object.to_string();
            items.push((self.read)(object).map_err(|source| unreadable(&url, source, &text))?);
        }
        // A page that came back full has a link, even if nothing comes after it.
        self.place = if items.is_empty() { Place::End } else { place };
        Ok(Some(items).filter(|items| !items.is_empty()))
    }

    fn is_of_list(&self, link: &str) -> bool {
        link.split_once('?').is_some_and(|(path, _)| path.eq_ignore_ascii_case(&self.path))
    }
}

fn unreadable(url: &str, source: serde_json::Error, body: &str) -> Error {
    Error::Decode { request: format!("GET {url}"), source, body: body.to_owned().into() }
}

impl<T: Send + 'static> IntoFuture for Pages<T> {
    type Output = Result<Vec<T>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(mut self) -> Self::IntoFuture {
        Box::pin(async move {
            let mut all = Vec::new();
            while let Some(page) = self.next_page().await? {
                all.extend(page);
            }
            Ok(all)
        })
    }
}

impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("path", &self.path).finish_non_exhaustive()
    }
}
