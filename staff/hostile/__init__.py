"""Hostile and broken submissions: what shows that the autograder cannot be fooled, and what it says to each.

``python -m staff.hostile`` grades them all and writes README.md of the autograder.
"""
