"""Pictures drawn by the program itself, with exact masks: data for trying things out, for tests and for comparisons."""

from nas.data.synthetic.sets import COUNTS, KINDS, MIXED, SYNTHETIC_VERSION, Kind, SyntheticDataSet, open_synthetic

__all__ = ["COUNTS", "KINDS", "MIXED", "SYNTHETIC_VERSION", "Kind", "SyntheticDataSet", "open_synthetic"]
