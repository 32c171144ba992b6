//! The eight handlers of the analytics pipeline in Rust. ../README.md describes every field of every result.

mod csv;
mod extracts;
mod figures;
mod footprints;
mod insights;
mod metrics;
mod money;
mod service;
mod transforms;

use std::process::ExitCode;

use stepwell::Worker;

use footprints::register;

fn main() -> ExitCode {
    let mut worker = Worker::new();
    register(&mut worker, "extract_sales_data", extracts::sales);
    register(&mut worker, "extract_inventory_data", extracts::inventory);
    register(&mut worker, "extract_customer_data", extracts::customers);
    register(&mut worker, "transform_sales", transforms::sales);
    register(&mut worker, "transform_inventory", transforms::inventory);
    register(&mut worker, "transform_customers", transforms::customers);
    register(&mut worker, "aggregate_metrics", metrics::aggregate);
    register(&mut worker, "generate_insights", insights::generate);
    worker.main()
}
