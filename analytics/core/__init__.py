"""Pure arithmetic of the pages."""
