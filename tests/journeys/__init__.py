"""What people do in a browser, on an instance started as they start it."""
