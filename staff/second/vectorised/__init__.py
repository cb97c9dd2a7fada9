"""A second right solution, without loops over pixels, images or classes."""
