//! The table in DynamoDB, through the AWS SDK.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};

use crate::codec::VERSION;
use crate::definitions::{MANAGED_BY, SEED};
use crate::keys::{Key, PK, SK};
use crate::table::{
    Condition, Delete, Deleted, Item, LAYOUT, Operation, Put, REVISION, Read, TICK, Table, TableError,
};

/// A table in DynamoDB.
#[derive(Debug, Clone)]
pub struct DynamoTable {
    client: Client,
    name: String,
}

impl DynamoTable {
    /// The table called `name`.
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self {
            client,
            name: name.into(),
        }
    }
}

impl Table for DynamoTable {
    async fn query(&self, pk: &str, read: Read) -> Result<Vec<Item>, TableError> {
        let (mut items, mut from) = (Vec::new(), None);
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.name)
                .key_condition_expression("#pk = :pk")
                .expression_attribute_names("#pk", PK)
                .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
                .consistent_read(read == Read::Strong)
                .set_exclusive_start_key(from)
                .send();
            let page = Box::pin(page)
                .await
                .map_err(|error| failed(Operation::Query, pk.to_owned(), error))?;
            items.extend(page.items.unwrap_or_default());
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(items);
            }
        }
    }

    async fn get(&self, pk: &str, sk: &str, read: Read) -> Result<Option<Item>, TableError> {
        let request = self
            .client
            .get_item()
            .table_name(&self.name)
            .key(PK, AttributeValue::S(pk.to_owned()))
            .key(SK, AttributeValue::S(sk.to_owned()))
            .consistent_read(read == Read::Strong)
            .send();
        match Box::pin(request).await {
            Ok(output) => Ok(output.item),
            Err(error) => Err(failed(Operation::Get, key(pk, sk), error)),
        }
    }

    async fn put(&self, item: Item, condition: Condition) -> Result<Put, TableError> {
        let text = |name| item.get(name).and_then(|value| value.as_s().ok());
        let at = key(
            text(PK).map_or("", String::as_str),
            text(SK).map_or("", String::as_str),
        );
        let request = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(item))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let request = match Clause::of(condition) {
            None => request,
            Some(clause) => request
                .condition_expression(clause.expression)
                .set_expression_attribute_names(Some(clause.names))
                .set_expression_attribute_values(clause.values),
        };
        match Box::pin(request.send()).await {
            Ok(_) => Ok(Put::Done),
            Err(error) => {
                if let Some(PutItemError::ConditionalCheckFailedException(refused)) = error.as_service_error()
                {
                    let current = refused.item.clone();
                    return Ok(Put::Refused { current });
                }
                Err(failed(Operation::Put, at, error))
            }
        }
    }
}

impl Delete for DynamoTable {
    async fn delete(&self, pk: &str, sk: &str, condition: Condition) -> Result<Deleted, TableError> {
        let request = self
            .client
            .delete_item()
            .table_name(&self.name)
            .key(PK, AttributeValue::S(pk.to_owned()))
            .key(SK, AttributeValue::S(sk.to_owned()));
        let request = match Clause::of(condition) {
            None => request,
            Some(clause) => request
                .condition_expression(clause.expression)
                .set_expression_attribute_names(Some(clause.names))
                .set_expression_attribute_values(clause.values),
        };
        match Box::pin(request.send()).await {
            Ok(_) => Ok(Deleted::Done),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(Deleted::Refused),
                Some(_) | None => Err(failed(Operation::Delete, key(pk, sk), error)),
            },
        }
    }
}

/// A condition in DynamoDB's words.
struct Clause {
    expression: &'static str,
    names: HashMap<String, String>,
    /// `None` instead of none, which DynamoDB refuses.
    values: Option<HashMap<String, AttributeValue>>,
}

impl Clause {
    /// `None` where nothing is asked.
    fn of(condition: Condition) -> Option<Self> {
        let layout = (":v", AttributeValue::N(VERSION.to_string()));
        Some(match condition {
            Condition::Always => return None,
            Condition::Absent | Condition::Revision(0) => {
                Self::new("attribute_not_exists(#pk)", &[("#pk", PK)], [])
            }
            Condition::Seeded => {
                let seed = (":seed", AttributeValue::S(SEED.to_owned()));
                Self::new("#by = :seed", &[("#by", MANAGED_BY)], [seed])
            }
            Condition::Tick(tick) => {
                let tick = (":tick", AttributeValue::S(tick.to_string()));
                let names = [("#v", LAYOUT), ("#tick", TICK)];
                Self::new("#v = :v AND #tick = :tick", &names, [layout, tick])
            }
            Condition::Revision(revision) => {
                let revision = (":revision", AttributeValue::N(revision.to_string()));
                let names = [("#v", LAYOUT), ("#revision", REVISION)];
                Self::new("#v = :v AND #revision = :revision", &names, [layout, revision])
            }
        })
    }

    fn new<const N: usize>(
        expression: &'static str,
        names: &[(&str, &str)],
        values: [(&str, AttributeValue); N],
    ) -> Self {
        let names = names
            .iter()
            .map(|(name, of)| ((*name).to_owned(), (*of).to_owned()));
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value));
        Self {
            expression,
            names: names.collect(),
            values: (N > 0).then(|| values.collect()),
        }
    }
}

fn key(pk: &str, sk: &str) -> String {
    let (pk, sk) = (pk.to_owned(), sk.to_owned());
    Key { pk, sk }.to_string()
}

fn failed(
    operation: Operation,
    key: String,
    error: impl std::error::Error + Send + Sync + 'static,
) -> TableError {
    TableError {
        operation,
        key,
        source: Box::new(error),
    }
}
