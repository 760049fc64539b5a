//! [`Table`] on DynamoDB, through the AWS SDK.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnValuesOnConditionCheckFailure};

use crate::codec::VERSION;
use crate::definitions::{MANAGED_BY, SEED};
use crate::keys::{Key, KeyRange, Order, PK, SK};
use crate::table::{
    Condition, Delete, Deleted, Item, LAYOUT, Operation, Page, PagedQuery, Put, REVISION, Read, TICK, Table,
    TableError,
};

/// The maximum number of keys in one `BatchGetItem` request.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>
const MAX_KEYS: usize = 100;
/// The maximum number of requests for one batch. DynamoDB leaves keys unprocessed if the response exceeds 16 MB or the
/// table is throttled.
const MAX_BATCH_REQUESTS: u32 = 5;

/// DynamoDB left keys of a batch unprocessed in every response.
#[derive(Debug, thiserror::Error)]
#[error("{keys} items were unprocessed after {MAX_BATCH_REQUESTS} requests")]
struct Unprocessed {
    keys: usize,
}

/// A DynamoDB table.
#[derive(Debug, Clone)]
pub struct DynamoTable {
    client: Client,
    name: String,
}

impl DynamoTable {
    /// The table `name`.
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

    async fn get_many(&self, keys: &[Key], read: Read) -> Result<Vec<Item>, TableError> {
        let mut items = Vec::new();
        for keys in keys.chunks(MAX_KEYS) {
            self.get_batch(keys, read, &mut items).await?;
        }
        Ok(items)
    }

    async fn put(&self, item: Item, condition: Condition) -> Result<Put, TableError> {
        let text = |name| item.get(name).and_then(|value| value.as_s().ok());
        let at = key(
            text(PK).map_or("", String::as_str),
            text(SK).map_or("", String::as_str),
        );
        let clause = Clause::of(condition);
        let request = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(item))
            .set_condition_expression(clause.expression)
            .set_expression_attribute_names(clause.names)
            .set_expression_attribute_values(clause.values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
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

impl DynamoTable {
    /// Gets at most [`MAX_KEYS`] items, and requests unprocessed keys again.
    async fn get_batch(&self, keys: &[Key], read: Read, items: &mut Vec<Item>) -> Result<(), TableError> {
        let at = || keys.first().map(ToString::to_string).unwrap_or_default();
        let wanted = keys.iter().map(|key| {
            let (pk, sk) = (key.pk.clone(), key.sk.clone());
            HashMap::from([
                (PK.to_owned(), AttributeValue::S(pk)),
                (SK.to_owned(), AttributeValue::S(sk)),
            ])
        });
        let mut remaining: Vec<Item> = wanted.collect();
        for _ in 0..MAX_BATCH_REQUESTS {
            if remaining.is_empty() {
                return Ok(());
            }
            let wanted = KeysAndAttributes::builder()
                .set_keys(Some(remaining))
                .consistent_read(read == Read::Strong)
                .build()
                .map_err(|error| failed(Operation::GetMany, at(), error))?;
            let request = self.client.batch_get_item().request_items(&self.name, wanted);
            let answer = Box::pin(request.send())
                .await
                .map_err(|error| failed(Operation::GetMany, at(), error))?;
            let found = answer.responses.unwrap_or_default().into_values();
            items.extend(found.flatten());
            let unprocessed = answer.unprocessed_keys.unwrap_or_default().into_values();
            remaining = unprocessed.flat_map(|wanted| wanted.keys).collect();
        }
        if remaining.is_empty() {
            return Ok(());
        }
        Err(failed(
            Operation::GetMany,
            at(),
            Unprocessed {
                keys: remaining.len(),
            },
        ))
    }
}

impl PagedQuery for DynamoTable {
    async fn page(&self, key_range: &KeyRange, limit: u32) -> Result<Page, TableError> {
        let at = || key(&key_range.pk, &key_range.from);
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let after = key_range
            .after
            .as_deref()
            .map(|sk| HashMap::from([(PK.to_owned(), text(&key_range.pk)), (SK.to_owned(), text(sk))]));
        let request = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :from AND :to")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":pk", text(&key_range.pk))
            .expression_attribute_values(":from", text(&key_range.from))
            .expression_attribute_values(":to", text(&key_range.to))
            .scan_index_forward(key_range.order == Order::Ascending)
            .limit(i32::try_from(limit.max(1)).unwrap_or(i32::MAX))
            .set_exclusive_start_key(after);
        let page = Box::pin(request.send())
            .await
            .map_err(|error| failed(Operation::Query, at(), error))?;
        let last = page.last_evaluated_key.as_ref().and_then(|last| last.get(SK));
        let rest = last.and_then(|sk| sk.as_s().ok()).map(|sk| KeyRange {
            after: Some(sk.clone()),
            ..key_range.clone()
        });
        Ok(Page {
            items: page.items.unwrap_or_default(),
            rest,
        })
    }
}

impl Delete for DynamoTable {
    async fn delete(&self, pk: &str, sk: &str, condition: Condition) -> Result<Deleted, TableError> {
        let clause = Clause::of(condition);
        let request = self
            .client
            .delete_item()
            .table_name(&self.name)
            .key(PK, AttributeValue::S(pk.to_owned()))
            .key(SK, AttributeValue::S(sk.to_owned()))
            .set_condition_expression(clause.expression)
            .set_expression_attribute_names(clause.names)
            .set_expression_attribute_values(clause.values);
        match Box::pin(request.send()).await {
            Ok(_) => Ok(Deleted::Done),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(Deleted::Refused),
                Some(_) | None => Err(failed(Operation::Delete, key(pk, sk), error)),
            },
        }
    }
}

/// A [`Condition`] as a DynamoDB expression. Empty parts are `None`, because DynamoDB refuses empty ones.
#[derive(Default)]
struct Clause {
    expression: Option<String>,
    names: Option<HashMap<String, String>>,
    values: Option<HashMap<String, AttributeValue>>,
}

impl Clause {
    fn of(condition: Condition) -> Self {
        let layout = (":v", AttributeValue::N(VERSION.to_string()));
        match condition {
            Condition::Always => Self::default(),
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
            Condition::Before(revision) => {
                let revision = (":revision", AttributeValue::N(revision.to_string()));
                let names = [("#pk", PK), ("#v", LAYOUT), ("#revision", REVISION)];
                let expression = "attribute_not_exists(#pk) OR (#v = :v AND #revision < :revision)";
                Self::new(expression, &names, [layout, revision])
            }
        }
    }

    fn new<const N: usize>(
        expression: &str,
        names: &[(&str, &str)],
        values: [(&str, AttributeValue); N],
    ) -> Self {
        let names = names
            .iter()
            .map(|(name, of)| ((*name).to_owned(), (*of).to_owned()));
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value));
        Self {
            expression: Some(expression.to_owned()),
            names: Some(names.collect()),
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
