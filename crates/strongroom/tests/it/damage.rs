//! What is wrong is named: keys, rows, logs, disks.
