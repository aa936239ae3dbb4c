"""Limits of requests, tokens and calls at once: counted here, shared with other processes."""
