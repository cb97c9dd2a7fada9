"""What is written in PyTorch."""
