"""Events through the content in memory: what `test`, `try`, `explain` and `plan` are made of."""
