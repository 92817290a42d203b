"""Search spaces: distributions, and the way from a draw to a genome, to a genome that fills the budget, and back."""

from nas.space.draws import ScaledDraws as ScaledDraws
from nas.space.draws import random_params as random_params
from nas.space.genes import Distributions as Distributions
from nas.space.load import SpaceFile as SpaceFile
from nas.space.load import find_space as find_space
from nas.space.load import known_spaces as known_spaces
from nas.space.load import load_space as load_space
from nas.space.peers import Peer as Peer
from nas.space.peers import load_peers as load_peers
from nas.space.scale import Misfit as Misfit
from nas.space.smallest import smallest as smallest
from nas.space.space import SearchSpace as SearchSpace
from nas.space.space import routed as routed
from nas.space.space import sized as sized
from nas.space.space import with_router as with_router
