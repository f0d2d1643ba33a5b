"""Which canonical events go where: predicates and explanation."""
