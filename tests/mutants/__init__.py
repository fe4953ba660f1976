"""Mutation testing of the heart: each small mistake that could stand in the code must fail a test."""
