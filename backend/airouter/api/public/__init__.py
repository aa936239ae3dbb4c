"""Addresses for everybody: signing in, prices, status, health, documents."""
