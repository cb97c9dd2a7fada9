"""Checks of what a student writes: cases run apart, compared with an oracle, diagnosed and reported."""
