"""Plausible wrong solutions, one small edit each: what shows that the checks cannot be passed by wrong code.

``python -m staff.mutants`` tries them all and writes README.md, next to this file.
"""
