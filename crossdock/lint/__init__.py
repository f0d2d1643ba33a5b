"""What `check` and `up` find beyond what every start looks at: types of expressions, dead routes, secrets."""
