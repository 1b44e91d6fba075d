"""What people touch: the command line and the paper. They use the public names only."""
