"""The verbs of the package, each a function that the command line calls with the same options."""
