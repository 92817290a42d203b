"""Architecture search for segmentation networks under a hard cap on parameters.

Each room with a door is run as `python -m nas.<room>`; `python -m nas` lists them.
"""

__version__ = "0.1.0"
