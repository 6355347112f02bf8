"""Groundswell: what the public is saying, as it happens. Never who."""

__version__ = "0.1.0"
