//! Queries about the fields of classes that sockets need.

use std::collections::BTreeSet;

use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ExprTrait, QueryFilter};

use super::entity::class_field::{ActiveModel, Column, Entity, Model};

/// A field of a class, both by their names in normal form.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ClassField {
    pub(crate) class: String,
    pub(crate) field: String,
    pub(crate) field_type: String,
}

/// Those of these fields that another socket needs with another type, and that type.
pub(crate) async fn conflicts(
    db: &impl ConnectionTrait,
    instance: i64,
    socket: i64,
    fields: &[ClassField],
) -> Result<Vec<(ClassField, String)>, DbErr> {
    let classes: BTreeSet<&str> = fields.iter().map(|field| field.class.as_str()).collect();
    if classes.is_empty() {
        return Ok(Vec::new());
    }
    let filter =
        Column::InstanceId.eq(instance).and(Column::SocketId.ne(socket)).and(Column::Class.is_in(classes));
    let there = Entity::find().filter(filter).all(db).await?;
    let other_type = |field: &ClassField| {
        let is_other = |row: &&Model| {
            row.class == field.class && row.field == field.field && row.field_type != field.field_type
        };
        Some((field.clone(), there.iter().find(is_other)?.field_type.clone()))
    };
    Ok(fields.iter().filter_map(other_type).collect())
}

/// Makes the socket need these fields and no others.
pub(crate) async fn need_only(
    db: &impl ConnectionTrait,
    instance: i64,
    socket: i64,
    fields: Vec<ClassField>,
) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::SocketId.eq(socket)).exec(db).await?;
    let rows = fields.into_iter().map(|field| ActiveModel {
        socket_id: Set(socket),
        class: Set(field.class),
        field: Set(field.field),
        instance_id: Set(instance),
        field_type: Set(field.field_type),
    });
    Entity::insert_many(rows).exec_without_returning(db).await.map(drop)
}
