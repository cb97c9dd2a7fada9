"""What runs with the submission: nothing in here is secret, and nothing that comes out of here is trusted."""
