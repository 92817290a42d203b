"""The study's database: opened, locked, and written to."""
