"""Strategies and oracles for tests: this package's own and those of plugins."""
