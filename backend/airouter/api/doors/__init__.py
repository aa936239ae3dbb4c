"""The gateway's doors over HTTP. The table of doors is gateway/door.py; here it meets the server."""
