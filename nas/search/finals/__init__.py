"""Finalists: trained again with fresh seeds, judged by the means, and shown with their predictions."""
