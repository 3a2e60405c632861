//! Stories over HTTP through the whole gateway: `stories/`, one binary for all of them.
