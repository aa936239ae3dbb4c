"""Addresses and shapes that tools made for older gateways of this family ask for, behind policy `compat`.

Only here are their words (token for a key, quota on a scale of 500 000 to the unit) and their envelope.
"""
