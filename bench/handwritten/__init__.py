"""What a Python developer would write by hand for the work of the measures; the product does not use it."""
