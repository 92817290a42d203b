"""Where draws come from: Optuna's samplers, and one that learns what networks are like."""

from nas.search.sampling.choice import SAMPLERS as SAMPLERS
from nas.search.sampling.choice import check_sampler as check_sampler
from nas.search.sampling.choice import find_maker as find_maker
from nas.search.sampling.choice import make_sampler as make_sampler
from nas.search.sampling.choice import sampler_faults as sampler_faults
from nas.search.sampling.knowledge import Knowledge as Knowledge
from nas.search.sampling.surrogate import SurrogateSampler as SurrogateSampler
