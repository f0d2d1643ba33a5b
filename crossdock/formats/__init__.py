"""The formats of files, one a module: what a file holds as values with their lines, and back."""
