"""A second solution, with a loop for every index and a line for every step."""
