//! Lists in pages: `page_size`, `ordering`, and a cursor made of `direction` and `last_pk`.

use std::str::FromStr;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select, Value,
};
use serde::Serialize;
use serde_json::json;
use syncano_core::closest;

use crate::errors::{ApiError, quoted};
use crate::request::Query;

/// Objects of a page, unless the request asks for fewer.
const LARGEST: usize = 100;

/// Keys of a query that every list knows.
const KEYS: [&str; 6] = ["page_size", "ordering", "direction", "last_pk", "fields", "excluded_fields"];
/// Keys that say how a request travels, as clients of 2016 put them into any query.
const TRANSPORT: [&str; 12] = [
    "api_key",
    "apikey",
    "_api_key",
    "user_key",
    "userkey",
    "_user_key",
    "_method",
    "instanceName",
    "__skip_cache",
    "cache_key",
    // A browser's library adds it so that no cache answers.
    "_",
    "format",
];

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ordering {
    Ascending,
    Descending,
}

/// Which part of a list a request asks for. `K` is what the list is ordered by.
#[derive(Debug)]
pub(crate) struct Page<K> {
    size: usize,
    ordering: Ordering,
    /// Towards the start of the list.
    backward: bool,
    last: Option<K>,
    /// What `next` and `prev` repeat: what the request said itself.
    kept: Vec<(&'static str, String)>,
}

impl<K: FromStr + ToString + PartialOrd> Page<K> {
    /// Reads the request's query, for a list without filters.
    pub(crate) fn from_query(query: &Query, default: Ordering) -> Result<Page<K>, ApiError> {
        Page::with_filters(query, default, &[])
    }

