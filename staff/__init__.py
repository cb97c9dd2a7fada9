"""What only the staff has: nothing here is in the student edition."""
