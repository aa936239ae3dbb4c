"""SQL and nothing but SQL: `noun.sql` holds named, commented queries, `noun.py` typed functions over them."""
