"""Checkpoints of other programs -> bundles, one program a file."""
