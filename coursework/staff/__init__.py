"""What only the staff has: the student edition, the autograder, and mutants that try the checks."""
