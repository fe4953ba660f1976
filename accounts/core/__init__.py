"""What is decided about people and their plans without asking anything. Pure: values in, values out."""
