"""What a person marks: the guide, its pages, and how far two who mark agree."""
