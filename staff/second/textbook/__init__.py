"""A loop for every index and a line for every step: the formula as it stands.

Good to read, to follow by hand, and to compare a faster one with; slow.
"""
