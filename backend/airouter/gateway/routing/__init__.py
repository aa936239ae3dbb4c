"""Who is asked: which channels may, which is next, which are left alone, and what comes after them."""
