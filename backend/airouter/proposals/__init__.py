"""Readers of price lists: one list, one file, one shape. They say what a list says; services decide what becomes of it.

    listing = READERS["litellm"](content)

A reader takes the bytes of a JSON document and never a binary fraction out of it. An entry that it cannot read is
named with the reason; a document that it cannot read raises InvalidRequest.
"""
