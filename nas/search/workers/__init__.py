"""The processes that train: who they are, what they are told, and the states they leave behind."""
