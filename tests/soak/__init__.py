"""`make soak`: long-running tests of killed refreshes and concurrent readers."""
