"""The data plane. One request, top to bottom, stands in pipeline.py; every step is a file of its own."""
