"""One policy topic a file; domain/policy.py puts them together."""
