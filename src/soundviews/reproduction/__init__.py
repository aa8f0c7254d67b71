"""Tables of papers, made again: one YAML page a table, and what plans, runs and writes them."""