    /// Reads the request's query, for a list that knows these filters.
    pub(crate) fn with_filters(
        query: &Query,
        default: Ordering,
        filters: &[&'static str],
    ) -> Result<Page<K>, ApiError> {
        refuse_unknown(query, filters)?;
        let mut kept = Vec::new();
        let size = match query.last("page_size") {
            None => LARGEST,
            Some(text) => {
                let size = text.parse::<usize>().ok().filter(|size| *size > 0).ok_or_else(|| {
                    ApiError::bad_request(format!("page_size: `{text}` is no whole number above 0"))
                })?;
                kept.push(("page_size", text.to_owned()));
                size.min(LARGEST)
            }
        };
        let ordering = match query.last("ordering") {
            None => default,
            Some(text) => {
                kept.push(("ordering", text.to_owned()));
                match text {
                    "asc" => Ordering::Ascending,
                    "desc" => Ordering::Descending,
                    _ => {
                        return Err(ApiError::bad_request(format!(
                            "ordering: `{text}` is neither asc nor desc"
                        )));
                    }
                }
            }
        };
        let backward = match query.last("direction") {
            None | Some("1") => false,
            Some("0") => true,
            Some(text) => {
                return Err(ApiError::bad_request(format!(
                    "direction: `{text}` is neither 1 (forward) nor 0 (backward)"
                )));
            }
        };
        let last = match query.last("last_pk") {
            None => None,
            Some(text) => Some(text.parse::<K>().map_err(|_| {
                ApiError::bad_request(format!("last_pk: `{text}` can't be a place in this list"))
            })?),
        };
        Ok(Page { size, ordering, backward, last, kept })
    }

    /// Whether keys must grow in the direction of reading.
    fn upward(&self) -> bool {
        (self.ordering == Ordering::Ascending) != self.backward
    }

    /// Reads the page from a table that is ordered by `column`.
    pub(crate) async fn read<E: EntityTrait>(
        &self,
        db: &impl ConnectionTrait,
        select: Select<E>,
        column: E::Column,
    ) -> Result<Vec<E::Model>, DbErr>
    where
        K: Clone + Into<Value>,
    {
        let select = match &self.last {
            None => select,
            Some(last) if self.upward() => select.filter(column.gt(last.clone())),
            Some(last) => select.filter(column.lt(last.clone())),
        };
        let select = if self.upward() { select.order_by_asc(column) } else { select.order_by_desc(column) };
        let limit = u64::try_from(self.size).unwrap_or(u64::MAX);
        let mut rows = select.limit(limit).all(db).await?;
        if self.backward {
            rows.reverse();
        }
        Ok(rows)
    }

    /// Cuts the page out of a list in memory.
    pub(crate) fn cut<T>(&self, mut items: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
        items.sort_by(|a, b| key(a).partial_cmp(&key(b)).unwrap_or(std::cmp::Ordering::Equal));
        if !self.upward() {
            items.reverse();
        }
        if let Some(last) = &self.last {
            items.retain(|item| if self.upward() { key(item) > *last } else { key(item) < *last });
        }
        items.truncate(self.size);
        if self.backward {
            items.reverse();
        }
        items
    }

    /// The list as it is answered; `path` is its own URL path.
    pub(crate) fn envelope<T, O>(
        &self,
        path: &str,
        items: &[T],
        key: impl Fn(&T) -> K,
        object: impl FnMut(&T) -> O,
    ) -> Envelope<O> {
        let full = items.len() == self.size;
        let came_from_elsewhere = self.last.is_some();
        let (more_after, more_before) =
            if self.backward { (came_from_elsewhere || full, full) } else { (full, came_from_elsewhere) };
        let link = |direction: u8, item: Option<&T>| {
            item.map(|item| {
                let mut query: Vec<String> =
                    self.kept.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
                query.push(format!("direction={direction}"));
                query.push(format!("last_pk={}", encoded(&key(item).to_string())));
                format!("{path}?{}", query.join("&"))
            })
        };
        Envelope {
            next: if more_after { link(1, items.last()) } else { None },
            prev: if more_before { link(0, items.first()) } else { None },
            objects: items.iter().map(object).collect(),
        }
    }
}

/// Refuses a key of a list's query that nothing reads: a filter that is ignored would pass for one that everything fits.
pub(crate) fn refuse_unknown(query: &Query, filters: &[&'static str]) -> Result<(), ApiError> {
    let known = || KEYS.into_iter().chain(filters.iter().copied());
    let is_known = |key: &str| known().any(|known| known == key) || TRANSPORT.contains(&key);
    let Some((key, _)) = query.pairs().find(|(key, _)| !is_known(key)) else { return Ok(()) };
    let meant = closest(key, known()).map(|meant| format!("did you mean `{meant}`? ")).unwrap_or_default();
    let known = known().map(|known| format!("`{known}`")).collect::<Vec<_>>().join(", ");
    Err(ApiError::bad_request(format!(
        "{}: this list has no such filter: {meant}it knows {known}",
        quoted(key)
    )))
}

/// A page, and where those beside it are.
#[derive(Serialize)]
pub(crate) struct Envelope<O> {
    pub(crate) next: Option<String>,
    pub(crate) prev: Option<String>,
    pub(crate) objects: Vec<O>,
}

/// A list that is answered whole.
pub(crate) fn whole(objects: Vec<serde_json::Value>) -> serde_json::Value {
    json!({ "next": null, "prev": null, "objects": objects })
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(query: &str) -> Page<i64> {
        Page::from_query(&Query::parse(query), Ordering::Ascending).unwrap()
    }

    fn cut(query: &str) -> (Vec<i64>, serde_json::Value) {
        let page = page(query);
        let items = page.cut((1..=5).collect(), |item| *item);
        let envelope = json!(page.envelope("/l/", &items, |item| *item, |item| *item));
        (items, envelope)
    }

    #[test]
    fn pages_follow_one_another_in_both_directions() {
        let (items, envelope) = cut("page_size=2");
        assert_eq!(items, [1, 2]);
        assert_eq!(envelope["next"], "/l/?page_size=2&direction=1&last_pk=2");
        assert_eq!(envelope["prev"], json!(null));

        let (items, envelope) = cut("page_size=2&direction=1&last_pk=4");
        assert_eq!(items, [5]);
        assert_eq!(envelope["next"], json!(null));
        assert_eq!(envelope["prev"], "/l/?page_size=2&direction=0&last_pk=5");

        let (items, envelope) = cut("page_size=2&direction=0&last_pk=5");
        assert_eq!(items, [3, 4]);
        assert_eq!(envelope["next"], "/l/?page_size=2&direction=1&last_pk=4");
        assert_eq!(envelope["prev"], "/l/?page_size=2&direction=0&last_pk=3");

        assert_eq!(cut("page_size=2&ordering=desc").0, [5, 4]);
        assert_eq!(cut("page_size=2&ordering=desc&direction=0&last_pk=2").0, [4, 3]);
    }

    #[test]
    fn nonsense_is_refused_and_large_pages_are_cut() {
        for bad in [
            "pagesize=1",
            "label__contains=a",
            "page_size=0",
            "page_size=-1",
            "page_size=x",
            "direction=2",
            "ordering=up",
            "last_pk=a",
        ] {
            assert!(Page::<i64>::from_query(&Query::parse(bad), Ordering::Ascending).is_err(), "{bad}");
        }
        assert_eq!(page("page_size=500").size, 100);
    }
}
