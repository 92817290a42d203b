"""What a person sees of a search: notes, drawings and plots for the dashboard, the front as a table, the log, and a bar."""
