//! Data folders of earlier releases open.
