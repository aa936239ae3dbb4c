"""Cohere's v2 chat: spoken by providers only."""
