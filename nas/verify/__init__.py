"""The hand-in check of a size-capped competition: does a model file keep what it promises?"""

from nas.verify.checks import Finding, check_file, check_network
from nas.verify.hand_in import check_papers

__all__ = ["Finding", "check_file", "check_network", "check_papers"]
