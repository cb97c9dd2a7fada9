"""One flat loop, masks, and small functions with names of their own.

Good where a piece is used twice or tested alone, and a middle way between speed and memory.
"""
