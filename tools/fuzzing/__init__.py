"""What `tools.fuzz` is made of: how files are damaged, what reads them, and the process in which that happens."""
