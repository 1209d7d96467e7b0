"""Running named tasks somewhere: the Executor protocol and its implementations."""
