"""What all tests share: because of this file tests/ is in the import path, and tolerances.py can be imported."""
