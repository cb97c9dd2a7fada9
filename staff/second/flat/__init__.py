"""A second solution, with one flat loop, masks, and small functions of its own."""
