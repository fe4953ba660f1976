"""Changes of what is kept about people: one function for each."""
