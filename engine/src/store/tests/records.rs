//! Search, history, dead letters, forgetting, pruning, sealed secrets.
