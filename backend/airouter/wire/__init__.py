"""The dialects of the doors and of the upstreams: what is read from their bytes, and what is written in their shape."""
