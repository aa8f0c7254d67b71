"""What `tools.soak` runs, and how results are compared."""
