//! A meter of DynamoDB requests and of the capacity that they consume.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_dynamodb::config::interceptors::{
    BeforeSerializationInterceptorContextMut, FinalizerInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::batch_get_item::{BatchGetItemInput, BatchGetItemOutput};
use aws_sdk_dynamodb::operation::get_item::{GetItemInput, GetItemOutput};
use aws_sdk_dynamodb::operation::put_item::{PutItemInput, PutItemOutput};
use aws_sdk_dynamodb::operation::query::{QueryInput, QueryOutput};
use aws_sdk_dynamodb::types::{ConsumedCapacity, ReturnConsumedCapacity};

/// An interceptor that counts the requests of a client and their consumed capacity. Clones share the counts.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Mutex<Consumed>>);

/// Counts of requests and capacity.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Consumed {
    /// `Query`, `GetItem` and `BatchGetItem` requests.
    pub reads: u64,
    /// Read units: 4 KB strongly consistent, or 8 KB eventually consistent.
    pub read_units: f64,
    /// `PutItem` requests.
    pub writes: u64,
    /// Write units: 1 KB.
    pub write_units: f64,
}

impl Meter {
    /// The counts of successful requests since the last call.
    pub fn take(&self) -> Consumed {
        std::mem::take(&mut self.consumed())
    }

    fn consumed(&self) -> MutexGuard<'_, Consumed> {
        // Sums are valid even if another thread panicked between two additions.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "meter"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let total = Some(ReturnConsumedCapacity::Total);
        let input = context.input_mut();
        if let Some(query) = input.downcast_mut::<QueryInput>() {
            query.return_consumed_capacity = total;
        } else if let Some(get) = input.downcast_mut::<GetItemInput>() {
            get.return_consumed_capacity = total;
        } else if let Some(batch) = input.downcast_mut::<BatchGetItemInput>() {
            batch.return_consumed_capacity = total;
        } else if let Some(put) = input.downcast_mut::<PutItemInput>() {
            put.return_consumed_capacity = total;
        }
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(Ok(output)) = context.output_or_error() else {
            return Ok(());
        };
        let units = |capacity: Option<&ConsumedCapacity>| capacity.and_then(ConsumedCapacity::capacity_units);
        let mut consumed = self.consumed();
        if let Some(put) = output.downcast_ref::<PutItemOutput>() {
            consumed.writes += 1;
            consumed.write_units += units(put.consumed_capacity()).unwrap_or_default();
        } else if let Some(query) = output.downcast_ref::<QueryOutput>() {
            consumed.reads += 1;
            consumed.read_units += units(query.consumed_capacity()).unwrap_or_default();
        } else if let Some(get) = output.downcast_ref::<GetItemOutput>() {
            consumed.reads += 1;
            consumed.read_units += units(get.consumed_capacity()).unwrap_or_default();
        } else if let Some(batch) = output.downcast_ref::<BatchGetItemOutput>() {
            consumed.reads += 1;
            let all = batch.consumed_capacity().iter();
            consumed.read_units += all.filter_map(|table| units(Some(table))).sum::<f64>();
        }
        Ok(())
    }
}
