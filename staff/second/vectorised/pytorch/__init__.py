"""Part of the second solution without loops."""
