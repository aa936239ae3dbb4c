"""Between the dialects: each is read into one neutral form and written out of it: requests, answers, streams."""
