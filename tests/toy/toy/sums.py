"""Sums of numbers."""


def total(numbers):
    """Return the sum of some numbers, (n,)."""
    # BEGIN SOLUTION 1 total
    accumulated = 0.0
    for each in numbers:
        accumulated = accumulated + each
    return accumulated
    # END SOLUTION
