"""Addresses for account holders."""
