"""Payment processors: how each is asked for money, and how each says that it came."""
