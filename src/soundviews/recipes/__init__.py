"""Recipes: the YAML pages, and what reads, checks and builds them."""
