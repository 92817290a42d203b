"""Search: where genome, cost, network, training and Optuna meet."""

from nas.search.candidate import stored_genome as stored_genome
from nas.search.config import SearchConfig as SearchConfig
from nas.search.finals import weights_file as weights_file
from nas.search.folder import StudyFolder as StudyFolder
from nas.search.folder import study_folder as study_folder
from nas.search.front import front_table as front_table
from nas.search.front import front_text as front_text
from nas.search.front import front_trials as front_trials
from nas.search.presets import preset_config as preset_config
from nas.search.run import SearchResult as SearchResult
from nas.search.run import run_search as run_search
from nas.search.states import read_states as read_states
from nas.search.study import StoredStudy as StoredStudy
from nas.search.study import opened_study as opened_study
