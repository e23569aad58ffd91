//! host_calls
