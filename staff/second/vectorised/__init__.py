"""Whole arrays at once, without loops over pixels, images or classes.

Good for speed in NumPy; it needs memory for what a loop would forget, and is harder to change.
"""
