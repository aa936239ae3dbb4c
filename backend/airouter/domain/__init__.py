"""Pure nouns and arithmetic: no await, no clock, no randomness, no float."""
