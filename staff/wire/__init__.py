"""How objects of this homework, graph nodes and models, are handed to a worker and back."""
