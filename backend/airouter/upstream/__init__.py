"""HTTP to providers: the pooled HTTP/1.1 client of the hot path, and httpx for everything unusual.

Callers depend on `contract` alone; `app.py` chooses the client and gives it its address guard.
"""
