"""Time stepping, roots and sparse solves. No physics here."""
