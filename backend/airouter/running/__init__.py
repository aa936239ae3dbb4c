"""Running AI Router on a machine: its Postgres, its workers, its console files and its demo.

This package stands above the floors, beside `cli` and `app`; nothing below imports it.
"""
