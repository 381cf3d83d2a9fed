//! Personal values are in no file, log, error, URL or metric.
