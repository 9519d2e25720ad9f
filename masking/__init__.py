"""Desensitisation: pure, column-wise methods, and the plan that says which column gets which. No I/O, no rows of its own."""
