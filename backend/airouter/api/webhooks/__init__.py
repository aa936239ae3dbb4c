"""Addresses that other programs call on their own account. Nobody is signed in here."""
